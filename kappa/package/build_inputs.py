"""The files that a build reads: watch and serve build again when one of them changes.

They are those of `build_inputs`, by default the config's whole folder without what git ignores.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

from kappa.config.files import expand_home, real_path
from kappa.config.inputs import depends_on, is_collecting, look_again
from kappa.config.model import Config
from kappa.config.tree import Keys, dotted
from kappa.errors import ArchiveError
from kappa.package.files import LEFT_OUT_NAMES, is_by_product
from kappa.package.ignore import GitIgnored, git_ignored
from kappa.package.zip import zip_file

# Installed packages: the lock file beside them is an input.
_INSTALLED = frozenset({"node_modules", ".venv"})
# A folder with more files is not one function's.
_MAX_FILES = 100_000
_ADVICE = "Name the files and folders that the build reads in lambda.build_inputs."


@contextmanager
def watching_inputs(config: Config) -> Iterator[None]:
    """Note the files that a build reads, as they are before it; nothing where nobody watches.

    A file into which the build writes what was in it already has not changed, nor has a folder in
    which it adds or removes files.
    Raises: ConfigError, if one of `build_inputs` matches nothing; ArchiveError, if a file cannot
    be read or there are too many.
    """
    if not is_collecting():
        yield
        return
    try:
        before = {file: _digest(file) for file in input_files(config)}
    except OSError as error:
        raise ArchiveError(f"{error.filename}: {error.strerror}.", _ADVICE) from error
    try:
        yield
    finally:
        look_again(file for file, digest in before.items() if _digest(file) == digest)


def input_files(config: Config, max_files: int = _MAX_FILES) -> set[Path]:
    """List the files that lambda.build reads, and note them for a watch."""
    reader = _Reader(config, max_files)
    files = set(reader.given() if config.function.build_inputs else reader.whole_folder())
    for file in files:
        depends_on(file, "code")
    return files


class _Reader:
    """Lists the files of one config's build."""

    def __init__(self, config: Config, max_files: int) -> None:
        self.config = config
        self.folder = real_path(config.file.parent)
        self.output = real_path(config.beside(config.function.path))
        self.skipped = {real_path(path) for path in (zip_file(config), config.file)} - {self.output}
        self.max_files = max_files

    def whole_folder(self) -> Iterator[Path]:
        """The config's folder without the output; nothing if all of it is packed."""
        if not self.folder.is_relative_to(self.output):
            yield from self._walk(self.folder, self.output, git_ignored(self.folder))

    def given(self) -> Iterator[Path]:
        """The files that `build_inputs` names."""
        for number, pattern in enumerate(self.config.function.build_inputs):
            keys: Keys = ("lambda", "build_inputs", number)
            try:
                files = set(self._matching(pattern))
            except ValueError as error:
                raise self.config.error(keys, f"{dotted(keys)}: {pattern!r}: {error}.") from error
            if not files:
                problem = f"{dotted(keys)}: {pattern} matches no file."
                raise self.config.error(keys, problem, "Correct it, or take it out.")
            yield from files

    def _matching(self, pattern: str) -> Iterator[Path]:
        """The files of a path or glob; those of the output only if it begins in there."""
        path = expand_home(pattern)
        fixed = [*takewhile(lambda part: not glob.has_magic(part), path.parts)]
        start, rest = self.folder.joinpath(*fixed), path.parts[len(fixed) :]
        without = None if real_path(start).is_relative_to(self.output) else self.output
        # A name such as [id].ts is itself before it is a pattern.
        is_name = not rest or os.path.lexists(self.folder / path)
        for match in [self.folder / path] if is_name else start.glob("/".join(rest)):
            depends_on(match.parent, "folders")
            yield from self._walk(match, without)

    def _walk(
        self, top: Path, without: Path | None, ignored: GitIgnored | None = None
    ) -> Iterator[Path]:
        """List the files at a path and below; a folder to which links lead is walked once."""
        skipped = self.skipped | ({without} if without else set())
        to_walk, walked, count = [(top, real_path(top), ignored)], set[Path](), 0
        while to_walk:
            path, real, ignored = to_walk.pop()
            if real in walked or any(real.is_relative_to(other) for other in skipped):
                continue
            if path.is_dir():
                depends_on(path, "folders")
                walked.add(real)
                to_walk += _entries(path, real, ignored and ignored.below(path))
                continue
            count += 1
            if count > self.max_files:
                raise ArchiveError(f"{top} has more than {self.max_files:,} files.", _ADVICE)
            # What is neither, such as a pipe, may never end.
            if path.is_file() or (path.is_symlink() and not path.exists()):
                yield path


def _entries(
    folder: Path, real: Path, ignored: GitIgnored | None
) -> Iterator[tuple[Path, Path, GitIgnored | None]]:
    """List what is in a folder, each with its real path and what git ignores in there."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path, is_folder = folder / entry.name, entry.is_dir()
            is_left_out = entry.name in LEFT_OUT_NAMES | _INSTALLED
            if is_left_out or (not is_folder and is_by_product(entry.name)):
                continue
            if not (ignored and ignored.matches(path, is_folder=is_folder)):
                yield path, real_path(path) if entry.is_symlink() else real / entry.name, ignored


def _digest(file: Path) -> str:
    with suppress(OSError), file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
    return ""
