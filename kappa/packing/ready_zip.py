"""Take a zip that somebody has packed already: it is checked, and uploaded byte for byte.

Owns what such a zip must be. How kappa packs is archive.py's.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

from kappa.errors import ArchiveError
from kappa.packing.archive import UNREADABLE, Archive, check_unzipped, check_zipped, sha256_of

# Source: AWS Lambda guide, "Deploy Java Lambda functions with .zip or JAR file archives".
SUFFIXES = frozenset({".zip", ".jar"})


def read_zip(file: Path, max_zipped_bytes: int, max_unzipped_bytes: int) -> Archive:
    """Read a zip as it is.

    Raises: ArchiveError, if it is no zip, damaged, encrypted, empty or too large, or if a name in
    it leads outside.
    """
    try:
        check_zipped(file, file.stat().st_size, max_zipped_bytes, "the zip itself. ")
        with file.open("rb") as opened:
            data = opened.read(max_zipped_bytes + 1)
    except OSError as error:
        raise ArchiveError(f"{file}: {error.strerror or error}.", "Set lambda.path.") from error
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _checked(file, data, archive, max_unzipped_bytes)
    except UNREADABLE as error:
        raise ArchiveError(f"{file} is not a zip that Lambda can read: {error}.") from error


def _checked(file: Path, data: bytes, archive: zipfile.ZipFile, max_bytes: int) -> Archive:
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
        raise ArchiveError(f"{file} is damaged: {damaged} is not what it was.", "Pack it again.")
    names = tuple(sorted({info.filename for info in infos}))
    return Archive(data, sha256_of(data), names, size_bytes)
