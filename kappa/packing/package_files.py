"""Tell files of installed packages in a zip from the function's own.

It recognizes packages by their `.dist-info` folders, since anyone may have made the zip.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator

from kappa.packing.archive import UNREADABLE

_MAX_BYTES = 10_000
_INFO = re.compile(r"^(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/")


def package_by_file(data: bytes, installed: Iterable[str] = ()) -> dict[str, str]:
    """The package of each file that belongs to one; files in `installed` always do.

    Raises: BadZipFile.
    Source: Python packaging guide, "Binary distribution format": The .dist-info directory.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        owners: dict[str, str] = {}
        for folder, package in _infos(names).items():
            for top in (folder, *_tops(archive, folder, package)):
                owners[top.lower()] = package
    belongs = {name: owners.get(_top(name).lower()) for name in names}
    known = set(installed)
    return {
        name: owner or _top(name)
        for name, owner in belongs.items()
        if owner is not None or name in known
    }


def _infos(names: list[str]) -> dict[str, str]:
    matches = (_INFO.match(name) for name in names)
    return {
        match[0].rstrip("/"): f"{match['name'].replace('_', '-')} {match['version']}"
        for match in matches
        if match
    }


def _tops(archive: zipfile.ZipFile, folder: str, package: str) -> Iterator[str]:
    """A package's top-level names in the zip: those that it lists, else its own name."""
    name = package.rpartition(" ")[0].replace("-", "_")
    try:
        info = archive.getinfo(f"{folder}/top_level.txt")
        text = archive.read(info) if info.file_size < _MAX_BYTES else b""
        yield from text.decode("utf-8", "replace").split()
    except (KeyError, *UNREADABLE):
        yield name
    yield f"{name}.libs"


def _top(name: str) -> str:
    """A file's top-level folder in the zip, or the module's name if it is in none."""
    first, slash, _ = name.partition("/")
    return first if slash else first.removesuffix(".py")
