"""The zip in memory, packed from files or read from an existing zip.

The same source gives the same bytes. files.py selects the files. This module must not call AWS or
write a file.
"""

from __future__ import annotations

import base64
import hashlib
import io
import lzma
import posixpath
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from kappa.config.inputs import depends_on
from kappa.errors import ArchiveError
from kappa.packing.files import Extras, Link, all_files, as_utf8
from kappa.packing.ignore_file import IGNORE_FILE
from kappa.packing.limits import (
    MAX_UNZIPPED_BYTES,
    MAX_ZIPPED_BYTES,
    check_unzipped,
    check_zipped,
    megabytes,
)

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
    check_unzipped(source, unzipped_bytes, max_unzipped_bytes, f"{_largest(entries)}.")
    data = _zip(entries)
    check_zipped(source, len(data), max_zipped_bytes, f"{_largest(entries)}. ")
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
        check_zipped(file, file.stat().st_size, max_zipped_bytes, "the zip itself. ")
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
    check_unzipped(file, size_bytes, max_bytes, f"{largest}.")
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
    return f"{largest.name} ({megabytes(largest.size_bytes)})"
