"""Install the packages that a function needs, for Lambda's machine, with the interpreter's pip.

Owns which wheels fit a runtime, what of an installation is kept, and the cache of installations.
It must not know AWS, or what else goes into the zip. Only wheels are installed: nothing of a
package runs here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from kappa.errors import ArchiveError

# What a machine or a day leaves in an installation; no import needs it.
_DROPPED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
_INCLUDED = re.compile(
    r"^\s*(?:-r|-c|--requirement|--constraint)[ =]*(?!\S+://)(\S+)", re.MULTILINE
)
_NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_UNREACHABLE = ("Retrying (", "NewConnectionError", "Temporary failure", "ProxyError")
_DEADLINE_S = 600
# pip chooses wheels for the machine that it is told of, but asks the running Python about markers
# such as `python_version < "3.12"`, so it is given the machine's answers.
# Source: pip documentation, "pip install", --platform; pip's issue 11664.
_RUN_PIP = """
import json, runpy, sys
answers = json.loads(sys.argv.pop(1))
try:
    from pip._vendor.packaging import markers
    markers.default_environment = lambda: dict(answers)
except ImportError:
    pass
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Target:
    """Lambda's machine: Python's minor version and the architecture."""

    minor: int
    architecture: str = "x86_64"

    @property
    def flags(self) -> list[str]:
        """What pip is told of it.

        Source: AWS Lambda guide, "Lambda runtimes": Python 3.12 and later run on Amazon Linux
        2023 with glibc 2.34, earlier ones on Amazon Linux 2 with glibc 2.26.
        """
        machine = _MACHINES[self.architecture]
        glibc = 34 if self.minor >= 12 else 26
        tags = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, 16, -1)]
        platforms = [*tags, f"manylinux2014_{machine}"]
        return [
            *(word for tag in platforms for word in ("--platform", tag)),
            *("--implementation", "cp", "--python-version", f"3.{self.minor}"),
            *("--abi", f"cp3{self.minor}", "--only-binary=:all:"),
        ]

    @property
    def markers(self) -> dict[str, str]:
        """What the machine says of itself where a requirement depends on it.

        Source: Python packaging guide, "Dependency specifiers", environment markers.
        """
        version = f"3.{self.minor}"
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.0",
            "os_name": "posix",
            "platform_machine": _MACHINES[self.architecture],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": "linux",
        }

    def __str__(self) -> str:
        """The machine in words."""
        return f"Python 3.{self.minor} on {self.architecture} Linux"


def target(runtime: str, architecture: str) -> Target | None:
    """Say what to install for; None when the runtime is not a Python."""
    match = re.fullmatch(r"python3\.(\d+)", runtime)
    return Target(int(match[1]), architecture) if match else None


def cache_folder() -> Path:
    """Where installations are kept: $XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "kappa"


def read_requirements(file: Path) -> str:
    """Read a requirements file.

    Raises: ArchiveError, if it cannot be read.
    """
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArchiveError(f"{file}: {error}.", "Set lambda.requirements.") from error


def is_empty(requirements: str) -> bool:
    """Whether there is nothing but comments."""
    return all(
        not line.strip() or line.strip().startswith("#") for line in requirements.split("\n")
    )


def install(requirements: str, folder: Path, machine: Target, cache: Path | None = None) -> Path:
    """Install packages and return the folder that they are in; it must not be changed.

    The same requirements, machine, pip and settings of pip are installed once. `folder` is where
    relative paths of the requirements begin. Two runs at once do not disturb each other.
    Raises: ArchiveError, naming the package that has no wheel.
    """
    base = (cache or cache_folder()) / "packages"
    done = base / _key(requirements, folder, machine)
    if done.is_dir():
        return done
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=base) as temporary:
            fresh = Path(temporary, "packages")
            fresh.mkdir()
            _run_pip(requirements, folder, machine, fresh)
            _tidy(fresh)
            _keep(fresh, done)
    except OSError as error:
        raise ArchiveError(
            f"The packages could not be kept in {base}: {error.strerror or error}.",
            "Set XDG_CACHE_HOME to a folder that can be written.",
        ) from error
    return done


def _keep(fresh: Path, done: Path) -> None:
    try:
        fresh.rename(done)
    except OSError:
        # Another run was first: a folder that is not empty is never replaced.
        if not done.is_dir():
            raise


def _key(requirements: str, folder: Path, machine: Target) -> str:
    settings = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_") and name not in ("PIP_CACHE_DIR", "PIP_PROGRESS_BAR")
    }
    parts = [_with_included(requirements, folder), machine.flags, _pip_version(), settings]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _with_included(requirements: str, folder: Path, depth: int = 0) -> str:
    """Add the text of the files that -r and -c name: they decide too what is installed."""
    texts = [requirements]
    for name in _INCLUDED.findall(requirements) if depth < 8 else ():
        file = folder / name
        if file.is_file():
            texts.append(_with_included(read_requirements(file), file.parent, depth + 1))
    return "\n".join(texts)


def _pip_version() -> str:
    try:
        return metadata.version("pip")
    except metadata.PackageNotFoundError as error:
        raise ArchiveError(
            f"Packages are installed with pip, and {sys.executable} has none.",
            f"Run `{sys.executable} -m ensurepip`, or pack without lambda.requirements.",
        ) from error


def _run_pip(requirements: str, folder: Path, machine: Target, into: Path) -> None:
    # Beside the config, so that `-r other.txt` and `./wheels/x.whl` in it are found.
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", dir=into.parent) as file:
        file.write(_rebased(requirements, folder))
        file.flush()
        command = [
            *(sys.executable, "-P", "-c", _RUN_PIP, json.dumps(machine.markers), "install"),
            *("--target", str(into), *machine.flags),
            *("--no-compile", "--no-input", "--no-warn-conflicts", "--disable-pip-version-check"),
            *("--quiet", "--requirement", file.name),
        ]
        # The user's own pip settings count, but these two do not go with --target.
        env = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                cwd=folder,
                env=env,
                check=False,
                timeout=_DEADLINE_S,
            )
        except subprocess.TimeoutExpired as error:
            raise ArchiveError(f"pip was not done after {_DEADLINE_S} s.") from error
    if done.returncode:
        raise _pip_error(done.stderr + done.stdout, machine)


def _rebased(requirements: str, folder: Path) -> str:
    """Make the files that -r and -c name absolute: pip reads them relative to its own file."""
    return _INCLUDED.sub(
        lambda match: match[0].replace(match[1], str((folder / match[1]).resolve())), requirements
    )


def _pip_error(said: str, machine: Target) -> ArchiveError:
    if any(sign in said for sign in _UNREACHABLE):
        return ArchiveError(
            "pip could not reach the package index.",
            "Is the network up? PIP_INDEX_URL and PIP_FIND_LINKS name other sources.",
        )
    missing = _NO_WHEEL.search(said)
    if missing:
        return ArchiveError(
            f"The package {missing[1]} has no wheel for {machine}.",
            "Is name and version right? Else ask for a version that has one, take the other "
            "architecture, or build a wheel and name its folder in PIP_FIND_LINKS.",
        )
    lines = [line for line in said.splitlines() if line.startswith("ERROR: ")]
    problem = (lines or said.strip().splitlines() or ["it gave no reason"])[0]
    return ArchiveError(f"pip failed: {problem.removeprefix('ERROR: ')}")


def _tidy(folder: Path) -> None:
    """Drop what differs from machine to machine, so that the same input gives the same bytes."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    for info in folder.glob("*.dist-info"):
        for name in _DROPPED:
            (info / name).unlink(missing_ok=True)
