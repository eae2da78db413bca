"""Read .lambdaignore, which is written as .gitignore is; any pattern takes linear time.

pathspec makes a regular expression of each pattern, and Python's way through it takes exponential
time for a pattern such as *a*a*a*a*b. Between two wildcards the first place that fits is as good as
any later one, so each such part is made atomic: what it has found is not searched for again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from kappa.errors import ArchiveError

IGNORE_FILE = ".lambdaignore"
# Any characters of a name, and any folders: what pathspec writes for * and for /**/.
_STAR, _FOLDERS = r"\[\^/\]\*", "(?:/.+)?/"
_ANY_FOLDERS_FIRST = "^(?:.+/)?"
# What stands for just one character of a name.
_ONE = rf"(?!{_STAR})(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[\]()*+?/^$|{{}}.])"
_BETWEEN_STARS = re.compile(rf"{_STAR}((?:{_ONE})+)(?={_STAR})")
_OTHER_THAN = re.compile(r"(\\.)|\[\^(?!/)((?:\\.|\]?[^\]\\])(?:\\.|[^\]\\])*)\]")


def read_ignored(folder: Path) -> Callable[[str], bool]:
    """Read a folder's .lambdaignore; the names that it sees are those in the zip.

    Raises: ArchiveError, if a line is no pattern or the file is no text.
    """
    file = folder / IGNORE_FILE
    if not file.is_file():
        return lambda _: False
    import pathspec

    try:
        lines = file.read_text("utf-8-sig").splitlines()
        spec = pathspec.GitIgnoreSpec.from_lines([*lines, f"/{IGNORE_FILE}"])
    except ValueError as error:
        raise ArchiveError(f"{file}: {error}.", "It is written as .gitignore is.") from error
    for pattern in spec.patterns:
        if pattern.regex is not None:
            pattern.regex = re.compile(linear(pattern.regex.pattern))
    return spec.match_file


def linear(pattern: str) -> str:
    """Write pathspec's expression so that it matches the same names in linear time."""
    # "[!a]" is no slash, in git: without this it could be one.
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
