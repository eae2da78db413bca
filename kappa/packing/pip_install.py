"""Install the packages that a function needs, for Lambda's platform, with pip or uv.

It owns the cache of installations and the files that are dropped from one. It must not know AWS or
the rest of the zip. It installs only wheels, so that no code of a package runs here, except for
packages that lambda.build_packages names.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from email.parser import HeaderParser
from pathlib import Path

from kappa.errors import ArchiveError
from kappa.packing import pip_cache_key, pip_process, requirement_lines, uv_process
from kappa.packing.cache import cache_error, cache_folder
from kappa.packing.install_process import DEADLINE_S
from kappa.packing.machine import Machine
from kappa.packing.required import Required

# Files that differ between machines or runs, and that no import needs.
_DROPPED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
# pip's output for a package that it installs; a package that a marker excludes is "Ignoring".
_INSTALLING = re.compile(r"^\s*(Collecting|Processing|Successfully installed|Would install) ", re.M)
_TEMPORARY = ".installing-"
# The folder and the list of its files in a cached installation.
_PACKAGES = "packages"
_MANIFEST = "manifest.json"
# An older temporary folder was left by a killed run, since no installation takes as long.
_ABANDONED_S = 6 * DEADLINE_S


@contextmanager
def installed(required: Required, machine: Machine, cache: Path | None = None) -> Iterator[Path]:
    """Install packages and yield their folder, which must not be changed.

    An installation is cached and used again while all its inputs are the same. If an input is
    unknown, it is removed at the end. Parallel runs do not disturb each other.
    Raises: ArchiveError, naming the package that has no wheel.
    """
    base = (cache or cache_folder()) / "packages"
    with ExitStack() as until_packed:
        try:
            packages = _install(required, machine, base, until_packed)
        except OSError as error:
            raise cache_error("The packages could not be kept", base, error) from error
        yield packages


def _install(required: Required, machine: Machine, base: Path, until_packed: ExitStack) -> Path:
    settings = pip_process.settings()
    job = uv_process.plan_job(required, settings, machine)
    if not job:
        pip_process.check_version(builds=bool(required.build))
    key = _key(required, machine, settings, job)
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
        if not job or not _run_uv(job, machine, fresh, base.parent / "uv"):
            _run_pip(required, machine, fresh)
        _check_machine(fresh, machine)
        _drop_variable_files(fresh)
        # If an input has changed meanwhile, it is unknown which content is installed.
        if key is not None and key == _key(required, machine, settings, job):
            return _keep(fresh, base / key)
        until_packed.enter_context(own.pop_all())
        return fresh


def _sweep(base: Path) -> None:
    """Remove the temporary folders of killed runs."""
    for folder in base.glob(f"{_TEMPORARY}*"):
        with suppress(FileNotFoundError):  # a parallel run has ended
            if time.time() - folder.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(folder, ignore_errors=True)


def _keep(fresh: Path, done: Path) -> Path:
    """Move an installation and its manifest into the cache, replacing a damaged one."""
    whole = fresh.parent / "whole"
    whole.mkdir()
    (whole / _MANIFEST).write_text(json.dumps(_hashes(fresh)), "utf-8")
    fresh.rename(whole / _PACKAGES)
    try:
        whole.rename(done)
    except OSError:
        # rename() never replaces a non-empty folder. A whole one is from a parallel run.
        if not _is_whole(done):
            done.rename(fresh.parent / "damaged")
            whole.rename(done)
    return done / _PACKAGES


def _is_whole(done: Path) -> bool:
    """Whether an installation is unchanged since it was cached."""
    try:
        manifest = json.loads((done / _MANIFEST).read_text("utf-8"))
        return bool(manifest == _hashes(done / _PACKAGES))
    except (OSError, ValueError):
        return False


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix(): pip_cache_key.digest(path) for path in files}


def _key(
    required: Required, machine: Machine, settings: str, job: uv_process.Job | None
) -> str | None:
    """Name an installation by the hash of all its inputs; None if an input is unknown."""
    text, build = required.text(), sorted(required.build)
    inputs = pip_cache_key.read_inputs(text, required.folder, settings, builds=bool(build))
    if not inputs.is_known:
        return None
    lines = list(requirement_lines.expanded_lines(text))
    tool = "uv" if job else pip_process.version()
    parts = [lines, inputs.files, inputs.settings, machine.flags, tool]
    parts += [build, required.is_complete]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _run_uv(job: uv_process.Job, machine: Machine, into: Path, cache: Path) -> bool:
    """Install with uv; False if pip is to try, which explains what is missing.

    Raises: ArchiveError, if uv failed and there is no pip.
    """
    try:
        uv_process.run(job, machine, into, cache)
        for name, tags in _tags(into):
            if all(map(machine.is_foreign, tags)):
                raise ArchiveError(f"The wheel of {name} is for {tags[0]}, not for {machine}.")
    except ArchiveError:
        if not pip_process.version():
            raise
        shutil.rmtree(into)
        into.mkdir()
        return False
    return True


def _run_pip(required: Required, machine: Machine, into: Path) -> None:
    file = required.requirements
    if isinstance(file, str):
        text = requirement_lines.rebased(file, required.folder)
        file = into.parent / ("locked" if required.is_complete else "lambda")
        file = file.with_suffix(".requirements")
        file.write_text(text, "utf-8")
    arguments = [
        *("--target", str(into), *machine.flags, *(["--no-deps"] if required.is_complete else [])),
        *("--no-compile", "--no-input", "--no-warn-conflicts", "--disable-pip-version-check"),
        # A pip setting may name another place, which --target alone does not override.
        *("--root=/", "--requirement", str(file)),
    ]
    output = pip_process.run(
        arguments, required.folder, into.parent, machine.markers, machine, required.build
    )
    if _INSTALLING.search(output) and not any(into.glob("*.dist-info")):
        raise ArchiveError(
            "pip did not install the packages where they are packed from.",
            "Look at `pip config list` for a setting that names another place, and take it out.",
        )


def _check_machine(folder: Path, machine: Machine) -> None:
    """Check the tags of the wheels, since pip's settings may ask for another platform.

    Source: Python packaging guide, "Binary distribution format": WHEEL, Tag.
    """
    for name, tags in _tags(folder):
        if not any(machine.runs(tag) for tag in tags):
            raise ArchiveError(
                f"The wheel of {name} is for {tags[0]}, not for {machine}.",
                "Take platform and abi out of pip's settings.",
            )


def _tags(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Read for which machines each installed wheel is, if it says so."""
    for file in sorted(folder.glob("*.dist-info/WHEEL")):
        tags = HeaderParser().parsestr(file.read_text("utf-8", "replace")).get_all("Tag", [])
        if tags:
            yield file.parent.name.removesuffix(".dist-info"), tags


def _drop_variable_files(folder: Path) -> None:
    """Remove files that differ between machines, so that the same input gives the same bytes."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    (folder / ".lock").unlink(missing_ok=True)
    # The headers of C, in a folder that pip names after the Python here.
    if not (folder / "include" / "__init__.py").exists():
        shutil.rmtree(folder / "include", ignore_errors=True)
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    for info in folder.glob("*.dist-info"):
        for name in _DROPPED:
            (info / name).unlink(missing_ok=True)
