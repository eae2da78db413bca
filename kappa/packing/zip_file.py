"""Write the zip to a file, as `package` does: where, and without harm to what is there."""

from __future__ import annotations

import errno
import os
import secrets
import zipfile
from contextlib import suppress
from pathlib import Path

from kappa.config.model import Config
from kappa.errors import ArchiveError
from kappa.packing.archive import Archive


def zip_file(config: Config) -> Path:
    """Where `package` writes the zip, unless --output names another place."""
    return config.beside(config.function.zipfile_name or f"{config.function.name}.zip")


def real_path(path: Path) -> Path:
    """Follow links as far as they lead; Path.resolve() raises where one leads to itself."""
    return Path(os.path.realpath(path))


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
            # A link, such as /dev/stdout, stays: the file that it leads to is replaced.
            _replace(real_path(file) if _leads_on(file) else file, archive.data)
    except OSError as error:
        raise ArchiveError(f"{file} cannot be written: {error.strerror or error}.") from error
    return file


def _check_place(config: Config, file: Path) -> None:
    """Refuse a place where the zip would be packed itself, or replace what is no zip."""
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
        kept = file.is_file() and file.stat().st_size and not zipfile.is_zipfile(file)
    except OSError as error:
        raise ArchiveError(f"{file} cannot be written: {error.strerror or error}.") from error
    if kept:
        raise ArchiveError(
            f"{file} exists and is not a zip: it is not replaced.",
            "Name another file in --output or lambda.zipfile_name, or remove this one.",
        )


def _leads_on(file: Path) -> bool:
    return file.is_symlink() and not real_path(file).is_symlink()


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
