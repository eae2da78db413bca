"""Which files go into the zip: of the source, of its dependencies, of the installed packages.

Owns what is left out. It must not read the content of a file.

If two of them give a file of the same name, the first of these is packed: a dependency, the source,
an installed package.

Symbolic links: one that stays inside of the source folder is packed as what it leads to; one that
leads outside is an error, so that no foreign file is uploaded unseen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kappa import texts
from kappa.errors import ArchiveError
from kappa.packing.ignore_file import IGNORE_FILE, read_ignored

LEFT_OUT_NAMES = frozenset({"__pycache__", ".git", ".hg", ".DS_Store"})
LEFT_OUT_SUFFIXES = (".pyc", ".pyo")
# Links to folders can double what there is at each step: no code has as many files.
_MAX_ENTRIES = 200_000
# Nor are folders as deep in each other: each is looked up along the whole path.
_MAX_DEPTH = 100


@dataclass(frozen=True)
class Extras:
    """What goes into the zip beside the source, and what of the source does not.

    Shape: dependencies are (name in the zip if it is a file, path); renamed are (new, old).
    `source_name` is the source's name in the zip if it is a file, else it keeps its own.
    `own_zip` is the zip of the run before, with no link in its path: no dependency brings it.
    """

    dependencies: Sequence[tuple[str, Path]] = ()
    packages: Path | None = None
    renamed: Sequence[tuple[str, str]] = ()
    excluded_dirs: frozenset[str] = frozenset()
    excluded_files: frozenset[str] = frozenset()
    source_name: str = ""
    own_zip: Path | None = None


def all_files(
    source: Path, zipfile_name: str, extras: Extras
) -> tuple[dict[str, Path], frozenset[str]]:
    """Name every file to pack, and which of them are an installed package's.

    Raises: ArchiveError, if something is not there, is no file, or is a link that leads outside.
    """
    if not source.exists():
        raise ArchiveError(f"The source {source} does not exist.", "Set lambda.path.")
    ignored = read_ignored(source)

    def left_out(name: str) -> bool:
        *folders, last = PurePosixPath(name).parts
        if name.endswith("/"):
            folders.append(last)
        elif last in extras.excluded_files:
            return True
        return bool(extras.excluded_dirs.intersection(folders)) or ignored(name)

    entries: dict[str, Path] = {}
    for name, path in extras.dependencies:
        for inner, file in _entries(path, left_out):
            if extras.own_zip and file.resolve() == extras.own_zip:
                continue
            entries.setdefault(name if path.is_file() else inner, file)
    own = {n: f for n, f in _entries(source, left_out) if not zipfile_name or n != zipfile_name}
    if extras.source_name and source.is_file():
        own = {extras.source_name: source}
    own.update({new: source / old for new, old in extras.renamed if old in own})
    packages = dict(_entries(extras.packages, left_out)) if extras.packages else {}
    merged = packages | own | entries
    return merged, frozenset(name for name in packages if merged[name] == packages[name])


def _entries(source: Path, left_out: Callable[[str], bool]) -> Iterator[tuple[str, Path]]:
    if source.is_file():
        yield source.name, source
        return
    if not source.is_dir():
        problem = "is neither a file nor a folder" if source.exists() else "does not exist"
        raise ArchiveError(f"{source} {problem}.", "Set lambda.path, or lambda.dependencies.")
    yield from _Walk(source, left_out).folder(source, "")


@dataclass
class _Walk:
    """A way through a folder, along the links that stay inside of it."""

    source: Path
    left_out: Callable[[str], bool]
    above: list[Path] = field(default_factory=list)
    count: int = 0
    max_count: int = _MAX_ENTRIES

    def __post_init__(self) -> None:
        self.inside = self.source.resolve()

    def folder(self, folder: Path, base: str) -> Iterator[tuple[str, Path]]:
        """Name the files in a folder and below it."""
        real = folder.resolve()
        if real in self.above:
            raise ArchiveError(
                f"{folder} is a link to a folder that it is in.", f"Name it in {IGNORE_FILE}."
            )
        if len(self.above) > _MAX_DEPTH:
            raise ArchiveError(f"{self.source} has folders over {_MAX_DEPTH} deep in each other.")
        self.above.append(real)
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - names, not paths
            path = folder / name
            is_folder = path.is_dir()
            if self._is_left_out(f"{base}{name}/" if is_folder else f"{base}{name}", path):
                continue
            self._check(path)
            if is_folder:
                yield from self.folder(path, f"{base}{name}/")
            else:
                yield f"{base}{name}", path
        self.above.pop()

    def _is_left_out(self, name: str, path: Path) -> bool:
        usual = path.name in LEFT_OUT_NAMES or (
            name[-1] != "/" and path.suffix in LEFT_OUT_SUFFIXES
        )
        return usual or self.left_out(name)

    def _check(self, path: Path) -> None:
        self.count += 1
        if self.count > self.max_count:
            raise ArchiveError(f"{self.source} has more than {self.max_count:,} files.")
        if path.is_symlink():
            check_link(path, self.inside)
        if not (path.is_file() or path.is_dir()):
            raise ArchiveError(f"{shown(str(path))} is neither a file nor a folder.")


def check_link(
    path: Path, inside: Path, hint: str = "Copy what it points to into the folder."
) -> Path:
    """Return where a link leads: inside of a folder, which is given without links in its path.

    `hint` is for a link that leads out of it. Raises: ArchiveError.
    """
    name = texts.shown(str(path))
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        # It is a link to itself, or to what is not there.
        leads = texts.shown(str(path.readlink()))
        raise ArchiveError(
            f"{name} is a link to {leads}, which leads nowhere.", "Remove it."
        ) from error
    if not target.is_relative_to(inside):
        leads = texts.shown(str(target))
        raise ArchiveError(f"{name} is a link to {leads}, which is not inside of {inside}.", hint)
    return target


def shown(path: str) -> str:
    """Write a file's name, whatever bytes it has."""
    return os.fsencode(path).decode("utf-8", "replace")
