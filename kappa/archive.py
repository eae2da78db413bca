"""Pack a source file or folder into a reproducible zip; the same source gives the same bytes.

Owns what goes into a deployment package. It must not ask AWS anything or write a file.

Where two give a file of one name, the first of these is packed: a dependency, the source, an
installed package.

Symbolic links: one to a file inside the source folder is packed as that file; one to a folder,
or to anything outside of the source, is an error, so that no foreign file is uploaded unseen.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kappa.errors import ArchiveError

# AWS Lambda guide, "Lambda quotas": deployment package of a direct upload, and unzipped.
MAX_ZIPPED_BYTES = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
LEFT_OUT_NAMES = frozenset({"__pycache__", ".git", ".DS_Store"})
LEFT_OUT_SUFFIXES = (".pyc", ".pyo")
IGNORE_FILE = ".lambdaignore"
S3_ADVICE = "Set lambda.s3_bucket: kappa then uploads through this bucket."
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Archive:
    """A deployment package in memory. `sha256` is written as Lambda's CodeSha256 is."""

    data: bytes
    sha256: str
    names: tuple[str, ...]
    unzipped_bytes: int


@dataclass(frozen=True)
class Extras:
    """What goes into the zip beside the source, and what of the source does not.

    Shape: dependencies are (name in the zip if it is a file, path); renamed are (new, old).
    """

    dependencies: Sequence[tuple[str, Path]] = ()
    packages: Path | None = None
    renamed: Sequence[tuple[str, str]] = ()
    excluded_dirs: frozenset[str] = frozenset()


def pack(
    source: Path,
    zipfile_name: str = "",
    max_zipped_bytes: int = MAX_ZIPPED_BYTES,
    extras: Extras | None = None,
    max_unzipped_bytes: int = MAX_UNZIPPED_BYTES,
) -> Archive:
    """Zip a file or a folder's content; `zipfile_name` of an old run is left out.

    Raises: ArchiveError, if there is nothing to pack, it is too large or a link leads outside.
    """
    entries = sorted(_all_entries(source, zipfile_name, extras or Extras()).items())
    if not entries:
        raise ArchiveError(f"The folder {source} has no file to pack.", "Set lambda.path.")
    unzipped_bytes = sum(path.stat().st_size for _, path in entries)
    if unzipped_bytes > max_unzipped_bytes:
        raise ArchiveError(
            f"{source} is {_mib(unzipped_bytes)} unzipped; Lambda takes at most "
            f"{_mib(max_unzipped_bytes)}.",
            f"The largest file is {_largest(entries)}.",
        )
    data = _zip(entries)
    if len(data) > max_zipped_bytes:
        raise ArchiveError(
            f"{source} is {_mib(len(data))} zipped; a direct upload takes at most "
            f"{_mib(max_zipped_bytes)}.",
            f"The largest file is {_largest(entries)}. {S3_ADVICE}",
        )
    return Archive(data, sha256_of(data), tuple(name for name, _ in entries), unzipped_bytes)


def sizes(archive: Archive) -> dict[str, int]:
    """Say how large each file in the zip is, unzipped."""
    with zipfile.ZipFile(io.BytesIO(archive.data)) as packed:
        return {info.filename: info.file_size for info in packed.infolist()}


def sha256_of(data: bytes) -> str:
    """The base64 SHA-256 that Lambda reports as CodeSha256."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _all_entries(source: Path, zipfile_name: str, extras: Extras) -> dict[str, Path]:
    if not source.exists():
        raise ArchiveError(f"The source {source} does not exist.", "Set lambda.path.")
    ignored = _read_ignored(source)

    def left_out(name: str) -> bool:
        parts = PurePosixPath(name).parts
        in_dirs = extras.excluded_dirs.intersection(parts[:-1] if name[-1] != "/" else parts)
        return bool(in_dirs) or ignored(name)

    entries: dict[str, Path] = {}
    for name, path in extras.dependencies:
        for inner, file in _entries(path, left_out):
            entries.setdefault(name if path.is_file() else inner, file)
    own = {n: f for n, f in _entries(source, left_out) if not zipfile_name or n != zipfile_name}
    own.update({new: source / old for new, old in extras.renamed if old in own})
    packages = dict(_entries(extras.packages, left_out)) if extras.packages else {}
    return packages | own | entries


def _read_ignored(source: Path) -> Callable[[str], bool]:
    """Read .lambdaignore, in gitignore's syntax; the names that it sees are those in the zip."""
    file = source / IGNORE_FILE
    if not file.is_file():
        return lambda _: False
    import pathspec

    try:
        lines = file.read_text("utf-8").splitlines()
        spec = pathspec.GitIgnoreSpec.from_lines([*lines, f"/{IGNORE_FILE}"])
    except ValueError as error:
        raise ArchiveError(f"{file}: {error}.", "It is written as .gitignore is.") from error
    return spec.match_file


def _entries(source: Path, left_out: Callable[[str], bool]) -> Iterator[tuple[str, Path]]:
    if source.is_file():
        yield source.name, source
        return
    if not source.is_dir():
        raise ArchiveError(f"The dependency {source} does not exist.", "Set lambda.dependencies.")
    inside = source.resolve()
    for folder, folders, files in os.walk(source):
        base = "" if Path(folder) == source else Path(folder).relative_to(source).as_posix() + "/"
        folders[:] = sorted(
            name
            for name in folders
            if name not in LEFT_OUT_NAMES and not left_out(f"{base}{name}/")
        )
        for name in folders:
            _refuse_link(Path(folder, name), inside)
        for name in files:
            path = Path(folder, name)
            usual = name in LEFT_OUT_NAMES or path.suffix in LEFT_OUT_SUFFIXES
            if not usual and not left_out(base + name):
                _refuse_link(path, inside)
                yield base + name, path


def _refuse_link(path: Path, inside: Path) -> None:
    if not path.is_symlink():
        if not (path.is_file() or path.is_dir()):
            raise ArchiveError(f"{path} is neither a file nor a folder.")
        return
    target = path.resolve()
    if target.is_file() and target.is_relative_to(inside):
        return
    raise ArchiveError(
        f"{path} is a link to {target}, which is not a file inside of {inside}.",
        "Copy what it points to into the folder.",
    )


def _zip(entries: list[tuple[str, Path]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, path in entries:
            info = zipfile.ZipInfo(name, _ZIP_EPOCH)
            info.create_system = 3  # Unix, whatever machine packs: the mode below is read as such
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = _mode(path) << 16
            # block by block: of all this only the zip is in memory, and once
            with path.open("rb") as file, archive.open(info, "w") as packed:
                shutil.copyfileobj(file, packed, _BLOCK_BYTES)
    return buffer.getvalue()


def _mode(path: Path) -> int:
    return 0o100755 if path.stat().st_mode & 0o100 else 0o100644


def _largest(entries: list[tuple[str, Path]]) -> str:
    name, path = max(entries, key=lambda entry: entry[1].stat().st_size)
    return f"{name} ({_mib(path.stat().st_size)})"


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 1024 / 1024:.1f} MB"
