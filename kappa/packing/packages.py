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
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from kappa.config.files import read_file
from kappa.errors import ArchiveError
from kappa.packing import pip_inputs as pipinputs
from kappa.packing import pip_run as piprun

# What a machine or a day leaves in an installation; no import needs it.
_DROPPED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
# What pip says of a package that it takes; of one that its marker rules out it says "Ignoring".
_TAKEN = re.compile(r"^\s*(Collecting|Processing|Successfully installed|Would install) ", re.M)
# The last release of each minor version of Python. Source: python.org, "Python releases".
PATCHES = {6: 15, 7: 17, 8: 20, 9: 25, 10: 20, 11: 15, 12: 13, 13: 13, 14: 4, 15: 0}
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_TEMPORARY = ".installing-"
# In the cache, beside the list of what belongs to them.
_PACKAGES = "packages"
_MANIFEST = "manifest.json"
# No installation takes as long as this, so what is older was left by one that was killed.
_LEFT_OVER_S = 6 * piprun.DEADLINE_S


@dataclass(frozen=True)
class Target:
    """Lambda's machine: Python's minor version and the architecture."""

    minor: int
    architecture: str = "x86_64"

    @property
    def release(self) -> str:
        """The Python that packages are chosen for, with its patch level, as 3.13.13.

        Lambda updates its runtimes by itself, so that the last release known here is the nearest.
        Source: AWS Lambda guide, "Understanding how Lambda manages runtime version updates".
        """
        return f"3.{self.minor}.{PATCHES.get(self.minor, 0)}"

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
            *("--implementation", "cp", "--python-version", self.release),
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
            "implementation_version": self.release,
            "os_name": "posix",
            "platform_machine": _MACHINES[self.architecture],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.release,
            "python_version": version,
            "sys_platform": "linux",
        }

    def runs(self, tag: str) -> bool:
        """Whether a wheel's tag is of this machine; which glibc it needs is left to pip."""
        python, abis, platforms = [*tag.split("-"), "", ""][:3]
        return (
            bool({"none", "abi3", f"cp3{self.minor}"} & set(abis.split(".")))
            and any(one == "any" or self._is_platform(one) for one in platforms.split("."))
            and any(one.startswith(("py", "cp")) for one in python.split("."))
        )

    def _is_platform(self, platform: str) -> bool:
        return "linux" in platform and platform.endswith(f"_{_MACHINES[self.architecture]}")

    def __str__(self) -> str:
        """The machine in words."""
        return f"Python 3.{self.minor} on {self.architecture} Linux"


def target(runtime: str, architecture: str) -> Target | None:
    """Say what to install for; None when the runtime is not a Python."""
    match = re.fullmatch(r"python3\.(\d{1,3})", runtime)
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
        return read_file(file).decode()
    except OSError as error:
        problem = error.strerror or error
        raise ArchiveError(f"{file}: {problem}.", "Set lambda.requirements.") from error
    except UnicodeDecodeError as error:
        raise ArchiveError(f"{file}: {error}.", "Save it as UTF-8.") from error


def is_empty(requirements: str) -> bool:
    """Whether there is nothing but comments."""
    return all(
        not line.strip() or line.strip().startswith("#") for line in requirements.split("\n")
    )


@contextmanager
def installed(
    requirements: str | Path, folder: Path, machine: Target, cache: Path | None = None
) -> Iterator[Path]:
    """Install packages, and give the folder that they are in; it must not be changed.

    `requirements` is a file, or its text. `folder` is where relative paths of it begin. An
    installation is kept, and taken again while all that it depends on is the same; one that
    depends on what cannot be known is gone at the end. Two runs at once do not disturb each other.
    Raises: ArchiveError, naming the package that has no wheel.
    """
    base = (cache or cache_folder()) / "packages"
    with ExitStack() as until_packed:
        try:
            found = _install(requirements, folder, machine, base, until_packed)
        except OSError as error:
            raise ArchiveError(
                f"The packages could not be kept in {base}: {error.strerror or error}.",
                "Set XDG_CACHE_HOME to a folder that can be written.",
            ) from error
        yield found


