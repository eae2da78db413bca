"""Split a requirements file as pip does, into lines, requirements and options.

It opens no file; besides the text, it reads only environment variables.
Source: pip documentation, "Requirements File Format".
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
INCLUDES = frozenset({"-r", "-c", "--requirement", "--constraint"})
LINKS = frozenset({"-f", "--find-links"})
INDEXES = frozenset({"-i", "--index-url", "--extra-index-url"})
# Options with a value that names no local file.
PLAIN = frozenset({"--no-binary", "--only-binary", "--trusted-host", "--hash"})
# A package's name with extras, versions and a marker, which cannot be a file.
# Source: Python packaging guide, "Dependency specifiers".
_PACKAGE = re.compile(
    r"[A-Za-z0-9][\w.-]*\s*(\[[\w.,\s-]*\])?\s*"
    r"(\(?\s*(===|==|~=|!=|<=|>=|<|>)[\w.*+!,<>=~\s-]*\)?)?\s*(;[^/\\]*)?"
)
# pip treats a name with such an ending as a file.
_ARCHIVE = re.compile(r".*\.(whl|zip|egg|tar|gz|tgz|bz2|tbz|xz|txz|lz|tlz|lzma)", re.IGNORECASE)


def _lines(text: str) -> Iterator[str]:
    """Split a text into lines: joined at backslashes, without comments."""
    joined = ""
    for line in text.removeprefix("\ufeff").splitlines():
        is_comment = _COMMENT.match(line)
        if line.endswith("\\") and not is_comment:
            joined += line.strip("\\")
            continue
        complete, joined = joined + (" " if is_comment else "") + line, ""
        if stripped := _COMMENT.sub("", complete).strip():
            yield stripped
    if stripped := _COMMENT.sub("", joined).strip():
        yield stripped


def expanded_lines(text: str) -> Iterator[str]:
    """Split a text into lines, and fill in environment variables: ${NAME}, in capitals."""
    return map(_expanded, _lines(text))


def rebased(text: str, folder: Path) -> str:
    """Make the paths after -r and -c absolute, since pip reads them relative to its own file."""
    return "\n".join(_rebased(line, folder) for line in _lines(text)) + "\n"


def _rebased(line: str, folder: Path) -> str:
    if not line.startswith("-"):
        return line
    words = []
    for name, value in _options(_words(_expanded(line))):
        if name in INCLUDES and "://" not in value:
            value = str((folder / value).absolute())
        words += [name] if not value else [name, value]
    return shlex.join(words) if INCLUDES.intersection(words) else line


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Split options into name and value, however they are joined; unknown ones have no value."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=") if word[:2] == "--" else (word[:2], "", word[2:])
        if name in INCLUDES | LINKS | INDEXES | PLAIN:
            if not equals and not value and rest:
                value = rest.pop(0)
            yield name, value
        else:
            yield word, ""


def _expanded(text: str) -> str:
    return _VARIABLE.sub(lambda match: os.environ.get(match[1]) or match[0], text)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def halves(line: str) -> tuple[str, list[tuple[str, str]]]:
    """Split a line: a requirement ends at the first word that begins with a dash."""
    words = line.split(" ")
    end = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    return " ".join(words[:end]).strip(), list(_options(_words(" ".join(words[end:]))))


def is_package(requirement: str) -> bool:
    """Whether a requirement names a package, which pip takes from an index or a folder of links."""
    name = re.split(r"[\s;\[<>=!~(]", requirement, maxsplit=1)[0]
    return bool(_PACKAGE.fullmatch(requirement)) and not _ARCHIVE.fullmatch(name)


def local_path(name: str) -> str:
    """Turn a file: URL into a path, and drop a fragment or extras behind the path."""
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    return re.sub(r"(#.*|\[[^\]/]*\])$", "", name)
