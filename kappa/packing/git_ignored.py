"""Which files git ignores, by the .gitignore files from the repository's top down to each folder.

It starts no git: a folder needs no repository to have a .gitignore.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kappa.packing.ignore_file import read_patterns

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_FILE = ".gitignore"


class GitIgnored(msgspec.Struct, frozen=True):
    """The .gitignore files that apply to a folder, each with its own folder, the deepest last."""

    files: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    def below(self, folder: Path) -> GitIgnored:
        """The same with the .gitignore of a folder in this one, if it has one.

        Raises: ArchiveError, if it cannot be read.
        """
        file = folder / _FILE
        if not file.is_file():
            return self
        return GitIgnored((*self.files, (folder, read_patterns(file))))

    def matches(self, path: Path, *, is_folder: bool) -> bool:
        """Whether a path is ignored: of the patterns that match, the last in the deepest wins."""
        for folder, patterns in reversed(self.files):
            name = path.relative_to(folder).as_posix() + ("/" if is_folder else "")
            ignored = patterns.check_file(name).include
            if ignored is not None:
                return ignored
        return False


def git_ignored(folder: Path) -> GitIgnored:
    """Read the .gitignore files above a folder, up to the top of its repository.

    The folder's own is read where one walks into it. Raises: ArchiveError.
    """
    above = list(folder.parents)
    top = next((i for i, parent in enumerate(above) if (parent / ".git").exists()), None)
    ignored = GitIgnored()
    if top is None or (folder / ".git").exists():
        return ignored
    for parent in reversed(above[: top + 1]):
        ignored = ignored.below(parent)
    # Where git ignores the folder as a whole, that is no reason to leave out any of its files.
    return GitIgnored() if ignored.matches(folder, is_folder=True) else ignored
