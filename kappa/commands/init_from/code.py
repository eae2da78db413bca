"""The code of an existing function: its zip, as the files of a folder. Pure: it writes nothing.

What packing leaves out is left out on the way back too. Owns which files of a stranger's zip are
not worth having; that no name leads outside of the folder is commands/init.py's.
"""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Set
from pathlib import PurePosixPath

import msgspec

from kappa.errors import ArchiveError
from kappa.package.files import LEFT_OUT_NAMES, is_by_product, is_secret
from kappa.package.ignore import IGNORE_FILE
from kappa.package.zip import MAX_UNZIPPED_BYTES, UNREADABLE

FOLDER = "code"
_LEFT_OUT = {name.casefold() for name in LEFT_OUT_NAMES}
# A folder with these three is a git repository by itself: git reads its config, and runs what
# that names, whoever types `git status` in it.
# Source: git documentation, "gitrepository-layout".
_REPOSITORY = ("head", "objects", "refs")


class Code(msgspec.Struct, frozen=True):
    """Files by path, which of them are programs, and the names in the zip that were left out."""

    files: Mapping[str, bytes]
    programs: Set[str] = frozenset()
    left_out: tuple[str, ...] = ()


def unzipped(data: bytes) -> Code:
    """Read the files of a function's zip.

    Raises: ArchiveError, if it is broken, too large, or holds a link.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            infos = [info for info in packed.infolist() if not info.is_dir()]
            _check(infos)
            left_out = _left_out([info.filename for info in infos])
            kept = [info for info in infos if info.filename not in left_out]
            files = {_path(info.filename): packed.read(info) for info in kept}
    except UNREADABLE as error:
        raise ArchiveError(f"The function's zip cannot be read: {error}.") from error
    programs = (_path(info.filename) for info in kept if info.external_attr >> 16 & 0o100)
    return Code(files, frozenset(programs), tuple(sorted(left_out)))


def _path(name: str) -> str:
    """Where a file of the zip goes: names in it may begin with `./` or `/`, or have `//`."""
    return str(PurePosixPath(f"{FOLDER}/{name}"))


def _check(infos: Iterable[zipfile.ZipInfo]) -> None:
    if sum(info.file_size for info in infos) > MAX_UNZIPPED_BYTES:
        raise ArchiveError("The function's zip is larger than Lambda allows.")
    links = [info.filename for info in infos if stat.S_ISLNK(info.external_attr >> 16)]
    if links:
        raise ArchiveError(f"The function's zip holds a symbolic link: {links[0]}.")


def _left_out(names: Iterable[str]) -> set[str]:
    plain = {name: _plain(name) for name in names}
    folders = {folder for path in plain.values() for folder in path.parents}
    return {
        name
        for name, path in plain.items()
        if name == IGNORE_FILE or _usual(path) or _opens_repository(path, folders)
    }


def _plain(name: str) -> PurePosixPath:
    """A name as macOS compares it: whatever its case, without its invisible characters."""
    shown = "".join(char for char in name if unicodedata.category(char) != "Cf")
    return PurePosixPath(unicodedata.normalize("NFC", shown).casefold())


def _usual(path: PurePosixPath) -> bool:
    if not _LEFT_OUT.isdisjoint(path.parts) or is_by_product(path.name):
        return True
    return is_secret(str(path)) or any(is_secret(f"{folder}/") for folder in path.parents)


def _opens_repository(path: PurePosixPath, folders: Set[PurePosixPath]) -> bool:
    head, *others = _REPOSITORY
    return path.name == head and all(path.parent / other in folders for other in others)
