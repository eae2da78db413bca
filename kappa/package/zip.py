"""The zip: packed in memory, read from an existing one, or written to a file.

The same source gives the same bytes. files.py selects the files. This module must not call AWS.
"""

from __future__ import annotations

import base64
import hashlib
import io
import lzma
import posixpath
import secrets
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from kappa.config.files import real_path
from kappa.config.inputs import depends_on
from kappa.config.model import Config
from kappa.errors import ArchiveError
from kappa.package.files import Extras, Link, all_files, as_utf8
from kappa.package.ignore import IGNORE_FILE

# AWS Lambda guide, "Lambda quotas": deployment package of a direct upload, and unzipped.
MAX_ZIPPED_BYTES = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
_S3_ADVICE = "Set lambda.s3_bucket: kappa then uploads through this bucket."
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_BLOCK_BYTES = 1 << 20
# Source: AWS Lambda guide, "Deploy Java Lambda functions with .zip or JAR file archives".
READY_SUFFIXES = frozenset({".zip", ".jar"})
# Errors of a zip that is damaged, encrypted or compressed in an unknown way.
UNREADABLE = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


class Archive(msgspec.Struct, frozen=True):
    """A deployment package in memory. `sha256` has the form of Lambda's CodeSha256.

    `installed` are the names of the files from installed packages. `notes` are what may surprise
    about the content.
    """

    data: bytes
    sha256: str
    names: tuple[str, ...]
    unzipped_bytes: int
    installed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


class _Entry(msgspec.Struct, frozen=True):
    """A file to pack, with its size when the limits were checked; or a link to `target`."""

    name: str
    path: Path
    size_bytes: int
    mode: int
    target: str = ""


def pack(
    source: Path,
    zipfile_name: str = "",
    max_zipped_bytes: int = MAX_ZIPPED_BYTES,
    extras: Extras | None = None,
    max_unzipped_bytes: int = MAX_UNZIPPED_BYTES,
) -> Archive:
    """Zip a file or a folder's content, except the `zipfile_name` of an earlier run.

    Raises: ArchiveError, if there is nothing to pack, it is too large or unreadable, or a link
    leads outside.
    """
    try:
        return _pack(source, zipfile_name, max_zipped_bytes, extras or Extras(), max_unzipped_bytes)
    except OSError as error:
        label = f"{as_utf8(str(error.filename))}: " if error.filename else ""
        raise ArchiveError(f"{label}{error.strerror or error}.") from error


def _pack(
    source: Path, zipfile_name: str, max_zipped_bytes: int, extras: Extras, max_unzipped_bytes: int
) -> Archive:
    selected = all_files(source, zipfile_name, extras)
    entries = [_entry(name, path) for name, path in sorted(selected.files.items())]
    if not entries:
        raise ArchiveError(f"The folder {source} has no file to pack.", "Set lambda.path.")
    unzipped_bytes = sum(entry.size_bytes for entry in entries)
    _check_unzipped(source, unzipped_bytes, max_unzipped_bytes, f"{_largest(entries)}.")
    data = _zip(entries)
    _check_zipped(source, len(data), max_zipped_bytes, f"{_largest(entries)}. ")
    names = tuple(entry.name for entry in entries)
    notes = _notes(selected.secrets)
    return Archive(data, sha256_of(data), names, unzipped_bytes, selected.installed, notes)


def _notes(secrets: Sequence[str]) -> tuple[str, ...]:
    if not secrets:
        return ()
    names = ", ".join(map(as_utf8, sorted(secrets)))
    return (
        f"left out of the zip, as it may hold secrets: {names}. `!NAME` in {IGNORE_FILE} packs it",
    )


def read_zip(file: Path, max_zipped_bytes: int, max_unzipped_bytes: int) -> Archive:
    """Read an existing zip, which is uploaded unchanged.

    Raises: ArchiveError, if it is not a zip, damaged, encrypted, empty or too large, or if a name
    in it leads outside.
    """
    depends_on(file, "code")
    try:
        _check_zipped(file, file.stat().st_size, max_zipped_bytes, "the zip itself. ")
        with file.open("rb") as opened:
            data = opened.read(max_zipped_bytes + 1)
    except OSError as error:
        raise ArchiveError(f"{file}: {error.strerror or error}.", "Set lambda.path.") from error
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _check_zip(file, data, archive, max_unzipped_bytes)
    except UNREADABLE as error:
        raise ArchiveError(f"{file} is not a zip that Lambda can read: {error}.") from error


