"""Hide what was filled in: the config's own words, such as `${name}`, stand in its place.

Included values are not meant for the repository, so they must not end up in logs either. Secrets
that AWS keeps are never shown.
Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kappa.config.model import Config
from kappa.config.values import names_in
from kappa.texts import SHORTEST_SECRET


def written_texts(config: Config) -> dict[str, str]:
    """Map each text that was filled in to what the config writes in its place.

    Texts that a config writes around a value, such as chat-${stage}, are one with it. A short text
    is left out, unless it is a secret: it may stand anywhere.
    """
    own = {"environment"} if config.values.get("environment") == config.environment else set()
    values = {name: text for name, text in config.values.items() if name not in own}
    written_by_text = {text: f"${{{name}}}" for name, text in values.items()}
    for text, words, names in _filled_in(config):
        if any(values.get(name) for name in names):
            written_by_text[text] = words
    shown = {text: words for text, words in written_by_text.items() if _may_be_secret(text)}
    return shown | secret_texts(config)


def secret_texts(config: Config) -> dict[str, str]:
    """Map each text that is a secret, or has one in it, to what the config writes in its place."""
    texts = {config.values[name]: f"${{{name}}}" for name in config.secrets}
    for text, words, names in _filled_in(config):
        if config.secrets & names:
            texts[text] = words
    texts.pop("", None)
    return texts


def _filled_in(config: Config) -> Iterator[tuple[str, str, set[str]]]:
    """Each text that was filled in, as the config writes it, and the names of its values."""
    for written in config.written.values():
        if written.filled is not None:
            yield written.filled, written.words, names_in(written.words, config.values)


def _may_be_secret(text: str) -> bool:
    return len(text) >= SHORTEST_SECRET and text not in ("true", "false", "TODO")


def hide(value: Any, written: Mapping[str, str]) -> Any:  # noqa: ANN401 - plain values
    """Put the config's words in place of included texts, in JSON within a text too.

    A mapping or list that a text of JSON stands for is hidden as the text is.
    """
    wholes = {_same(read): words for text, words in written.items() if (read := _read(text))}

    def hidden(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, str):
            return written[value] if value in written else _in_json(value, hidden)
        if not isinstance(value, Mapping | list | tuple):
            return value
        if wholes and (words := wholes.get(_same(value))):
            return _read(words) or words
        if isinstance(value, Mapping):
            return {key: hidden(item) for key, item in value.items()}
        return [hidden(item) for item in value]

    return hidden(value)


def _same(value: object) -> str:
    """A text that is equal for equal values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, default=str)


def _in_json(text: str, change: Callable[[Any], Any]) -> str:
    """Change what a text of JSON holds; another text stays."""
    read = _read(text)
    changed = change(read)
    if changed == read:
        return text
    return changed if isinstance(changed, str) else json.dumps(changed, ensure_ascii=False)


def _read(text: str) -> Any:  # noqa: ANN401 - any mapping or list
    """Read a text of JSON that is a mapping or a list; None, if it is none."""
    bare = text.lstrip("\ufeff \t\r\n")
    if bare[:1] not in ("{", "["):
        return None
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        return None


def hide_within(text: str, written: Mapping[str, str]) -> str:
    """Put the config's words in place of included texts within a longer one.

    A short text is not looked for: it may be a part of any word.
    """
    known = (text for text in written if len(text) >= SHORTEST_SECRET)
    longest_first = sorted(known, key=len, reverse=True)
    if not longest_first:
        return text
    return re.sub("|".join(map(re.escape, longest_first)), lambda at: written[at[0]], text)
