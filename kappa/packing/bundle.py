"""What a config packs: the source, its dependencies, the packages that it requires.

Owns how a config's keys become an Archive. How a zip is made is archive.py's, how packages are
installed is packages.py's.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kappa.config import layout_07 as layout
from kappa.config.model import Config
from kappa.config.tree import read_tree
from kappa.errors import ArchiveError
from kappa.packing import packages
from kappa.packing import ready_zip as readyzip
from kappa.packing.archive import MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES, Archive, pack
from kappa.packing.files import Extras, check_link

REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class Limits:
    """How large a zip may be, as Lambda's quotas have it."""

    direct_bytes: int = MAX_ZIPPED_BYTES
    unzipped_bytes: int = MAX_UNZIPPED_BYTES


def read_archive(config: Config, limits: Limits | None = None) -> Archive:
    """Pack the function's code, with its packages installed.

    Raises: ArchiveError, if something is missing, too large, or has no wheel.
    """
    try:
        return _read_archive(config, limits or Limits())
    except ArchiveError as error:
        error.message = config.masked(error.message)
        error.args = (error.message,)
        raise


def _read_archive(config: Config, limits: Limits) -> Archive:
    function = config.function
    source = config.beside(function.path)
    # Through S3 a zip has no limit of its own: only what is in it counts.
    most = limits.unzipped_bytes if function.s3_bucket else limits.direct_bytes
    if is_ready_zip(config):
        _refuse_more(config)
        return readyzip.read_zip(source, most, limits.unzipped_bytes)
    names = ((f"{config.environment}_config.json", "config.json"),) if config.environment else ()
    with _packages(config, source) as installed:
        extras = Extras(
            dependencies=tuple(_dependency(config, path) for path in function.dependencies),
            packages=installed,
            renamed=tuple((new, old) for old, new in names),
            excluded_dirs=frozenset(function.excluded_dirs),
            excluded_files=frozenset(function.excluded_files),
            source_name=_handlers_file(config),
            own_zip=_real(zip_file(config)),
        )
        return pack(source, _own_zip(config, source), most, extras, limits.unzipped_bytes)


def is_ready_zip(config: Config) -> bool:
    """Whether lambda.path is packed already, so that it is uploaded as it is."""
    source = config.beside(config.function.path)
    return source.suffix.lower() in readyzip.SUFFIXES and source.is_file()


def _refuse_more(config: Config) -> None:
    function = config.function
    for key in ("requirements", "dependencies", "excluded_dirs", "excluded_files"):
        if getattr(function, key):
            raise config.error(
                ("lambda", key),
                f"lambda.path is {function.path}, which is uploaded as it is: lambda.{key} would "
                "have no effect.",
                f"Take {key} out, or name the folder that the zip was made of.",
            )


def _handlers_file(config: Config) -> str:
    """Say where in the zip a single file goes: where the handler says, if that is its path.

    kappa 0.3 packed `path: sub/foo.py` as sub/foo.py, for the handler sub/foo.handler.
    """
    path, handler = PurePosixPath(config.function.path), config.function.handler
    folder, slash, name = handler.rpartition("/")
    modules = {
        handler.rpartition(".")[0].replace(".", "/"),
        f"{folder}{slash}{name.partition('.')[0]}",
    }
    for module in modules:
        parts = PurePosixPath(module).parts
        if len(parts) > 1 and path.with_suffix("").parts[-len(parts) :] == parts:
            return f"{PurePosixPath(module)}{path.suffix}"
    return ""


def zip_file(config: Config) -> Path:
    """Where `package` writes the zip unless told."""
    return config.beside(config.function.zipfile_name or f"{config.function.name}.zip")


def _real(path: Path) -> Path:
    """Follow links as far as they lead; Path.resolve() raises where one leads to itself."""
    return Path(os.path.realpath(path))


def _own_zip(config: Config, source: Path) -> str:
    """Name the zip in the source that is not to be packed, as the zip would name it."""
    file, folder = _real(zip_file(config)), _real(source)
    if file.is_relative_to(folder):
        return file.relative_to(folder).as_posix()
    return config.function.zipfile_name


def write_zip(config: Config, archive: Archive, output: Path | None = None) -> Path:
    """Write the zip, whole or not at all, and return where it is.

    Raises: ArchiveError, if it cannot be written, or would be packed itself next time.
    """
    file = output or zip_file(config)
    _check_place(config, file)
    try:
        if file.exists() and not file.is_file():
            _write_through(file, archive.data)
        else:
            # What a link leads to is replaced, not the link, such as /dev/stdout.
            _replace(_real(file) if _leads_on(file) else file, archive.data)
    except OSError as error:
        raise ArchiveError(f"{file} cannot be written: {error.strerror or error}.") from error
    return file


