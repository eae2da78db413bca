"""Write the zip to a file for `package`, without damage to other files."""

from __future__ import annotations

import errno
import os
import secrets
import zipfile
from contextlib import suppress
from pathlib import Path

from kappa.config.files import real_path
from kappa.config.model import Config
from kappa.errors import ArchiveError
from kappa.packing.archive import Archive


def zip_file(config: Config) -> Path:
    """The file that `package` writes, unless --output names another one."""
    return config.beside(config.function.zipfile_name or f"{config.function.name}.zip")


def write_zip(config: Config, archive: Archive, output: Path | None = None) -> Path:
    """Write the zip, completely or not at all, and return its path.

    Raises: ArchiveError, if it cannot be written, or would be packed itself the next time.
    """
    file = output or zip_file(config)
    _check_place(config, file)
    try:
        if file.exists() and not file.is_file():
            _write_through(file, archive.data)
        else:
            # A link such as /dev/stdout stays, and its target is replaced.
            _replace(real_path(file) if _is_usable_link(file) else file, archive.data)
    except OSError as error:
        raise ArchiveError(f"{file} cannot be written: {error.strerror or error}.") from error
    return file


def _check_place(config: Config, file: Path) -> None:
    """Refuse a file that would be packed itself, or that exists and is not a zip."""
    for path in (config.function.path, *config.function.dependencies):
        folder = config.beside(path)
        inside = folder.is_dir() and real_path(file).is_relative_to(real_path(folder))
        if inside and real_path(file) != real_path(zip_file(config)):
            raise ArchiveError(
                f"{file} is in the folder that is packed: it would be packed itself next time.",
                f"Give --output a place outside of {path}.",
            )
    if file.is_dir():
        raise ArchiveError(f"{file} is a folder.", "Name the file to write.")
    try:
        is_other_file = file.is_file() and file.stat().st_size and not zipfile.is_zipfile(file)
    except OSError as error:
        raise ArchiveError(f"{file} cannot be written: {error.strerror or error}.") from error
    if is_other_file:
        raise ArchiveError(
            f"{file} exists and is not a zip: it is not replaced.",
            "Name another file in --output or lambda.zipfile_name, or remove this one.",
        )


def _is_usable_link(file: Path) -> bool:
    return file.is_symlink() and not real_path(file).is_symlink()


def _write_through(file: Path, data: bytes) -> None:
    """Write to a device or a pipe, such as /dev/null, which must not be replaced."""
    try:
        # Without O_NONBLOCK, opening a pipe without a reader would block for ever.
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
    """Replace a file completely or not at all; the umask decides who may read it."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as opened:
            opened.write(data)
        temporary.replace(file)
    finally:
        with suppress(OSError):
            temporary.unlink()
