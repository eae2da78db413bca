"""Where the values of a config come from, place by place. Pure."""

from __future__ import annotations

from typing import Any

from kappa.config.model import Config
from kappa.config.tree import dotted
from kappa.config.values import is_reference, names_in


def value_sources(config: Config) -> list[dict[str, Any]]:
    """List each place of the config with values that it does not hold itself, by line.

    Shape: {key, line, value (as the config writes it), from: [env | ssm | secret | cf | file, or
    the path of an included file], is_asked (AWS has it, and it has not been read)}.
    """
    read = {
        keys: (words, config.lines.get(keys, 1)) for keys, (_, words) in config.included.items()
    }
    rows = [
        _row(config, dotted(keys), line, words, is_asked=keys in config.unread_texts)
        for keys, (words, line) in (read | dict(config.unread_texts)).items()
    ]
    return sorted((row for row in rows if row["from"]), key=lambda row: int(row["line"]))


def _row(config: Config, key: str, line: int, words: str, *, is_asked: bool) -> dict[str, Any]:
    sources = [
        name.partition(":")[0] if is_reference(name) else config.value_files.get(name, "")
        for name in sorted(names_in(words))
    ]
    return {
        "key": key,
        "line": line,
        "value": words,
        "from": [source for source in sources if source],
        "is_asked": is_asked,
    }
