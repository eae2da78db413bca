"""Read .lambdaignore, which has the syntax of .gitignore, and match it in linear time.

pathspec turns each pattern into a regular expression, and Python needs exponential time for one
such as *a*a*a*a*b. Between two wildcards the first match is as good as any later one, so each such
part becomes an atomic group, which is never searched again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kappa.config.inputs import depends_on
from kappa.errors import ArchiveError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".lambdaignore"
# pathspec's expressions for * and for /**/.
_STAR, _FOLDERS = r"\[\^/\]\*", "(?:/.+)?/"
_ANY_FOLDERS_FIRST = "^(?:.+/)?"
# An expression for a single character of a name.
_CHARACTER = rf"(?!{_STAR})(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[\]()*+?/^$|{{}}.])"
_BETWEEN_STARS = re.compile(rf"{_STAR}((?:{_CHARACTER})+)(?={_STAR})")
_OTHER_THAN = re.compile(r"(\\.)|\[\^(?!/)((?:\\.|\]?[^\]\\])(?:\\.|[^\]\\])*)\]")


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
        spec = pathspec.GitIgnoreSpec.from_lines([*lines, *more])
    except ValueError as error:
        raise ArchiveError(f"{file}: {error}.", "It is written as .gitignore is.") from error
    for pattern in spec.patterns:
        if pattern.regex is not None:
            pattern.regex = re.compile(linear(pattern.regex.pattern))
    return spec


def linear(pattern: str) -> str:
    """Rewrite pathspec's expression to match the same names in linear time."""
    # In git, "[!a]" never matches a slash.
    pattern = _OTHER_THAN.sub(lambda match: match[1] or f"[^/{match[2]}]", pattern)
    first, *rest = pattern.split(_FOLDERS)
    parts = [_BETWEEN_STARS.sub(r"(?>[^/]*?\1)", part) for part in (first, *rest)]
    if not rest:
        return parts[0]
    begin = parts[0]
    if begin.startswith(_ANY_FOLDERS_FIRST):
        begin = f"^(?>(?:.+?/)??{begin.removeprefix(_ANY_FOLDERS_FIRST)}(?=/))"
    between = "".join(f"(?>(?:/.+?)??/{part}(?=/))" for part in parts[1:-1])
    return f"{begin}{between}{_FOLDERS}{parts[-1]}"
