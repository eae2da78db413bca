"""The files that decide whether lambda.build runs again, each with a digest of its content.

It owns which files a build reads: those of `build_inputs`, by default the config's whole folder
without what git ignores; and that `lambda.path` is what it makes. It must not run anything.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from pathlib import Path

import msgspec

from kappa.config.files import expand_home, real_path
from kappa.config.inputs import depends_on
from kappa.config.model import Config
from kappa.config.tree import Keys, dotted
from kappa.errors import ArchiveError
from kappa.packing.cache import cache_folder
from kappa.packing.files import LEFT_OUT_NAMES, is_by_product
from kappa.packing.git_ignored import GitIgnored, git_ignored
from kappa.packing.write_zip import zip_file

# Installed packages: the lock file beside them is an input.
_INSTALLED = frozenset({"node_modules", ".venv"})
# A folder with more files is not one function's.
_MAX_FILES = 100_000
_ADVICE = "Name the files and folders that the build reads in lambda.build_inputs."


class BuildFiles(msgspec.Struct, frozen=True):
    """What a build reads and what it made: digests by path, relative to the config's folder.

    With `build_inputs` the digests of `made` are empty, since lambda.path may also hold files that
    are written by hand and are no inputs. If the whole folder is packed, both are the same.
    """

    read: Mapping[str, str]
    made: Mapping[str, str]


def output_of(config: Config) -> Path:
    """What a build makes: lambda.path, without links in its path."""
    return real_path(config.beside(config.function.path))


def read_build_files(config: Config, max_files: int = _MAX_FILES) -> BuildFiles:
    """Read the files of lambda.build as they are now.

    Raises: ConfigError, if one of `build_inputs` matches nothing; ArchiveError, if a file cannot
    be read or there are too many.
    """
    reader = _Reader(config, max_files)
    try:
        return reader.given() if config.function.build_inputs else reader.whole_folder()
    except OSError as error:
        raise ArchiveError(
            f"{error.filename}: {error.strerror}, so kappa cannot know whether to build.", _ADVICE
        ) from error


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Name the first file that differs and how; "" if none does."""
    for name in sorted({*before, *after}):
        if name not in after:
            return f"{name} is gone"
        if before.get(name) != after[name]:
            return f"{name} changed" if name in before else f"{name} is new"
    return ""


class _Reader:
    """Reads the files of one config's build."""

    def __init__(self, config: Config, max_files: int) -> None:
        self.config = config
        self.folder = real_path(config.file.parent)
        self.output = output_of(config)
        # Of the config, only the keys that the build depends on are compared. A cache may be here.
        own = (zip_file(config), config.file, cache_folder())
        self.skipped = {real_path(path) for path in own} - {self.output}
        self.max_files = max_files

    def whole_folder(self) -> BuildFiles:
        """The config's folder. If it is packed itself, all of it is read and made."""
        made = self._digests(self._files(self.output))
        if self.folder.is_relative_to(self.output):
            return BuildFiles(made, made)
        ignored = git_ignored(self.folder)
        return BuildFiles(self._digests(self._inputs(self.folder, self.output, ignored)), made)

    def given(self) -> BuildFiles:
        """The files that `build_inputs` names."""
        read: set[Path] = set()
        for number, pattern in enumerate(self.config.function.build_inputs):
            keys: Keys = ("lambda", "build_inputs", number)
            try:
                files = set(self._matching(pattern))
            except ValueError as error:
                raise self.config.error(keys, f"{dotted(keys)}: {pattern!r}: {error}.") from error
            if not files:
                problem = f"{dotted(keys)}: {pattern} matches no file."
                raise self.config.error(keys, problem, "Correct it, or take it out.")
            read |= files
        made = {self._name(file): "" for file in self._files(self.output)}
        return BuildFiles(self._digests(read), made)

    def _matching(self, pattern: str) -> Iterator[Path]:
        """The files of a path or glob; those of the output only if it begins in there."""
        path = expand_home(pattern)
        fixed = [*takewhile(lambda part: not glob.has_magic(part), path.parts)]
        start, rest = self.folder.joinpath(*fixed), path.parts[len(fixed) :]
        without = None if real_path(start).is_relative_to(self.output) else self.output
        # A name such as [id].ts is itself before it is a pattern.
        is_name = not rest or os.path.lexists(self.folder / path)
        for match in [self.folder / path] if is_name else start.glob("/".join(rest)):
            yield from self._inputs(match, without)

    def _inputs(
        self, top: Path, without: Path | None, ignored: GitIgnored | None = None
    ) -> Iterator[Path]:
        skipped = self.skipped | ({without} if without else set())
        depends_on(top.parent, "folders")
        for file in self._walk(top, skipped, LEFT_OUT_NAMES | _INSTALLED, ignored):
            depends_on(file, "code")
            depends_on(file.parent, "folders")
            yield file

    def _files(self, top: Path) -> Iterator[Path]:
        return self._walk(top, self.skipped, LEFT_OUT_NAMES)

    def _walk(
        self,
        top: Path,
        skipped: set[Path],
        left_out: frozenset[str],
        ignored: GitIgnored | None = None,
    ) -> Iterator[Path]:
        """List the files at a path and below; a folder to which links lead is walked once."""
        to_walk, walked, count = [(top, real_path(top), ignored)], set[Path](), 0
        while to_walk:
            path, real, ignored = to_walk.pop()
            if real in walked or any(real.is_relative_to(other) for other in skipped):
                continue
            if path.is_dir():
                walked.add(real)
                to_walk += _entries(path, real, left_out, ignored and ignored.below(path))
                continue
            count += 1
            if count > self.max_files:
                raise ArchiveError(f"{top} has more than {self.max_files:,} files.", _ADVICE)
            # What is neither, such as a pipe, may never end.
            if path.is_file() or (path.is_symlink() and not path.exists()):
                yield path

    def _digests(self, files: Iterable[Path]) -> dict[str, str]:
        return {self._name(file): _digest(file) for file in files}

    def _name(self, file: Path) -> str:
        return os.fsencode(os.path.relpath(file, self.folder)).decode("utf-8", "backslashreplace")


def _entries(
    folder: Path, real: Path, left_out: frozenset[str], ignored: GitIgnored | None
) -> Iterator[tuple[Path, Path, GitIgnored | None]]:
    """List what is in a folder, each with its real path and what git ignores in there."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path, is_folder = folder / entry.name, entry.is_dir()
            if entry.name in left_out or (not is_folder and is_by_product(entry.name)):
                continue
            if not (ignored and ignored.matches(path, is_folder=is_folder)):
                yield path, real_path(path) if entry.is_symlink() else real / entry.name, ignored


def _digest(file: Path) -> str:
    """The digest of a file's content, and whether it is a program."""
    try:
        with file.open("rb") as opened:
            is_program = os.fstat(opened.fileno()).st_mode & 0o100
            return hashlib.file_digest(opened, "sha256").hexdigest() + ("x" if is_program else "")
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        error.filename = error.filename or str(file)
        raise
