"""Read a .env file: lines of NAME=value. Pure.

A value stays as it is written: nothing in it is filled in.
"""

from __future__ import annotations

import re
from pathlib import Path

from kappa.errors import ConfigError

_LINE = re.compile(
    r"""
    [ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*
    (?:
        '(?P<literal>[^']*)'
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<plain>(?!['"])[^\n]*?)
    )
    [ \t]*(?:(?<=[ \t'"=])\#[^\n]*)?(?:\n|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse(content: bytes, file: Path) -> dict[str, str]:
    """Read the values; the last one of a name counts.

    Raises: ConfigError, with the line that is none of these; it may be a secret and is not shown.
    """
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{file}:{line}: not UTF-8.") from None
    values: dict[str, str] = {}
    at = 0
    while at < len(text):
        if nothing := _NOTHING.match(text, at):
            at = nothing.end()
            continue
        match = _LINE.match(text, at)
        if not match:
            line = text.count("\n", 0, at) + 1
            raise ConfigError(f"{file}:{line}: not a line NAME=value.", "Comments begin with #.")
        values[match["name"]] = _value(match)
        at = match.end()
    return values


def _value(match: re.Match[str]) -> str:
    if match["quoted"] is not None:
        return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), match["quoted"])
    return str(match["plain"] if match["literal"] is None else match["literal"])
