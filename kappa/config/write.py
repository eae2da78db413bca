"""Write a config as a file: back from Config to plain values, and to YAML.

What is written reads as the same config; without the values of variables it reads as one that
leaves the variables as AWS has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kappa.config.mask import hide, secret_texts, written_texts
from kappa.config.model import Config
from kappa.config.tree import map_texts
from kappa.config.unread import put_back
from kappa.config.values import unfilled
from kappa.texts import masked


def plain_config(config: Config, *, show_values: bool = True) -> dict[str, Any]:
    """Turn a config into the mapping that a file of it holds; keys at their default are left out.

    Without `show_values`, `lambda.environment` is left out too, unless it has no variables, and
    what was filled in stands as the config writes it, with its `include`; user and password of an
    address of packages are hidden. Secrets, and what was not read, always stand as written.
    Raises: nothing; the policy's document stays the path of its file.
    """
    as_written = {text: text for text in config.unread_texts.values()}
    written = as_written | (secret_texts if show_values else written_texts)(config)
    policy, role = config.policy and plain(config.policy), plain(config.role)
    iam = {"policy": _shown(policy, written), "role": _shown(role, written)}
    function = _shown(plain(config.function), written)
    if hidden_variables(config) and not show_values:
        del function["environment"]
    if isinstance(function.get("requirements"), list) and not show_values:
        function["requirements"] = [_without_password(line) for line in function["requirements"]]
    include = plain(config.include)
    sections = {
        "include": include if as_written or (written and not show_values) else None,
        "profile": _shown(config.profile, written),
        "region": _shown(config.region, written),
        "iam": {key: value for key, value in iam.items() if value},
        "lambda": function,
    }
    data = {key: value for key, value in sections.items() if value}
    put_back(data, {keys: _shown(value, written) for keys, value in config.unread.items()})
    return data


def _without_password(requirement: str) -> str:
    """Hide what logs in to an index of packages, unless it is a variable that pip fills in."""
    return requirement if "${" in requirement else masked(requirement)


def hidden_variables(config: Config) -> tuple[str, ...]:
    """Name the variables whose values are not printed."""
    return tuple(config.function.environment or ())


def _shown(value: Any, written: Mapping[str, str]) -> Any:  # noqa: ANN401 - what plain() gives
    """Hide included texts as `written`; a `${name}` that came out of a value stands for itself."""

    def shown(text: str) -> str:
        hidden: str = hide(text, written)
        return unfilled(text) if hidden == text and text not in written else hidden

    return map_texts(value, shown)


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
