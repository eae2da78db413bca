"""Select the files for the zip: of the source, its dependencies and the installed packages.

It owns what is left out. It must not read the content of a file.

For files of the same name, a dependency wins over the source, and the source over an installed
package. A symbolic link within the source folder is packed as its target. A link that leads
outside is an error, so that no other file is uploaded by accident.

In node_modules, a link to a folder that is packed too stays a link: pnpm makes such links, and Node
looks for a module's own modules beside the folder to which a link leads.
Sources: pnpm documentation, "Symlinked node_modules structure"; Node.js documentation, "Modules:
CommonJS modules", loading from node_modules folders.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from kappa import texts
from kappa.config.inputs import collecting, depends_on
from kappa.errors import ArchiveError
from kappa.package.ignore import IGNORE_FILE, read_ignored

LEFT_OUT_NAMES = frozenset({"__pycache__", ".git", ".hg", ".DS_Store"})
LEFT_OUT_SUFFIXES = (".pyc", ".pyo")
# What an open editor keeps beside a file: swap files of Vim and Kate, backups, Emacs' locks
# (links that lead nowhere) and copies. They hold what nobody has saved.
# Source: Vim help, "swap-file"; GNU Emacs manual, "Interlocking", "Auto Save Files".
_EDITORS = re.compile(r"\..+\.sw[a-p]|\..+\.kate-swp|.*~|\.#.*|#.*#", re.DOTALL)
# Links to folders can multiply the number of files; no code has as many.
_MAX_ENTRIES = 200_000
# Each lookup walks the whole path, so deeper folders would take long.
_MAX_DEPTH = 100
_LINKED = "node_modules"
# Files of secrets that tools read from a working folder, and that no deployed function should.
_SECRET_FOLDERS = frozenset({".aws", ".ssh"})
_SECRET_FILES = re.compile(
    r"\.env(?!.*\.(?:example|sample|template)$)(?:\..+)?|\.(?:netrc|npmrc|pypirc)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)"
)


class Link(msgspec.Struct, frozen=True):
    """A link in the zip to a folder of it; "" is the top."""

    target: str


class Extras(msgspec.Struct, frozen=True):
    """Additions to the source in the zip, and exclusions from it.

    dependencies: (name in the zip if it is a file, path).
    renamed: (new name, old name).
    source_name: the source's name in the zip, if it is a file; "" keeps its own.
    own_zip: the zip of an earlier run, without links in its path, which is never packed.
    """

    dependencies: Sequence[tuple[str, Path]] = ()
    packages: Path | None = None
    renamed: Sequence[tuple[str, str]] = ()
    excluded_dirs: frozenset[str] = frozenset()
    excluded_files: frozenset[str] = frozenset()
    source_name: str = ""
    own_zip: Path | None = None


class Selected(msgspec.Struct, frozen=True):
    """The files and links by their names in the zip, and which of them packages brought.

    `secrets` are the files that may hold secrets, and so were left out.
    """

    files: Mapping[str, Path | Link]
    installed: frozenset[str]
    secrets: tuple[str, ...]


class _LeftOut:
    """Which names are left out, by the config, .lambdaignore and as secrets, which are listed."""

    def __init__(self, source: Path, extras: Extras) -> None:
        self._extras = extras
        self._ignored = read_ignored(source)
        self.secrets: list[str] = []

    def of_packages(self, name: str) -> bool:
        """Whether a file of an installed package is left out, or a folder, which ends in "/"."""
        return self._is_excluded(name) or bool(self._ignored(name))

    def of_own(self, name: str) -> bool:
        """The same for a file of the user's."""
        if self._is_excluded(name):
            return True
        ignored = self._ignored(name)
        if ignored is None and is_secret(name):
            self.secrets.append(name)
            return True
        return bool(ignored)

    def _is_excluded(self, name: str) -> bool:
        *folders, last = PurePosixPath(name).parts
        if name.endswith("/"):
            folders.append(last)
        elif last in self._extras.excluded_files:
            return True
        return bool(self._extras.excluded_dirs.intersection(folders))


def all_files(source: Path, zipfile_name: str, extras: Extras) -> Selected:
    """Select the files of the zip.

    Raises: ArchiveError, if something does not exist, is not a file, or is a link that leads
    outside.
    """
    if not source.exists():
        raise ArchiveError(f"The source {source} does not exist.", "Set lambda.path.")
    left_out = _LeftOut(source, extras)
    entries: dict[str, Path | Link] = {}
    for name, path in extras.dependencies:
        for inner, file in _entries(path, left_out.of_own).items():
            if extras.own_zip and isinstance(file, Path) and file.resolve() == extras.own_zip:
                continue
            entries.setdefault(name if path.is_file() else inner, file)
    own = _entries(source, left_out.of_own)
    own.pop(zipfile_name, None)
    if extras.source_name and source.is_file():
        own = {extras.source_name: source}
    own.update({new: source / old for new, old in extras.renamed if old in own})
    with collecting(None):  # an installation in the cache never changes
        packages = _entries(extras.packages, left_out.of_packages) if extras.packages else {}
    merged = packages | own | entries
    _check_links(merged)
    installed = frozenset(name for name in packages if merged[name] == packages[name])
    return Selected(merged, installed, tuple(left_out.secrets))


