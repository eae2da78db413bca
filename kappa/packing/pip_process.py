"""Run pip so that no code of a package runs on this machine, unless the package may be built.

It owns the child process, its environment and its error messages. It must not know what happens to
the installation.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from kappa.config.files import expand_home
from kappa.errors import ArchiveError
from kappa.packing import install_process, pip_guard
from kappa.packing.source_tree import LEFT_OUT
from kappa.texts import masked

_NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")
_NOT_A_WHEEL = re.compile(r"kappa: not a wheel: (.*)")
_NOT_ANY = re.compile(r"kappa: for this machine: (.*)")
_NOT_ISOLATED = "kappa: not isolated"
# pip frames what a build printed by these lines.
_BUILD = re.compile(r"\[\d+ lines of output\]\n(.*?)\[end of output\]", re.DOTALL)
_STEP = re.compile(r"^\W*(\w.*) did not run successfully", re.MULTILINE)
_LISTED = re.compile(r"\(from -r \S*/lambda\.requirements \(line (\d+)\)\)")
# The user has never seen the lines that a lock is turned into.
_LOCKED = re.compile(r" \(from -r \S*/locked\.requirements \(line \d+\)\)")
# pip names the place of NAME @ PLACE twice.
_PLACE = re.compile(r"(@ (\S+)) from \2")
_OTHER_MACHINE = re.compile(r"ERROR: (\S+\.whl) is not a supported wheel")
_UNREACHABLE = ("Retrying (", "NewConnectionError", "Temporary failure", "ProxyError")
# The user's own pip settings apply, except these: they conflict with --target, install nothing or
# run another Python, which would not be guarded.
_ENVIRONMENT = {
    "PIP_DRY_RUN": "0",
    "PIP_QUIET": "0",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_USER": "0",
    "_PIP_RUNNING_IN_SUBPROCESS": "1",
}


def canonical(name: str) -> str:
    """Write a package's name as pip compares it.

    Source: Python packaging guide, "Names and normalization".
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def version() -> str:
    """The version of the interpreter's pip; "" if it has none."""
    try:
        return metadata.version("pip")
    except metadata.PackageNotFoundError:
        return ""


def check_version(*, builds: bool = False) -> None:
    """Check that the interpreter has pip, and one that only builds wheels if it builds.

    Source: pip documentation, "Changelog": since 23.1 setup.py never installs.
    Raises: ArchiveError, if not.
    """
    number = tuple(map(int, re.findall(r"\d+", version())[:2]))
    if number and number < (23, 1) and builds:
        raise ArchiveError(
            f"Packages are built with pip 23.1 or later, and {sys.executable} has {version()}.",
            f"Run `{sys.executable} -m pip install --upgrade pip`.",
        )
    if not number:
        raise ArchiveError(
            f"Packages are installed with pip, and {sys.executable} has none.",
            f"Run `{sys.executable} -m ensurepip`, or pack without lambda.requirements.",
        )


def settings() -> str:
    """Read pip's effective configuration, from files and environment, as `name='value'` lines.

    Source: pip documentation, "Configuration": environment variables, location.
    Raises: ArchiveError, if a file of it cannot be read.
    """
    names = sorted(name for name in os.environ if name.startswith("PIP_"))
    own = (f":env:.{name[4:].lower().replace('_', '-')}={os.environ[name]!r}\n" for name in names)
    stamps = _stamps()
    if any(size for _, size, _ in stamps):
        # Only pip can read them, also if uv is to install.
        check_version()
    return (_read_files(stamps) if version() else "") + "".join(own)


def _stamps() -> tuple[tuple[str, int, int], ...]:
    """The files that pip may read, with size and time, so that it is asked again after a change."""
    home, environ = expand_home("~"), os.environ
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        # pip reads no file then.
        return ((named, 0, 0),)
    folders = [
        *(environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep),
        environ.get("XDG_CONFIG_HOME") or home / ".config",
        *(Path(base, "Library/Application Support") for base in ("/", home)),
    ]
    files = [
        *(Path("/etc/pip.conf"), home / ".pip/pip.conf", Path(sys.prefix, "pip.conf")),
        *(Path(folder, "pip", "pip.conf") for folder in folders),
    ]
    if named:
        files.append(Path(named))
    stamps = []
    for file in files:
        with suppress(OSError):
            stat = file.stat()
            stamps.append((str(file), stat.st_size, stat.st_mtime_ns))
    return tuple(stamps)


