"""What an installation of packages depends on: settings of pip and the content of local files.

Owns which words of a requirement, a file of requirements or a setting name something local. It
reads files and must not run anything. What it cannot know, such as what an address gives next
time, it reports as unknown.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kappa.errors import ArchiveError

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_INCLUDE = re.compile(r"^(\s*)(-r|-c|--requirement|--constraint)(\s*=\s*|\s*)(\S.*)$")
_LINKS = re.compile(r"^(-f|--find-links)(\s*=\s*|\s*)(\S.*)$")
_INDEX = re.compile(r"^(-i|--index-url|--extra-index-url)(\s*=\s*|\s*)(\S.*)$")
_ADDRESS = re.compile(r"(?<!file)://")
_HASH = re.compile(r"--hash[= ]|#sha(256|384|512)=")
# Settings that say where or how, and not what is installed.
_WITHOUT_EFFECT = frozenset({"cache-dir", "progress-bar", "no-color", "log", "quiet", "verbose"})


@dataclass
class Inputs:
    """Name and content of each local file; `is_known` is whether that is all there is.

    Content is the SHA-256, or of a file that pip may find in a folder size, times and inode.
    """

    files: list[tuple[str, str]] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    is_known: bool = True


def read_inputs(requirements: str, folder: Path, settings: str) -> Inputs:
    """Read what requirements, and pip's settings as `pip config list` prints them, depend on.

    Relative names begin at `folder`, where pip runs, or at the file that they stand in.
    Raises: ArchiveError, if a file cannot be read.
    """
    inputs = Inputs()
    seen: set[Path] = set()
    try:
        _read_text(requirements, folder, (folder,), inputs, seen)
        _read_settings(settings, folder, inputs, seen)
    except OSError as error:
        raise ArchiveError(f"{error.filename}: {error.strerror or error}.") from error
    return inputs


def lines(text: str) -> Iterator[str]:
    """Split a file of requirements as pip does: joined at backslashes, without comments.

    Source: pip documentation, "Requirements File Format".
    """
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        stripped = _COMMENT.sub("", line).strip()
        if stripped:
            yield stripped


def rebased(text: str, folder: Path) -> str:
    """Make the files that -r and -c name absolute: pip reads them relative to its own file."""
    return "\n".join(_rebased(line, folder) for line in lines(text)) + "\n"


def _rebased(line: str, folder: Path) -> str:
    include = _INCLUDE.match(line)
    if not include or "://" in include[4]:
        return line
    name = _words(expanded(include[4]))[0]
    return f"{include[2]} {shlex.quote(str((folder / name).absolute()))}"


def expanded(text: str) -> str:
    """Fill in environment variables as pip does: ${NAME}, in capitals."""
    return _VARIABLE.sub(lambda match: os.environ.get(match[1]) or match[0], text)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text) or [text]
    except ValueError:
        return text.split()


def _read_text(
    text: str, base: Path, bases: tuple[Path, ...], inputs: Inputs, seen: set[Path]
) -> None:
    for line in map(expanded, lines(text)):
        if include := _INCLUDE.match(line):
            _read_include(_words(include[4])[0], base, bases, inputs, seen)
        elif links := _LINKS.match(line):
            _read_links(_words(links[3])[0], bases, inputs)
        elif index := _INDEX.match(line):
            _read_index(index[3], inputs)
        else:
            # What an address gives next time is known by its hash only.
            inputs.is_known &= not _ADDRESS.search(line) or bool(_HASH.search(line))
            for name in (name for word in _words(line) for name in _names(word)):
                _read_place(name, bases, inputs)


def _read_include(
    name: str, base: Path, bases: tuple[Path, ...], inputs: Inputs, seen: set[Path]
) -> None:
    path = base / _local(name)
    if _ADDRESS.search(name):
        inputs.is_known = False
    elif path.is_file() and path.resolve() not in seen:
        seen.add(path.resolve())
        data = path.read_bytes()
        inputs.files.append((name, hashlib.sha256(data).hexdigest()))
        text = data.decode("utf-8", "replace")
        _read_text(text, path.parent, (path.parent, bases[-1]), inputs, seen)
    elif path.exists() and not path.is_file():
        raise ArchiveError(f"{path} is not a file.", "Name a file of requirements.")


def _read_links(name: str, bases: tuple[Path, ...], inputs: Inputs) -> None:
    if not _ADDRESS.search(name):
        _read_place(name if "/" in name else f"./{name}", bases, inputs)


def _read_index(name: str, inputs: Inputs) -> None:
    """An index's pages are not read: those of a local one change as files do."""
    inputs.is_known &= not name.startswith(("file:", "/", "."))


def _names(word: str) -> Iterator[str]:
    """Say what in a word may be a path: all of it, or what follows an `@`."""
    yield word
    if "@" in word:
        yield word.partition("@")[2]


def _local(name: str) -> str:
    """Turn a file: address into a path; drop what may follow a path."""
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    return re.sub(r"(#.*|\[[^\]/]*\])$", "", name)


def _read_place(name: str, bases: tuple[Path, ...], inputs: Inputs) -> None:
    """Read a wheel, or the wheels of a folder; a bare word is a package's name."""
    local = _local(name)
    if "\0" in local or not ("/" in local or local.endswith(".whl")):
        return
    for path in (base / local for base in bases):
        if path.is_file():
            inputs.files.append((name, _digest(path)))
            # A page of links leads anywhere.
            inputs.is_known &= path.suffix == ".whl"
            return
        if path.is_dir():
            _read_folder(path, inputs)
            return


def _read_folder(folder: Path, inputs: Inputs) -> None:
    """Read the wheels that pip may find in a folder, which are those directly in it."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".whl" and path.is_file():
            inputs.files.append((path.name, _stamp(path)))
        inputs.is_known &= path.suffix not in (".html", ".htm")


def _stamp(path: Path) -> str:
    """Say what changes with a file's content; a folder may hold more than can be read each time.

    Whoever writes a file, or puts another one in its place, changes its ctime or its inode.
    """
    has = path.stat()
    return f"{has.st_size} {has.st_mtime_ns} {has.st_ctime_ns} {has.st_ino}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_settings(settings: str, folder: Path, inputs: Inputs, seen: set[Path]) -> None:
    for line in settings.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in _WITHOUT_EFFECT:
            continue
        inputs.settings.append(line)
        for word in _value(value).split():
            if name in ("constraint", "requirement"):
                _read_include(word, folder, (folder,), inputs, seen)
            elif name == "find-links":
                _read_links(word, (folder,), inputs)
            elif name in ("index-url", "extra-index-url"):
                _read_index(word, inputs)


def _value(text: str) -> str:
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text
