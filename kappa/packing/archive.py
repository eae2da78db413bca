"""Pack a source file or folder into a reproducible zip; the same source gives the same bytes.

Owns how a deployment package is made of its files: which these are is files.py's. It must
not ask AWS anything or write a file.
"""

from __future__ import annotations

import base64
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kappa.errors import ArchiveError
from kappa.packing.files import Extras, all_files, shown

# AWS Lambda guide, "Lambda quotas": deployment package of a direct upload, and unzipped.
MAX_ZIPPED_BYTES = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
S3_ADVICE = "Set lambda.s3_bucket: kappa then uploads through this bucket."
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_BLOCK_BYTES = 1 << 20
# What reading a zip raises that is damaged, encrypted or packed as Python cannot read it.
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


@dataclass(frozen=True)
class Archive:
    """A deployment package in memory. `sha256` is written as Lambda's CodeSha256 is.

    `installed` are the names of the files that come from installed packages.
    """

    data: bytes
    sha256: str
    names: tuple[str, ...]
    unzipped_bytes: int
    installed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Entry:
    """A file to pack, as it was when the limits were checked."""

    name: str
    path: Path
    size_bytes: int
    is_program: bool


def pack(
    source: Path,
    zipfile_name: str = "",
    max_zipped_bytes: int = MAX_ZIPPED_BYTES,
    extras: Extras | None = None,
    max_unzipped_bytes: int = MAX_UNZIPPED_BYTES,
) -> Archive:
    """Zip a file or a folder's content; `zipfile_name` of an old run is left out.

    Raises: ArchiveError, if there is nothing to pack, it is too large, cannot be read, or a link
    leads outside.
    """
    try:
        return _pack(source, zipfile_name, max_zipped_bytes, extras or Extras(), max_unzipped_bytes)
    except OSError as error:
        named = f"{shown(str(error.filename))}: " if error.filename else ""
        raise ArchiveError(f"{named}{error.strerror or error}.") from error


def _pack(
    source: Path, zipfile_name: str, max_zipped_bytes: int, extras: Extras, max_unzipped_bytes: int
) -> Archive:
    paths, installed = all_files(source, zipfile_name, extras)
    entries = [_entry(name, path) for name, path in sorted(paths.items())]
    if not entries:
        raise ArchiveError(f"The folder {source} has no file to pack.", "Set lambda.path.")
    unzipped_bytes = sum(entry.size_bytes for entry in entries)
    check_unzipped(source, unzipped_bytes, max_unzipped_bytes, f"{_largest(entries)}.")
    data = _zip(entries)
    check_zipped(source, len(data), max_zipped_bytes, f"{_largest(entries)}. ")
    names = tuple(entry.name for entry in entries)
    return Archive(data, sha256_of(data), names, unzipped_bytes, installed)


def check_unzipped(source: Path, size_bytes: int, max_bytes: int, largest: str) -> None:
    """Check how much the code is unzipped.

    Raises: ArchiveError.
    """
    if size_bytes > max_bytes:
        raise ArchiveError(
            f"{source} is {_mib(size_bytes)} unzipped; Lambda takes at most {_mib(max_bytes)}.",
            f"The largest file is {largest}",
        )


def check_zipped(source: Path, size_bytes: int, max_bytes: int, largest: str) -> None:
    """Check how much the zip is.

    Raises: ArchiveError.
    """
    if size_bytes > max_bytes:
        raise ArchiveError(
            f"{source} is {_mib(size_bytes)} zipped; a direct upload takes at most "
            f"{_mib(max_bytes)}.",
            f"The largest file is {largest}{S3_ADVICE}",
        )


def sizes(archive: Archive) -> dict[str, int]:
    """Say how large each file in the zip is, unzipped."""
    with zipfile.ZipFile(io.BytesIO(archive.data)) as packed:
        files = (info for info in packed.infolist() if not info.is_dir())
        return {info.filename: info.file_size for info in files}


def sha256_of(data: bytes) -> str:
    """The base64 SHA-256 that Lambda reports as CodeSha256."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _entry(name: str, path: Path) -> _Entry:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ArchiveError(
            f"{shown(str(path))}: the file's name is not UTF-8.", "Rename it."
        ) from error
    stat = path.stat()
    return _Entry(name, path, stat.st_size, bool(stat.st_mode & 0o100))


def _zip(entries: list[_Entry]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, _ZIP_EPOCH)
            info.create_system = 3  # Unix, whatever machine packs: the mode below is read as such
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if entry.is_program else 0o100644) << 16
            with archive.open(info, "w") as packed:
                for block in _blocks(entry):
                    packed.write(block)
    return buffer.getvalue()


def _blocks(entry: _Entry) -> Iterator[bytes]:
    """Read a file block by block, no more of it than was checked: only the zip is in memory."""
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
    return f"{largest.name} ({_mib(largest.size_bytes)})"


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 1024 / 1024:.1f} MB"