def _install(
    requirements: str | Path, folder: Path, machine: Target, base: Path, until_packed: ExitStack
) -> Path:
    _pip_version()
    settings = piprun.settings()
    key = _key(requirements, folder, machine, settings)
    if key and _is_whole(base / key):
        return base / key / _PACKAGES
    base.mkdir(parents=True, exist_ok=True)
    _sweep(base)
    with ExitStack() as own:
        temporary = own.enter_context(
            tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=base, ignore_cleanup_errors=True)
        )
        fresh = Path(temporary, _PACKAGES)
        fresh.mkdir()
        _run_pip(requirements, folder, machine, fresh)
        _check_machine(fresh, machine)
        _tidy(fresh)
        # A file that changed meanwhile: nobody can tell which content is installed.
        if key is not None and key == _key(requirements, folder, machine, settings):
            return _keep(fresh, base / key)
        until_packed.enter_context(own.pop_all())
        return fresh


def _sweep(base: Path) -> None:
    """Remove what runs that were killed have left."""
    for left in base.glob(f"{_TEMPORARY}*"):
        if time.time() - left.stat().st_mtime > _LEFT_OVER_S:
            shutil.rmtree(left, ignore_errors=True)


def _keep(fresh: Path, done: Path) -> Path:
    """Put an installation in its place whole, with its manifest; a damaged one gives way."""
    whole = fresh.parent / "whole"
    whole.mkdir()
    (whole / _MANIFEST).write_text(json.dumps(_hashes(fresh)), "utf-8")
    fresh.rename(whole / _PACKAGES)
    try:
        whole.rename(done)
    except OSError:
        # A folder that is not empty is never replaced; if it is whole, another run was first.
        if not _is_whole(done):
            done.rename(fresh.parent / "damaged")
            whole.rename(done)
    return done / _PACKAGES


def _is_whole(done: Path) -> bool:
    """Whether an installation is what was installed: somebody may have written in it."""
    try:
        manifest = json.loads((done / _MANIFEST).read_text("utf-8"))
        return bool(manifest == _hashes(done / _PACKAGES))
    except (OSError, ValueError):
        return False


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix(): pipinputs.digest(path) for path in files}


def _key(requirements: str | Path, folder: Path, machine: Target, settings: str) -> str | None:
    """Name an installation by all that it depends on; None where that cannot be known."""
    text = requirements if isinstance(requirements, str) else read_requirements(requirements)
    inputs = pipinputs.read_inputs(text, folder, settings)
    if not inputs.is_known:
        return None
    variables = [pipinputs.expanded(line) for line in pipinputs.lines(text)]
    parts = [variables, inputs.files, inputs.settings, machine.flags, _pip_version()]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _pip_version() -> str:
    try:
        return metadata.version("pip")
    except metadata.PackageNotFoundError as error:
        raise ArchiveError(
            f"Packages are installed with pip, and {sys.executable} has none.",
            f"Run `{sys.executable} -m ensurepip`, or pack without lambda.requirements.",
        ) from error


def _run_pip(requirements: str | Path, folder: Path, machine: Target, into: Path) -> None:
    file = requirements
    if isinstance(file, str):
        text, file = pipinputs.rebased(file, folder), into.parent / "lambda.requirements"
        file.write_text(text, "utf-8")
    arguments = [
        *("--target", str(into), *machine.flags),
        *("--no-compile", "--no-input", "--no-warn-conflicts", "--disable-pip-version-check"),
        # Settings of pip may name another place, which --target does not take back.
        *("--root=/", "--requirement", str(file)),
    ]
    output = piprun.run(arguments, folder, into.parent, machine.markers, machine)
    if _TAKEN.search(output) and not any(into.glob("*.dist-info")):
        raise ArchiveError(
            "pip did not install the packages where they are packed from.",
            "Look at `pip config list` for a setting that names another place, and take it out.",
        )


def _check_machine(folder: Path, machine: Target) -> None:
    """Look at what the wheels say of themselves: settings of pip may ask for another machine.

    Source: Python packaging guide, "Binary distribution format": WHEEL, Tag.
    """
    for file in sorted(folder.glob("*.dist-info/WHEEL")):
        tags = HeaderParser().parsestr(file.read_text("utf-8", "replace")).get_all("Tag", [])
        if tags and not any(machine.runs(tag) for tag in tags):
            name = file.parent.name.removesuffix(".dist-info")
            raise ArchiveError(
                f"The wheel of {name} is for {tags[0]}, not for {machine}.",
                "Take platform and abi out of pip's settings.",
            )


def _tidy(folder: Path) -> None:
    """Drop what differs from machine to machine, so that the same input gives the same bytes."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    for info in folder.glob("*.dist-info"):
        for name in _DROPPED:
            (info / name).unlink(missing_ok=True)
