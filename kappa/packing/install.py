"""Install the packages that a function needs, for Lambda's machine, with the interpreter's pip.

Owns what of an installation is kept, and the cache of installations. It must not know AWS, or what
else goes into the zip. Only wheels are installed: no code of a package runs here.
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
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from kappa.config.files import read_file
from kappa.errors import ArchiveError
from kappa.packing import pip_inputs, pip_run
from kappa.packing.machine import Machine

# Files that differ from machine to machine or day to day; no import needs them.
_DROPPED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
# Words of pip for a package that it takes; one that its marker rules out is "Ignoring".
_TAKEN = re.compile(r"^\s*(Collecting|Processing|Successfully installed|Would install) ", re.M)
_TEMPORARY = ".installing-"
# In the cache, beside the list of what belongs to them.
_PACKAGES = "packages"
_MANIFEST = "manifest.json"
# No installation takes as long as this, so what is older was left by one that was killed.
_LEFT_OVER_S = 6 * pip_run.DEADLINE_S


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
    requirements: str | Path, folder: Path, machine: Machine, cache: Path | None = None
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
            packages = _install(requirements, folder, machine, base, until_packed)
        except OSError as error:
            raise ArchiveError(
                f"The packages could not be kept in {base}: {error.strerror or error}.",
                "Set XDG_CACHE_HOME to a folder that can be written.",
            ) from error
        yield packages


def _install(
    requirements: str | Path, folder: Path, machine: Machine, base: Path, until_packed: ExitStack
) -> Path:
    _pip_version()
    settings = pip_run.settings()
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
    for folder in base.glob(f"{_TEMPORARY}*"):
        if time.time() - folder.stat().st_mtime > _LEFT_OVER_S:
            shutil.rmtree(folder, ignore_errors=True)


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
    return {path.relative_to(folder).as_posix(): pip_inputs.digest(path) for path in files}


def _key(requirements: str | Path, folder: Path, machine: Machine, settings: str) -> str | None:
    """Name an installation by all that it depends on; None where that cannot be known."""
    text = requirements if isinstance(requirements, str) else read_requirements(requirements)
    inputs = pip_inputs.read_inputs(text, folder, settings)
    if not inputs.is_known:
        return None
    variables = [pip_inputs.expanded(line) for line in pip_inputs.lines(text)]
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


def _run_pip(requirements: str | Path, folder: Path, machine: Machine, into: Path) -> None:
    file = requirements
    if isinstance(file, str):
        text, file = pip_inputs.rebased(file, folder), into.parent / "lambda.requirements"
        file.write_text(text, "utf-8")
    arguments = [
        *("--target", str(into), *machine.flags),
        *("--no-compile", "--no-input", "--no-warn-conflicts", "--disable-pip-version-check"),
        # Settings of pip may name another place, which --target does not take back.
        *("--root=/", "--requirement", str(file)),
    ]
    output = pip_run.run(arguments, folder, into.parent, machine.markers, machine)
    if _TAKEN.search(output) and not any(into.glob("*.dist-info")):
        raise ArchiveError(
            "pip did not install the packages where they are packed from.",
            "Look at `pip config list` for a setting that names another place, and take it out.",
        )


def _check_machine(folder: Path, machine: Machine) -> None:
    """Check the tags of the wheels: settings of pip may ask for another machine.

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
