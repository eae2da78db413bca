"""Hide what was filled in: the config's own words, such as `${name}`, stand in its place.

Included values are not meant for the repository, so they must not end up in logs either. Secrets
that AWS keeps are never shown.
Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kappa.config.model import Config
from kappa.config.tree import map_texts
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
    """Put the config's words in place of included texts, in JSON within a text too."""

    def words(text: str) -> str:
        if text in written:
            return written[text]
        if not written or text[:1] not in ("{", "["):
            return text
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            return text
        hidden = hide(read, written)
        return text if hidden == read else json.dumps(hidden, ensure_ascii=False)

    return map_texts(value, words)


def hide_within(text: str, written: Mapping[str, str]) -> str:
    """Put the config's words in place of included texts within a longer one."""
    longest_first = sorted(written, key=len, reverse=True)
    if not longest_first:
        return text
    return re.sub("|".join(map(re.escape, longest_first)), lambda at: written[at[0]], text)
