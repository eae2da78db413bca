"""Show a config as YAML: filled in or as it is written; and where its values come from.

What is shown reads as the same config; without the values of variables it reads as one that leaves
the variables as AWS has them. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kappa.config.model import Config
from kappa.config.policy_document import read_policy_document
from kappa.config.references import CALLER, Reference, asks_aws, escaped, kind_of, references_in
from kappa.config.tree import Keys, Text, dotted, map_texts, texts_in, without_nulls
from kappa.texts import masked

_REQUIREMENTS: Keys = ("lambda", "requirements")


def shown_config(config: Config, *, show_values: bool = False) -> dict[str, Any]:
    """Turn a config into the mapping that a file of it holds.

    Without `show_values`, values from elsewhere stand as the config writes them, and
    `lambda.environment` is left out, unless it has no variables; user and password of an address
    of packages are hidden. Secrets, and what was not read, always stand as they are written.
    """

    def shown(keys: Keys, text: str) -> object:
        if not isinstance(text, Text):
            return escaped(text)
        if not text.is_filled or (
            text.written and (not show_values or text in config.values.secrets)
        ):
            return text.written or str(text)
        if text.kind:
            return text.plain if text.kind == "bool" else _number(text)
        hides = keys[:2] == _REQUIREMENTS and len(keys) > 2 and not show_values
        return escaped(masked(text) if hides else text)

    data: dict[str, Any] = without_nulls(map_texts(config.tree.data if config.tree else {}, shown))
    if hidden_variables(config) and not show_values:
        del data["lambda"]["environment"]
    return data


def _number(text: str) -> object:
    """Turn a number into one, if it is written so again: 1.10 and 007 stay texts."""
    try:
        number = json.loads(text)
    except ValueError:
        return str(text)
    return number if str(number) == text else str(text)


def hidden_variables(config: Config) -> tuple[str, ...]:
    """Name the variables whose values are not printed."""
    return tuple(config.function.environment or ())


def value_origins(config: Config) -> list[dict[str, Any]]:
    """List each place of the config with values that it does not hold itself, by line.

    References in the file of the policy's document to what AWS has follow.
    Shape: {file, line, key ("" in a document), value (as it is written), from: [env | ssm | secret
    | cf | file, or the path of an included file], is_asked (AWS has it, and it is not read)}.
    """
    rows = [
        _row(config, config.file, text.line, dotted(keys), text)
        for keys, text in texts_in(config.tree.data if config.tree else {})
        if isinstance(text, Text) and keys[0] != "include"
    ]
    rows.sort(key=lambda row: (row["line"], row["key"]))
    return [*(row for row in rows if row["from"]), *_of_document(config)]


def _row(config: Config, file: Path, line: int, key: str, text: Text) -> dict[str, Any]:
    written = text.written or text
    sources = (config.values.source_of(_name(part)) for part in references_in(written))
    return {
        "file": str(file),
        "line": line,
        "key": key,
        "value": str(written),
        "from": list(dict.fromkeys(filter(None, sources))),
        "is_asked": not text.is_filled,
    }


def _name(reference: Reference) -> str:
    """What stands in `${...}`, as it is written."""
    return "".join(part if isinstance(part, str) else part.source for part in reference.name)


def _of_document(config: Config) -> Iterator[dict[str, Any]]:
    document = config.policy.document if config.policy else None
    if not isinstance(document, str) or not document:
        return
    for _, text in texts_in(read_policy_document(config)):
        if not isinstance(text, Text) or text.is_filled:
            continue
        for reference in references_in(text):
            name = _name(reference)
            if asks_aws(name) and kind_of(name) not in CALLER:
                yield _row(
                    config,
                    config.beside(document),
                    text.line,
                    "",
                    Text(reference.source, is_filled=False),
                )


def plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Turn a part of a config into plain values."""
    if isinstance(value, msgspec.Struct):
        return {
            field.encode_name: plain(getattr(value, field.name))
            for field in msgspec.structs.fields(type(value))
            if field.required or getattr(value, field.name) != field.default
        }
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def as_yaml(value: Mapping[str, Any]) -> str:
    """Write plain values as YAML, in their own order; texts that look like numbers in quotes."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Escapes the rare line breaks, which YAML reads as blanks elsewhere."""

    def scalar(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = '"' if any(char in text for char in "\x85\u2028\u2029") else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, scalar)
    content: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return content
