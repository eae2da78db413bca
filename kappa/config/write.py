"""Write plain values as YAML, and turn parts of a config into plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


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
