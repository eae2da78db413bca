"""Text and JSON that others wrote: what a terminal may be given of it. Pure.

Functions, file names and AWS's answers can hold escape sequences; a terminal obeys those.
Source: Unicode Standard Annex #9, "Unicode Bidirectional Algorithm", for the controls of direction.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

# Controls, formats, half characters, separators of lines: they steer, and show nothing.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Joiners hold emoji and some scripts together.
_HARMLESS = frozenset("\n\t\u200c\u200d")
_SECRET = re.compile(r"//(?:[^/\s:@]*:\S*|[^/\s@]+)@")
# Deeper than anyone writes by hand, and within the limits of Python's json both ways.
_MAX_DEPTH = 200


def shown(text: str) -> str:
    """Write a text so that it cannot steer a terminal: what could is shown as an escape."""
    if text.isprintable():
        return text
    # Lambda indents the lines of a traceback with no-break spaces.
    text = text.replace("\u00a0", " ")
    return "".join(char if _is_harmless(char) else _escape(char) for char in text)


def printable(text: str) -> str:
    """The same for a function's log, where a carriage return ends a line.

    Some runtimes end the lines of a traceback that way to keep it in one event.
    """
    return shown(text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """Write a text that stands within a line, such as a name: it cannot begin one of its own."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


def masked(text: str) -> str:
    """Hide user and password in the addresses of a text, as //USER:PASSWORD@HOST has them.

    A password may have / and @ in it, though an address should not.
    """
    return _SECRET.sub("//****@", text)


def safe_json(text: str) -> str:
    """Write JSON so that it cannot steer a terminal: the same data, in JSON's own escapes."""
    if text.isprintable():
        return text
    return "".join(
        char if _is_harmless(char) and char != "\u00a0" else _json_escape(char) for char in text
    )


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON that anyone may have written.

    Raises: ValueError, if it is not JSON, such as NaN, or holds a number or a nesting beyond
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
    """Read a number of JSON, which has neither NaN nor Infinity: Python reads and writes both.

    Raises: ValueError.
    """
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is not a finite number")
    return value


def _is_harmless(char: str) -> bool:
    return char in _HARMLESS or unicodedata.category(char) not in _STEERING


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
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth
