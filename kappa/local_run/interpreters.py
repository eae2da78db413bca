"""Which command runs a function here: the runtime's interpreter, or the code's own bootstrap.

It starts nothing but uv and, for a debugger, the interpreter that must have debugpy.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import msgspec

from kappa.config.files import expand_home
from kappa.config.model import Config, Function
from kappa.errors import KappaError
from kappa.local_run.environment import local_paths, memory_mb
from kappa.local_run.own_files import source_folder
from kappa.packing.archive import Archive
from kappa.packing.find_python import find_python, newest, python_minor

CLIENTS = Path(__file__).parent / "clients"
_DEADLINE_S = 30
_ARCHITECTURES = {"aarch64": "arm64", "amd64": "x86_64"}
# Source: ELF specification, e_machine, at byte 18.
_ELF_MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}
_NATIVE = (".so", ".node")


class CannotRun(KappaError):
    """The function cannot run on this machine; nothing has been started."""


class Sdk(msgspec.Struct, frozen=True):
    """The AWS SDK that Lambda's runtime of Python has: the folder and the packages' names."""

    path: str = ""
    names: tuple[str, ...] = ()


class Launch(msgspec.Struct, frozen=True):
    """How a function is started. `warnings` are what differs from Lambda."""

    command: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def plan_launch(
    config: Config,
    archive: Archive,
    code: Path,
    compiled: Path,
    sdk: Sdk,
    debug_port: int = 0,
) -> Launch:
    """Choose the command for the unpacked `code`; `compiled` is where Python keeps its own files.

    Raises: CannotRun.
    """
    function = config.function
    runtime, source = function.runtime, str(source_folder(config, archive))
    if debug_port:
        _check_port(debug_port)
    if runtime.startswith("python"):
        plan = _python(config, source, compiled, sdk, debug_port)
    elif runtime.startswith("nodejs"):
        plan = _node(function, source, debug_port)
    elif runtime.startswith("provided"):
        if debug_port:
            raise CannotRun(
                f"{runtime} has no debugger that kappa knows.",
                "Leave --debug-port out, and let the bootstrap start one.",
            )
        plan = _bootstrap(config, code)
    else:
        raise CannotRun(
            f"{function.name} cannot run here: kappa has no client for the runtime {runtime}.",
            "Python, Node.js and provided.* run here. Call the deployed function instead.",
        )
    warnings = (*plan.warnings, *_native(function, archive, plan), *_missing(function))
    return Launch(_wrapped(function, code, plan.command), warnings)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotRun(
                f"Port {port} cannot be used: {error.strerror or error}.",
                "Choose another --debug-port.",
            ) from error


class _Plan(msgspec.Struct, frozen=True):
    command: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    minor: int | None = None


def _python(config: Config, source: str, compiled: Path, sdk: Sdk, debug_port: int) -> _Plan:
    runtime = config.function.runtime
    wanted = python_minor(runtime)
    minor = wanted
    warnings: tuple[str, ...] = ()
    python = _installed_python(wanted) if wanted is not None else None
    if python is None:
        python, minor = sys.executable, sys.version_info.minor
        text = f"{runtime} is not installed here: the function runs with Python 3.{minor}."
        warnings = (text,)
    given = {
        "handler": config.function.handler,
        "source": source,
        "compiled": str(compiled / hashlib.sha256(source.encode()).hexdigest()[:16]),
        "debug_port": debug_port,
        "debug_path": _debugger(python) if debug_port else "",
        "sdk_path": sdk.path,
        "sdk_names": sdk.names,
    }
    # -S: the packages of this machine's Python are not on Lambda, so an import that only works
    # here would mislead.
    # A debugger's own files must be debuggable: frozen modules have no lines.
    frozen = ("-X", "frozen_modules=off") if debug_port else ()
    client = str(CLIENTS / "python_client.py")
    command = (python, "-u", "-S", *frozen, client, json.dumps(given))
    return _Plan(command, warnings, minor)


def _installed_python(minor: int) -> str | None:
    if minor == sys.version_info.minor:
        return sys.executable
    return find_python(f"python3.{minor}") or _uv_python(minor)


def _uv_python(minor: int) -> str | None:
    """Ask uv for a Python that it has installed; it must not download one."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    command = [uv, "python", "find", "--no-project", "--no-python-downloads", f"3.{minor}"]
    return _run(command).strip() or None


def _debugger(python: str) -> str:
    """Find the folder of the interpreter's debugpy."""
    code = "import os, debugpy; print(os.path.dirname(os.path.dirname(debugpy.__file__)))"
    path = _run([python, "-c", code]).strip()
    if not path:
        raise CannotRun(
            f"--debug-port needs debugpy, which {python} does not have.",
            f"Run `{python} -m pip install debugpy`.",
        )
    return path


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_DEADLINE_S
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _node(function: Function, source: str, debug_port: int) -> _Plan:
    match = re.match(r"nodejs(\d+)", function.runtime)
    major = int(match[1]) if match else 0
    node = _installed_node(major)
    if node is None:
        raise CannotRun(
            f"{function.name} needs Node.js, which is not installed here.",
            f"Install Node.js {major}, or put it on the PATH.",
        )
    given = {"handler": function.handler, "source": source, "debug_port": debug_port}
    client = str(CLIENTS / "node_client.mjs")
    return _Plan((node, *_heap(function), client, json.dumps(given)))


def _heap(function: Function) -> list[str]:
    """Limit the heap as Lambda's own start of Node.js does, unless the config does so."""
    own = (function.environment or {}).get("NODE_OPTIONS", "").replace("_", "-")
    if "--max-old-space-size" in own:
        return []
    return [f"--max-old-space-size={memory_mb(function) * 9 // 10}"]


def _installed_node(major: int) -> str | None:
    """Find Node of a version, where version managers keep it; else the one on the PATH."""
    for name in (f"node{major}", f"nodejs{major}"):
        if path := shutil.which(name):
            return path
    on_path = shutil.which("node")
    if on_path and f"/v{major}." in os.path.realpath(on_path):
        return on_path
    home = expand_home("~")
    nvm = Path(os.environ.get("NVM_DIR") or home / ".nvm")
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    places = (
        (nvm, f"versions/node/v{major}.*/bin/node"),
        (data, f"fnm/node-versions/v{major}.*/installation/bin/node"),
        (data, f"mise/installs/node/{major}.*/bin/node"),
        (home, f".volta/tools/image/node/{major}.*/bin/node"),
        (home, f".asdf/installs/nodejs/{major}.*/bin/node"),
    )
    for folder, pattern in places:
        if path := newest(folder.glob(pattern)):
            return path
    return on_path


def other_version(function: Function, client: str) -> str:
    """The warning where the runtime that answers is of another version; "" otherwise.

    `client` is how the runtime's client names itself, such as kappa-node/20.1.0.
    """
    wanted = re.match(r"nodejs(\d+)", function.runtime)
    actual = re.match(r"kappa-node/(\d+)", client)
    if not wanted or not actual or wanted[1] == actual[1]:
        return ""
    return f"{function.runtime} is not installed here: the function runs with Node.js {actual[1]}."


def _bootstrap(config: Config, code: Path) -> _Plan:
    """The code's own program. Source: AWS Lambda guide, "Building a custom runtime"."""
    name, file = config.function.name, code / "bootstrap"
    if not file.is_file():
        raise CannotRun(
            f"The code of {name} has no file bootstrap, which {config.function.runtime} runs.",
            "Name the program bootstrap, at the top of lambda.path.",
        )
    if not os.access(file, os.X_OK):
        raise CannotRun(
            f"bootstrap of {name} is not executable, so Lambda could not run it either.",
            "Run `chmod +x` on it.",
        )
    with file.open("rb") as opened:
        head = opened.read(20)
    built_for = _ELF_MACHINES.get(int.from_bytes(head[18:19]))
    here, system = _machine()
    if head.startswith(b"\x7fELF") and (built_for != here or system != "Linux"):
        raise CannotRun(
            f"bootstrap of {name} is built for Linux on {built_for or 'another processor'}; this "
            f"machine is {system} on {here}.",
            "Build it for this machine to run it here.",
        )
    return _Plan((str(file),))


def _machine() -> tuple[str, str]:
    system = os.uname()
    machine = system.machine.lower()
    return _ARCHITECTURES.get(machine, machine), system.sysname


def _native(function: Function, archive: Archive, plan: _Plan) -> list[str]:
    """Warn of files compiled for another machine or Python than the function has here."""
    native = [name for name in archive.names if name.endswith(_NATIVE) or ".so." in name]
    if not native or function.runtime.startswith("provided"):
        return []
    here, system = _machine()
    built_for = (function.architectures or ("x86_64",))[0]
    if (built_for, "Linux") != (here, system):
        here_too = system == "Linux" and here in _ARCHITECTURES.values()
        remedy = (
            f" `architectures: [{here}]` installs packages for this machine." if here_too else ""
        )
        return [
            f"{_listed(native)} for Linux on {built_for}: on this machine, {system} on {here}, "
            f"importing them fails.{remedy}"
        ]
    tag = f".cpython-3{plan.minor}"
    others = [name for name in native if ".cpython-3" in name and tag not in name]
    if plan.minor is not None and others:
        return [
            f"{_listed(others)} for {function.runtime}: with Python 3.{plan.minor}, importing "
            "them fails."
        ]
    return []


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 1} more files are" if len(names) > 1 else " is"
    return f"{names[0]}{more} compiled"


def _missing(function: Function) -> list[str]:
    """Warn of the parts of the function that are on AWS only."""
    if not function.layers:
        return []
    return ["The function's layers are not used here, so what they contain is missing."]


def _wrapped(function: Function, code: Path, command: tuple[str, ...]) -> tuple[str, ...]:
    """Have the script that the config names start the runtime.

    Source: AWS Lambda guide, "Modifying the runtime environment", wrapper scripts.
    """
    wrapper = (function.environment or {}).get("AWS_LAMBDA_EXEC_WRAPPER", "")
    if not wrapper or function.runtime.startswith("provided"):
        return command
    here = local_paths(wrapper, code)
    if not os.access(here, os.X_OK):
        raise CannotRun(
            f"AWS_LAMBDA_EXEC_WRAPPER is {wrapper}, which is not an executable file of the code.",
            "A layer's wrapper is on AWS only: take the variable out to run the function here.",
        )
    return (here, *command)
