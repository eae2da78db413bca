"""Where the values of a config and of its policy document come from, place by place."""

from __future__ import annotations

from typing import Any

from kappa.config.model import Config
from kappa.config.policy_document import unread_in_document
from kappa.config.tree import dotted
from kappa.config.values import is_reference, kind_of, names_in


def value_origins(config: Config) -> list[dict[str, Any]]:
    """List each place of the config with values that it does not hold itself, by line.

    References in the file of the policy's document follow.
    Shape: {file, line, key ("" in a document), value (as it is written), from: [env | ssm | secret
    | cf | file, or the path of an included file], is_asked (AWS has it, and it is not read)}.
    """
    rows = [
        _row(config, dotted(keys), text.line, text.words, is_asked=text.filled is None)
        for keys, text in config.written.items()
    ]
    rows.sort(key=lambda row: (row["line"], row["key"]))
    by_line = [row for row in rows if row["from"]]
    in_document = [
        _row(config, "", line, f"${{{name}}}", is_asked=True) | {"file": str(file)}
        for file, line, name in unread_in_document(config)
    ]
    return [*by_line, *in_document]


def _row(config: Config, key: str, line: int, words: str, *, is_asked: bool) -> dict[str, Any]:
    sources = [
        kind_of(name) if is_reference(name) else config.value_files.get(name, "")
        for name in sorted(names_in(words, config.values))
    ]
    return {
        "file": str(config.file),
        "line": line,
        "key": key,
        "value": words,
        "from": [source for source in sources if source],
        "is_asked": is_asked,
    }