def _check_zip(file: Path, data: bytes, archive: zipfile.ZipFile, max_bytes: int) -> Archive:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if not infos:
        raise ArchiveError(f"{file} has no file in it.", "Set lambda.path.")
    for info in infos:
        pure = PurePosixPath(info.filename)
        if pure.is_absolute() or ".." in pure.parts:
            raise ArchiveError(f"{file}: the name {info.filename!r} leads outside of the zip.")
    size_bytes = sum(info.file_size for info in infos)
    largest = max(infos, key=lambda info: info.file_size).filename
    _check_unzipped(file, size_bytes, max_bytes, f"{largest}.")
    damaged = archive.testzip()
    if damaged is not None:
        raise ArchiveError(
            f"{file} is damaged: {damaged} does not match its checksum.", "Pack it again."
        )
    names = tuple(sorted({info.filename for info in infos}))
    return Archive(data, sha256_of(data), names, size_bytes)


def sizes(archive: Archive) -> dict[str, int]:
    """Return the unzipped size of each file in the zip, in bytes."""
    with zipfile.ZipFile(io.BytesIO(archive.data)) as packed:
        files = (info for info in packed.infolist() if not info.is_dir())
        return {info.filename: info.file_size for info in files}


def sha256_of(data: bytes) -> str:
    """The base64 SHA-256 that Lambda reports as CodeSha256."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _entry(name: str, path: Path | Link) -> _Entry:
    try:
        name.encode()
        if isinstance(path, Link):
            target = posixpath.relpath(path.target or ".", posixpath.dirname(name) or ".")
            return _Entry(name, Path(name), len(target.encode()), stat.S_IFLNK | 0o777, target)
    except UnicodeEncodeError as error:
        shown = as_utf8(name if isinstance(path, Link) else str(path))
        raise ArchiveError(f"{shown}: the file's name is not UTF-8.", "Rename it.") from error
    status = path.stat()
    is_program = status.st_mode & 0o100
    return _Entry(name, path, status.st_size, stat.S_IFREG | (0o755 if is_program else 0o644))


def _zip(entries: list[_Entry]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, _ZIP_EPOCH)
            info.create_system = 3  # Unix, whatever machine packs: the mode below is read as such
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = entry.mode << 16
            with archive.open(info, "w") as packed:
                for block in _blocks(entry):
                    packed.write(block)
    return buffer.getvalue()


def _blocks(entry: _Entry) -> Iterator[bytes]:
    """Read a file block by block, so that only the zip is in memory; refuse a changed size."""
    if entry.target:
        yield entry.target.encode()
        return
    bytes_left = entry.size_bytes
    with entry.path.open("rb") as file:
        while block := file.read(min(bytes_left, _BLOCK_BYTES)):
            bytes_left -= len(block)
            yield block
        if bytes_left or file.read(1):
            raise ArchiveError(
                f"{entry.path} changed while it was packed.", "Run the same command again."
            )


def _largest(entries: list[_Entry]) -> str:
    largest = max(entries, key=lambda entry: entry.size_bytes)
    return f"{largest.name} ({_megabytes(largest.size_bytes)})"


class Limits(msgspec.Struct, frozen=True):
    """Lambda's quotas of a deployment package."""

    direct_bytes: int = MAX_ZIPPED_BYTES
    unzipped_bytes: int = MAX_UNZIPPED_BYTES


def _check_unzipped(source: Path, size_bytes: int, max_bytes: int, largest: str) -> None:
    """Check the size of the content.

    Raises: ArchiveError.
    """
    if size_bytes > max_bytes:
        raise ArchiveError(
            f"{source} is {_megabytes(size_bytes)} unzipped; Lambda takes at most "
            f"{_megabytes(max_bytes)}.",
            f"The largest file is {largest}",
        )


def _check_zipped(source: Path, size_bytes: int, max_bytes: int, largest: str) -> None:
    """Check the size of the zip.

    Raises: ArchiveError.
    """
    if size_bytes > max_bytes:
        raise ArchiveError(
            f"{source} is {_megabytes(size_bytes)} zipped; a direct upload takes at most "
            f"{_megabytes(max_bytes)}.",
            f"The largest file is {largest}{_S3_ADVICE}",
        )


def _megabytes(size_bytes: int) -> str:
    """Write a size in megabytes."""
    return f"{size_bytes / 1024 / 1024:.1f} MB"


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
            # A device or a pipe, such as /dev/null, is not replaced.
            file.write_bytes(archive.data)
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
