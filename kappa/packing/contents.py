"""Whose a file in a zip is: the function's own, or a package's.

Owns how packages are recognised in a zip that anybody may have made: by their `.dist-info`.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator

from kappa.packing.archive import UNREADABLE

_MAX_BYTES = 10_000
_INFO = re.compile(r"^(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/")


def packages(data: bytes, installed: Iterable[str] = ()) -> dict[str, str]:
    """Name the package of each file that belongs to one; `installed` are files known to.

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
    found = (_INFO.match(name) for name in names)
    return {
        one[0].rstrip("/"): f"{one['name'].replace('_', '-')} {one['version']}"
        for one in found
        if one
    }


def _tops(archive: zipfile.ZipFile, folder: str, package: str) -> Iterator[str]:
    """What lies at the top of the zip for a package: as it says, else what is called as it is."""
    name = package.rpartition(" ")[0].replace("-", "_")
    try:
        info = archive.getinfo(f"{folder}/top_level.txt")
        text = archive.read(info) if info.file_size < _MAX_BYTES else b""
        yield from text.decode("utf-8", "replace").split()
    except (KeyError, *UNREADABLE):
        yield name
    yield f"{name}.libs"


def _top(name: str) -> str:
    """A file's folder at the top of the zip; of a module there, its name."""
    first, slash, _ = name.partition("/")
    return first if slash else first.removesuffix(".py")
