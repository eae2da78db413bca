"""Files of patterns as git has them: .lambdaignore, and the .gitignore files of a folder.

No git is started: a folder needs no repository to have either.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kappa.config.inputs import depends_on
from kappa.errors import ArchiveError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".lambdaignore"
_GIT_FILE = ".gitignore"


def read_ignored(folder: Path) -> Callable[[str], bool | None]:
    """Read a folder's .lambdaignore; return a function that looks a name of the zip up in it.

    It returns None for a name that no pattern matches, False for one that begins with `!`.
    Raises: ArchiveError, if a line is not a pattern or the file is not text.
    """
    file = folder / IGNORE_FILE
    if not file.is_file():
        return lambda _: None
    patterns = read_patterns(file, f"/{IGNORE_FILE}")
    return lambda name: patterns.check_file(name).include


def read_patterns(file: Path, *more: str) -> GitIgnoreSpec:
    """Read a file of patterns, and add `more`.

    Raises: ArchiveError, if a line is not a pattern or the file is not text.
    """
    import pathspec

    depends_on(file, "code")
    try:
        lines = file.read_text("utf-8-sig").splitlines()
        return pathspec.GitIgnoreSpec.from_lines([*lines, *more])
    except ValueError as error:
        raise ArchiveError(f"{file}: {error}.", "It is written as .gitignore is.") from error


class GitIgnored(msgspec.Struct, frozen=True):
    """The .gitignore files that apply to a folder, each with its own folder, the deepest last."""

    files: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    def below(self, folder: Path) -> GitIgnored:
        """The same with the .gitignore of a folder in this one, if it has one.

        Raises: ArchiveError, if it cannot be read.
        """
        file = folder / _GIT_FILE
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
