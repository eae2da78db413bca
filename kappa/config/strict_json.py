"""Read JSON that a person wrote, so that nothing of it gets lost, with the line of a mistake.

Owns what Python's json would take in silence: a key that is given twice, NaN and Infinity.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from kappa.errors import ConfigError
from kappa.texts import finite

_TOKEN = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*+")(?:\s*(?P<colon>:))?|[{}]|null|-?Infinity|NaN')


def parse_json(content: bytes, name: str, number: Callable[[str], Any] | None = None) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON that a person wrote; `name` is the file, or what it is called in an error.

    `number` reads each number, if not Python: that has limits.

    Raises: ConfigError, naming the line; also for a key that is given twice.
    """
    try:
        return strict_json(content.decode("utf-8"), number)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{name}:{error.lineno}: not valid JSON: {error.msg}.") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: not valid JSON: {error.reason}.") from error
    except ValueError as error:
        raise ConfigError(f"{name}:1: not valid JSON: {error}.") from error
    except RecursionError as error:
        raise ConfigError(f"{name}:1: nested too deeply.") from error


def strict_json(text: str, number: Callable[[str], Any] | None = None) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON of which nothing may get lost: Python keeps the last of two equal keys.

    Raises: JSONDecodeError, also for a key that is given twice, and for NaN and Infinity, which
    Python takes; ValueError, RecursionError.
    """
    twice = False

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        data = dict(pairs)
        twice = twice or len(data) < len(pairs)
        return data

    def constant(word: str) -> None:
        at = next(token.start() for token in _TOKEN.finditer(text) if token[0] == word)
        raise json.JSONDecodeError(f"{word} is not a JSON number", text, at)

    value = json.loads(
        text,
        parse_int=number,
        parse_float=number or finite,
        parse_constant=constant,
        object_pairs_hook=mapping,
    )
    if twice:
        raise _given_twice(text)
    return value


def line_of_null(text: str) -> int:
    """The line of the first null in valid JSON; 0 without one."""
    nulls = (token.start() for token in _TOKEN.finditer(text) if token[0] == "null")
    return next((text.count("\n", 0, at) + 1 for at in nulls), 0)


def _given_twice(text: str) -> json.JSONDecodeError:
    """Find the key of valid JSON that is given twice: the decoder does not tell where it is."""
    known: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            known.append(set())
        elif token[0] == "}":
            known.pop()
        elif token["colon"]:
            key = json.loads(token["text"])
            if key in known[-1]:
                return json.JSONDecodeError(f"{token['text']} is given twice", text, token.start())
            known[-1].add(key)
    return json.JSONDecodeError("a key is given twice", text, 0)
