"""Which command runs a function here: the runtime's interpreter, or the code's own bootstrap."""

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

from kappa.config.model import Config, Function
from kappa.errors import KappaError
from kappa.local_run.code_cache import source_folder
from kappa.local_run.environment import local_paths, memory_mb
from kappa.package.find_python import find_python, python_minor
from kappa.package.zip import Archive

CLIENTS = Path(__file__).parent / "clients"
_ARCHITECTURES = {"aarch64": "arm64", "amd64": "x86_64"}
_NATIVE = (".so", ".node")


class CannotRun(KappaError):
    """The function cannot run on this machine; nothing has been started."""


class Sdk(msgspec.Struct, frozen=True):
    """The AWS SDK that Lambda's runtime of Python has: the folder and the packages' names."""

    path: str = ""
    names: tuple[str, ...] = ()


class Launch(msgspec.Struct, frozen=True):
    """How a function is started. `warnings` are what differs from Lambda.

    `foreign` is why compiled code does not run here; "" if it does.
    """

    command: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    foreign: str = ""


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
    other_python = ""
    if runtime.startswith("python"):
        command, other_python = _python(function, source, compiled, sdk, debug_port)
    elif runtime.startswith("nodejs"):
        command = _node(function, source, debug_port)
    elif runtime.startswith("provided"):
        if debug_port:
            raise CannotRun(
                f"{runtime} has no debugger that kappa knows.",
                "Leave --debug-port out, and let the bootstrap start one.",
            )
        # Source: AWS Lambda guide, "Building a custom runtime".
        command = (str(code / "bootstrap"),)
    else:
        raise CannotRun(
            f"{function.name} cannot run here: kappa has no client for the runtime {runtime}.",
            "Python, Node.js and provided.* run here. Call the deployed function instead.",
        )
    other_machine = _other_machine(function, archive)
    warnings = [other_python] if other_python else []
    if other_machine and not runtime.startswith("provided"):  # its bootstrap may be a script
        warnings.append(other_machine)
    if function.layers:
        warnings.append("The function's layers are not used here: what they contain is missing.")
    wrapped = _wrapped(function, code, command)
    return Launch(wrapped, tuple(warnings), other_machine or other_python)


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


def _python(
    function: Function, source: str, compiled: Path, sdk: Sdk, debug_port: int
) -> tuple[tuple[str, ...], str]:
    """The command, and a warning if the runtime's own Python is not installed."""
    minor = python_minor(function.runtime)
    python, warning = None if minor is None else find_python(minor), ""
    if python is None:
        python = sys.executable
        here = f"Python 3.{sys.version_info.minor}"
        warning = (
            f"{function.runtime} is not installed here: the function runs with {here}, which "
            "cannot import packages compiled for another. Run "
            f"`uv python install {function.runtime.removeprefix('python')}`."
        )
    given = {
        "handler": function.handler,
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
    return (python, "-u", "-S", *frozen, client, json.dumps(given)), warning


def _debugger(python: str) -> str:
    """Find the folder of the interpreter's debugpy."""
    code = "import os, debugpy; print(os.path.dirname(os.path.dirname(debugpy.__file__)))"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotRun(
            f"--debug-port needs debugpy, which {python} does not have.",
            f"Run `{python} -m pip install debugpy`.",
        ) from error
    return done.stdout.strip()


def _node(function: Function, source: str, debug_port: int) -> tuple[str, ...]:
    major = _node_major(function.runtime)
    node = shutil.which(f"node{major}") or shutil.which("node")
    if node is None:
        raise CannotRun(
            f"{function.name} needs Node.js, which is not installed here.",
            f"Install Node.js {major}, or put it on the PATH.",
        )
    given = {"handler": function.handler, "source": source, "debug_port": debug_port}
    client = str(CLIENTS / "node_client.mjs")
    return (node, *_heap(function), client, json.dumps(given))


def _node_major(runtime: str) -> str:
    match = re.match(r"nodejs(\d+)", runtime)
    return match[1] if match else ""


def _heap(function: Function) -> list[str]:
    """Limit the heap as Lambda's own start of Node.js does, unless the config does so."""
    own = (function.environment or {}).get("NODE_OPTIONS", "").replace("_", "-")
    if "--max-old-space-size" in own:
        return []
    return [f"--max-old-space-size={memory_mb(function) * 9 // 10}"]


def other_version(function: Function, client: str) -> str:
    """The warning where the Node.js that answers is of another version; "" otherwise.

    `client` is how the runtime's client names itself, such as kappa-node/20.1.0.
    """
    actual = re.match(r"kappa-node/(\d+)", client)
    if not actual or actual[1] == _node_major(function.runtime):
        return ""
    return f"{function.runtime} is not installed here: the function runs with Node.js {actual[1]}."


def _machine() -> tuple[str, str]:
    system = os.uname()
    machine = system.machine.lower()
    return system.sysname, _ARCHITECTURES.get(machine, machine)


def _other_machine(function: Function, archive: Archive) -> str:
    """Word why compiled files do not run here, if the function is for another machine."""
    is_own = function.runtime.startswith("provided")
    compiled = [name for name in archive.names if name.endswith(_NATIVE) or ".so." in name]
    system, here = _machine()
    if (system, here) == ("Linux", function.architecture) or not (compiled or is_own):
        return ""
    file = "bootstrap" if is_own else compiled[0]
    remedy = (
        f" To run it here, set `architectures: [{here}]` and build it again."
        if system == "Linux" and here in _ARCHITECTURES.values()
        else ""
    )
    return (
        f"The function is for Linux on {function.architecture}, and this machine is {system} on "
        f"{here}: {file} may not run here.{remedy}"
    )


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