def _check_place(config: Config, file: Path) -> None:
    """Refuse a place where the zip would be packed itself, or replace what is no zip."""
    for path in (config.function.path, *config.function.dependencies):
        folder = config.beside(path)
        inside = folder.is_dir() and _real(file).is_relative_to(_real(folder))
        if inside and _real(file) != _real(zip_file(config)):
            raise ArchiveError(
                f"{file} is in the folder that is packed: it would be packed itself next time.",
                f"Give --output a place outside of {path}.",
            )
    if file.is_dir():
        raise ArchiveError(f"{file} is a folder.", "Name the file to write.")
    try:
        kept = file.is_file() and file.stat().st_size and not zipfile.is_zipfile(file)
    except OSError as error:
        raise ArchiveError(f"{file} cannot be written: {error.strerror or error}.") from error
    if kept:
        raise ArchiveError(
            f"{file} exists and is not a zip: it is not replaced.",
            "Name another file in --output or lambda.zipfile_name, or remove this one.",
        )


def _leads_on(file: Path) -> bool:
    return file.is_symlink() and not _real(file).is_symlink()


def _write_through(file: Path, data: bytes) -> None:
    """Write to a device or a pipe, such as /dev/null, which must not be replaced."""
    try:
        # Without O_NONBLOCK a pipe that nobody reads is waited for without end.
        handle = os.open(file, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise ArchiveError(
                f"{file} is a pipe that nobody reads.", "Start its reader."
            ) from error
        raise
    os.set_blocking(handle, True)
    with os.fdopen(handle, "wb") as opened:
        opened.write(data)


def _replace(file: Path, data: bytes) -> None:
    """Put a file in place, whole or not at all; the umask decides who may read it."""
    whole = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with whole.open("xb") as opened:
            opened.write(data)
        whole.replace(file)
    finally:
        with suppress(OSError):
            whole.unlink()


def _dependency(config: Config, path: str) -> tuple[str, Path]:
    pure = PurePosixPath(path)
    outside = pure.is_absolute() or ".." in pure.parts or path.startswith("~")
    return (pure.name if outside else pure.as_posix()), config.beside(path)


@dataclass(frozen=True)
class _Required:
    """The packages that are required: a file, or the text of one, and where its paths begin."""

    requirements: str | Path
    text: str
    folder: Path


def _required(config: Config, source: Path) -> _Required | None:
    """Find what is to be installed; None: nothing."""
    wanted = config.function.requirements
    if isinstance(wanted, tuple):
        found = _Required("\n".join(wanted), "\n".join(wanted), config.file.parent.resolve())
    else:
        file = source / REQUIREMENTS if wanted is None else config.beside(wanted)
        if wanted is None and not file.is_file():
            return None
        if wanted is None and file.is_symlink():
            # Errors of pip quote it.
            check_link(file, source.resolve())
        text = packages.read_requirements(file)
        found = _Required(file.resolve(), text, file.parent.resolve())
    return None if packages.is_empty(found.text) else found


def _packages(config: Config, source: Path) -> AbstractContextManager[Path | None]:
    required = _required(config, source)
    machine = packages.target(config.function.runtime, _architecture(config))
    if required is not None and machine is not None:
        return packages.installed(required.requirements, required.folder, machine)
    if config.function.requirements and machine is None:
        raise ArchiveError(
            f"lambda.requirements are packages of Python; the runtime of "
            f"{config.function.name} is {config.function.runtime}.",
            "Take lambda.requirements out, or set a runtime such as python3.13.",
        )
    return nullcontext()


def _architecture(config: Config) -> str:
    return (config.function.architectures or ("x86_64",))[0]


def check_architecture(config: Config, deployed: Sequence[str]) -> None:
    """Check that packages are installed for the machine that AWS has the function on.

    Raises: ConfigError, if the config does not name it and it is not the default.
    """
    if config.function.architectures or config.function.image or not deployed:
        return
    source = config.beside(config.function.path)
    if deployed[0] == _architecture(config) or is_ready_zip(config):
        return
    if re.match("python3", config.function.runtime) and _required(config, source):
        raise config.error(
            ("lambda", "architectures"),
            f"lambda.architectures is missing: {config.function.name} is {deployed[0]} on AWS, and "
            f"its packages would be installed for {_architecture(config)}.",
            f"Add `architectures: [{deployed[0]}]`, or [{_architecture(config)}] to change it.",
        )


def remarks(config: Config) -> list[str]:
    """Say what a reader of the config may not expect of the zip."""
    file = config.beside(config.function.path) / REQUIREMENTS
    if config.function.requirements != () or not file.is_file():
        return []
    tree = read_tree(config.file)
    section = tree.data.get("lambda")
    asked = isinstance(section, dict) and section.get("requirements") is not None
    if (
        asked
        or not layout.is_layout_07(tree)
        or packages.is_empty(packages.read_requirements(file))
    ):
        return []
    return [
        f"{file} is packed but not installed, as in kappa 0.7. To install it, set "
        f"`requirements: {config.function.path}/{REQUIREMENTS}` in the section lambda."
    ]
