"""Keep secrets out of all that is printed: what a config writes stands in their place.

It comes last. config/mask.py hides values where they are known to be, but an error of AWS or a
function's own output may quote a secret anywhere, and in another form.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping

from kappa.texts import SHORTEST_SECRET, safe_json, shown

# Each form of a secret, with what is printed instead: the longest first.
_HIDDEN: list[tuple[str, str]] = []
# A shorter one may be a part of any word.
_SHORTEST_IN_WORDS = 8
_WORDS = frozenset({"false", "none", "null", "true"})
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
    """Print `words` in place of a secret and its longer lines from now on.

    So too where JSON, Python or the console has written them in its own way.
    """
    lines = (line for line in text.splitlines() if len(line) >= _SHORTEST_IN_WORDS)
    known = {form for part in {text, *lines} for form in _forms(part)}
    forms = dict.fromkeys((form for form in known if not _may_be_anything(form)), words)
    with _LOCK:
        _HIDDEN[:] = sorted({**dict(_HIDDEN), **forms}.items(), key=lambda item: -len(item[0]))


def _may_be_anything(text: str) -> bool:
    """Whether a text is too short to be looked for, or a number or word that may stand anywhere."""
    is_number = text.isdecimal() and len(text) < _SHORTEST_IN_WORDS
    return len(text) < SHORTEST_SECRET or is_number or text.lower() in _WORDS


def _forms(text: str) -> set[str]:
    once = {text, *(write(text) for write in _WRITERS)}
    return once | {write(form) for form in once for write in _WRITERS}


def without_secrets(text: str) -> str:
    """Write a text as it may be printed."""
    for secret, words in tuple(_HIDDEN):
        if secret not in text:
            continue
        if len(secret) >= _SHORTEST_IN_WORDS and not secret.isdecimal():
            text = text.replace(secret, words)
        else:
            pattern = rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])"
            text = re.sub(pattern, words.replace("\\", r"\\"), text)
    return text


def without_secrets_in(value: object) -> object:
    """Write the texts and numbers of a value as they may be printed: JSON stays JSON."""
    if not _HIDDEN:
        return value
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {without_secrets(str(key)): without_secrets_in(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets_in(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        hidden = without_secrets(str(value))
        return value if hidden == str(value) else hidden
    return value