def _check_links(merged: Mapping[str, Path | Link]) -> None:
    """Refuse a link with the name of a folder, which come from different places."""
    links = {name for name, file in merged.items() if isinstance(file, Link)}
    for name in merged if links else ():
        if clash := links.intersection(map(str, PurePosixPath(name).parents)):
            link = min(clash)
            raise ArchiveError(
                f"{link} would be a link and a folder in the zip: {name} is in it.",
                f"Name one of them in {IGNORE_FILE}, or take a dependency out.",
            )


def _entries(source: Path, left_out: Callable[[str], bool]) -> dict[str, Path | Link]:
    if source.is_file():
        depends_on(source, "code")
        return {source.name: source}
    if not source.is_dir():
        problem = "is neither a file nor a folder" if source.exists() else "does not exist"
        raise ArchiveError(f"{source} {problem}.", "Set lambda.path, or lambda.dependencies.")
    return _Walk(source, left_out).all()


def _folders(names: Iterable[str]) -> set[PurePosixPath]:
    return {parent for name in names for parent in PurePosixPath(name).parents}


class _Walk:
    """A walk through a folder that follows links within it."""

    def __init__(
        self, source: Path, left_out: Callable[[str], bool], max_count: int = _MAX_ENTRIES
    ) -> None:
        self.source = source
        self.inside = source.resolve()
        self.left_out = left_out
        self.above: list[Path] = []
        self.count = 0
        self.max_count = max_count
        self.links: list[tuple[str, Path]] = []
        # The names of the folders that are walked, by their real paths.
        self.names: dict[Path, str] = {}

    def all(self) -> dict[str, Path | Link]:
        """Map the names of all files and links in the source to what they are."""
        files: dict[str, Path | Link] = dict(self.folder(self.source, ""))
        filled = _folders(files)
        while self.links:
            name, path = self.links.pop()
            real = path.resolve()
            target, is_loop = self.names.get(real), path.parent.resolve().is_relative_to(real)
            if target is not None and (is_loop or PurePosixPath(target) in filled):
                files[name] = Link(target)
            else:
                copied = dict(self.folder(path, f"{name}/"))
                filled |= _folders(copied)
                files |= copied
        return files

    def folder(self, folder: Path, base: str) -> Iterator[tuple[str, Path]]:
        """List the files in a folder and below it."""
        real = folder.resolve()
        if real in self.above:
            raise ArchiveError(
                f"{folder} is a link to a folder that it is in.", f"Name it in {IGNORE_FILE}."
            )
        if len(self.above) > _MAX_DEPTH:
            raise ArchiveError(f"{self.source} has folders over {_MAX_DEPTH} deep in each other.")
        self.above.append(real)
        depends_on(folder, "folders")
        self.names.setdefault(real, base.removesuffix("/"))
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - names, not paths
            path = folder / name
            is_folder = path.is_dir()
            if self._is_left_out(f"{base}{name}/" if is_folder else f"{base}{name}", path):
                continue
            self._check(path)
            if is_folder and path.is_symlink() and _LINKED in PurePosixPath(base).parts:
                self.links.append((f"{base}{name}", path))
            elif is_folder:
                yield from self.folder(path, f"{base}{name}/")
            else:
                depends_on(path, "code")
                yield f"{base}{name}", path
        self.above.pop()

    def _is_left_out(self, name: str, path: Path) -> bool:
        by_default = path.name in LEFT_OUT_NAMES or (name[-1] != "/" and is_by_product(path.name))
        return by_default or self.left_out(name)

    def _check(self, path: Path) -> None:
        self.count += 1
        if self.count > self.max_count:
            raise ArchiveError(f"{self.source} has more than {self.max_count:,} files.")
        if path.is_symlink():
            check_link(path, self.inside)
        if not (path.is_file() or path.is_dir()):
            raise ArchiveError(f"{as_utf8(str(path))} is neither a file nor a folder.")


def is_by_product(name: str) -> bool:
    """Whether a file of this name is made by Python or an editor, and never packed."""
    return PurePosixPath(name).suffix in LEFT_OUT_SUFFIXES or bool(_EDITORS.fullmatch(name))


def is_secret(name: str) -> bool:
    """Whether a file of this name in the zip, or a folder if it ends in a slash, holds secrets."""
    path = PurePosixPath(name)
    if _LINKED in path.parts:
        return False
    if name.endswith("/"):
        return path.name in _SECRET_FOLDERS
    return bool(_SECRET_FILES.fullmatch(path.name))


def check_link(
    path: Path, inside: Path, hint: str = "Copy what it points to into the folder."
) -> Path:
    """Return the target of a link, which must be in the folder `inside`.

    `inside` must not have links in its path. `hint` is for a link that leads outside.
    Raises: ArchiveError.
    """
    name = texts.shown(str(path))
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        # It points to itself or to a missing file.
        target_name = texts.shown(str(path.readlink()))
        raise ArchiveError(
            f"{name} is a link to {target_name}, which leads nowhere.", "Remove it."
        ) from error
    if not target.is_relative_to(inside):
        target_name = texts.shown(str(target))
        raise ArchiveError(
            f"{name} is a link to {target_name}, which is not inside of {inside}.", hint
        )
    return target


def as_utf8(path: str) -> str:
    """Write a file's name as text, even if it is not UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")