@lru_cache
def _read_files(_: tuple[tuple[str, int, int], ...]) -> str:
    """Read the configuration of pip's files; starting pip for it takes a third of a second."""
    command = [sys.executable, "-P", "-m", "pip", "config", "list"]
    env = {k: v for k, v in os.environ.items() if k[:4] != "PIP_" or k == "PIP_CONFIG_FILE"}
    env |= _ENVIRONMENT | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=env, check=False
    )
    if done.returncode:
        raise ArchiveError(
            f"pip failed: {_problem(masked(done.stderr))}",
            f"`{sys.executable} -m pip config debug` names the files that it reads.",
        )
    lines = done.stdout.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(":env:"))


def run(
    arguments: Sequence[str],
    folder: Path,
    temporary: Path,
    markers: Mapping[str, str],
    machine: object,
    build: Collection[str] = (),
) -> str:
    """Run `pip install` in a folder and return its output.

    `build` names the packages that may be built here. If it is killed, its leftovers are in
    `temporary`.
    Raises: ArchiveError, naming the package that has no wheel for the machine.
    """
    values = (dict(markers), [canonical(name) for name in sorted(build)], LEFT_OUT)
    command = [sys.executable, "-P", "-c", pip_guard.SCRIPT, *map(json.dumps, values)]
    code, output, errors = install_process.run(
        [*command, "install", *arguments],
        folder,
        {**os.environ, **_ENVIRONMENT, "TMPDIR": str(temporary)},
    )
    if code:
        raise _error(errors + output, machine)
    return output


def _error(output: str, machine: object) -> ArchiveError:
    output = masked(output)
    output = _LISTED.sub(r"(lambda.requirements, line \1)", _LOCKED.sub("", output))
    output = _PLACE.sub(r"\1", output)
    if source := _NOT_A_WHEEL.search(output):
        return ArchiveError(
            f"{source[1]} is not a wheel. kappa builds only what lambda.build_packages names: a "
            f"build runs the package's code here, and what it compiles would not be for {machine}.",
            "Build a wheel for Lambda (`pip wheel --no-deps`) and name the .whl file, or list the "
            "folder in lambda.dependencies. A pure Python package that you trust: add its name to "
            "lambda.build_packages (it cannot be editable).",
        )
    if wheel := _NOT_ANY.search(output):
        return ArchiveError(
            f"The build gave {wheel[1]}, which is for this machine, not for {machine}.",
            "Only pure Python packages can be built here. Build this one on Amazon Linux, and name "
            "the .whl file.",
        )
    if build := _BUILD.search(output):
        step = match[1] if (match := _STEP.search(output)) else "A build"
        lines = [line.strip() for line in build[1].splitlines() if line.strip()]
        return ArchiveError(
            f"{step} failed: {lines[-1] if lines else 'it gave no reason'}",
            "It comes from a package in lambda.build_packages, or from what builds it. "
            "`pip wheel --no-deps` prints its whole output.",
        )
    if _NOT_ISOLATED in output:
        return ArchiveError(
            "Packages are built in isolation only.",
            "Take no-build-isolation out of pip's settings.",
        )
    if wheel := _OTHER_MACHINE.search(output):
        return ArchiveError(
            f"The wheel {wheel[1]} is not for {machine}.",
            "Name one that is, or correct lambda.runtime or lambda.architectures.",
        )
    if any(sign in output for sign in _UNREACHABLE):
        return ArchiveError(
            "pip could not reach the package index.",
            "Is the network up? PIP_INDEX_URL and PIP_FIND_LINKS name other sources.",
        )
    if missing := _NO_WHEEL.search(output):
        return ArchiveError(
            f"The package {missing[1]} has no wheel for {machine}.",
            "Are name and version right? Otherwise choose a version that has one, use the other "
            "architecture, or build a wheel and name its folder in PIP_FIND_LINKS. If it is pure "
            "Python without any wheel, lambda.build_packages may name it: its code then runs here.",
        )
    if "RequirementPreparer" in output or "WheelCache" in output or "pip._internal" in output:
        return ArchiveError(
            f"This pip cannot be kept from building packages: {output.strip().splitlines()[-1]}.",
            f"Run `{sys.executable} -m pip install --upgrade pip`, or upgrade kappa.",
        )
    return ArchiveError(f"pip failed: {_problem(output)}")


def _problem(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    problem = (lines or output.strip().splitlines() or ["it gave no reason"])[0]
    if problem == "ERROR: Exception:":
        # A traceback follows; its last line is the error.
        problem = next(line for line in reversed(output.splitlines()) if line.strip()).strip()
    return problem.removeprefix("ERROR: ")
