"""Keep secrets out of all that is printed: what a config writes stands in their place.

It comes last. config/mask.py hides values where they are known to be, but an error of AWS or a
function's own output may quote a secret anywhere, and in another form.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator

from kappa.texts import SHORTEST_SECRET, safe_json, shown

# Each form of a secret, with what is printed instead: the longest first.
_HIDDEN: list[tuple[str, str]] = []
# A shorter one may be a part of any word.
_SHORTEST_IN_WORDS = 8
# What a database's secret holds beside its password: names that others have too.
# Source: Secrets Manager guide, "JSON structure of AWS Secrets Manager secrets".
_PUBLIC_KEYS = frozenset(
    {
        "engine",
        "host",
        "port",
        "dbname",
        "dbclusteridentifier",
        "dbinstanceidentifier",
        "database",
        "masterarn",
        "servicename",
        "ssl",
        "username",
        "user",
        "warehouse",
    }
)
# How programs write a text within another one. Two may meet, as for JSON in JSON.
_WRITERS = (
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: ascii(text)[1:-1],
    shown,
    safe_json,
)
_LOCK = threading.Lock()


def hide_secret(text: str, words: str) -> None:
    """Print `words` in place of a secret from now on.

    So too for each of its longer lines, what a secret of JSON holds, and for all of them as JSON,
    Python or the console would write them.
    """
    lines = (line for line in text.splitlines() if len(line) >= _SHORTEST_IN_WORDS)
    known = {form for part in {text, *lines, *_held(text)} for form in _forms(part)}
    forms = dict.fromkeys((form for form in known if len(form) >= SHORTEST_SECRET), words)
    with _LOCK:
        _HIDDEN[:] = sorted({**dict(_HIDDEN), **forms}.items(), key=lambda item: -len(item[0]))


def _held(text: str) -> Iterator[str]:
    """The texts that a secret of JSON holds, but for those that are no secrets themselves."""
    try:
        level = [json.loads(text)] if text[:1] in ("{", "[") else []
    except (ValueError, RecursionError):
        return
    while level:
        value = level.pop()
        if isinstance(value, dict):
            level += [item for key, item in value.items() if key.lower() not in _PUBLIC_KEYS]
        elif isinstance(value, list):
            level += value
        elif isinstance(value, str):
            yield value


def _forms(text: str) -> set[str]:
    once = {text, *(write(text) for write in _WRITERS)}
    return once | {write(form) for form in once for write in _WRITERS}


def without_secrets(text: str) -> str:
    """Write a text as it may be printed."""
    for secret, words in tuple(_HIDDEN):
        if len(secret) >= _SHORTEST_IN_WORDS:
            text = text.replace(secret, words)
        elif secret in text:
            pattern = rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])"
            text = re.sub(pattern, words.replace("\\", r"\\"), text)
    return text
