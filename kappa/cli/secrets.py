"""Keep secrets out of all that is printed: what a config writes stands in their place.

It comes last. config/mask.py hides values where they are known to be, but an error of AWS may quote
a secret anywhere.
"""

from __future__ import annotations

import json
import re
import threading

from kappa.texts import SHORTEST_SECRET

# Each form of a secret, with what is printed instead: the longest first.
_HIDDEN: list[tuple[str, str]] = []
# A shorter one may be a part of any word.
_SHORTEST_IN_WORDS = 8
_LOCK = threading.Lock()


def hide_secret(text: str, words: str) -> None:
    """Print `words` in place of a secret from now on, also of a line or a JSON text of it."""
    whole = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    lines = {line for line in text.splitlines() if len(line) >= _SHORTEST_IN_WORDS}
    forms = dict.fromkeys((form for form in whole | lines if len(form) >= SHORTEST_SECRET), words)
    with _LOCK:
        _HIDDEN[:] = sorted({**dict(_HIDDEN), **forms}.items(), key=lambda item: -len(item[0]))


def without_secrets(text: str) -> str:
    """Write a text as it may be printed."""
    for secret, words in tuple(_HIDDEN):
        if len(secret) >= _SHORTEST_IN_WORDS:
            text = text.replace(secret, words)
        elif secret in text:
            pattern = rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])"
            text = re.sub(pattern, words.replace("\\", r"\\"), text)
    return text
