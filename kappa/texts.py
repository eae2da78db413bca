"""Make untrusted text and JSON safe for a terminal. Pure.

A function's output, a file name or an AWS answer can hold escape sequences that a terminal obeys.
Source: Unicode Standard Annex #9, "Unicode Bidirectional Algorithm", for directional controls.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

# Unicode categories without a glyph: controls, formats, surrogates, line separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Joiners hold emoji and some scripts together.
_HARMLESS = frozenset("\n\t\u200c\u200d")
_SECRET = re.compile(r"//(?:[^/\s:@]*:\S*|[^/\s@]+)@")
# A shorter text is not hidden within others: it may be a part of any word, or any word.
SHORTEST_SECRET = 8
# Deeper than anyone writes by hand, and within the limits of Python's json.
_MAX_DEPTH = 200


def shown(text: str) -> str:
    """Escape the characters that could control a terminal."""
    if text.isprintable():
        return text
    # Lambda indents the lines of a traceback with no-break spaces.
    text = text.replace("\u00a0", " ")
    return "".join(char if _is_harmless(char) else _escape(char) for char in text)


def printable(text: str) -> str:
    """Escape a function's log, where a carriage return ends a line.

    Some runtimes use it in tracebacks to keep them in one event.
    """
    return shown(text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """Escape line breaks in a text that is part of a line, such as a name."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


def file_count(number: int) -> str:
    """Write how many files there are."""
    return "1 file" if number == 1 else f"{number} files"


def masked(text: str) -> str:
    """Hide user and password in the URLs of a text, as in //USER:PASSWORD@HOST.

    A password may contain / and @, though a URL should not.
    """
    return _SECRET.sub("//****@", text)


def safe_json(text: str) -> str:
    """Escape JSON so that it cannot control a terminal. The data stays the same."""
    if text.isprintable():
        return text
    return "".join(
        char if _is_harmless(char) and char != "\u00a0" else _json_escape(char) for char in text
    )


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """Read untrusted JSON.

    Raises: ValueError, if it is not JSON (NaN is not), or a number or the nesting exceeds
    Python's limits.
    """
    try:
        value = json.loads(text, parse_constant=finite, parse_float=finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _depth(value) > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    return value


def finite(number: str) -> float:
    """Read a JSON number. Python would also accept NaN and Infinity, which JSON does not have.

    Raises: ValueError.
    """
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is not a finite number")
    return value


def _is_harmless(char: str) -> bool:
    return char in _HARMLESS or unicodedata.category(char) not in _INVISIBLE


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth
