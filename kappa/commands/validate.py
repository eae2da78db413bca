"""Check a config, and write it as it was understood: environment and `${name}` filled in.

Owns the way back from Config to plain values and YAML. What is written reads as the same config;
without the values of variables it reads as one that leaves the variables as AWS has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from kappa.config.function_rules import check_regions
from kappa.config.included import hide, words
from kappa.config.model import Config
from kappa.config.read import read_policy_document
from kappa.config.values import unfilled
from kappa.errors import ArchiveError, ConfigError
from kappa.packing.archive import Archive
from kappa.packing.build import is_ready_zip, read_archive
from kappa.packing.check import check_files, check_handler
from kappa.texts import masked


def check(config: Config, region: str | None) -> Archive | None:
    """Check all that a config names, and pack it without installing packages or asking AWS.

    `region` is the function's, if it is known without asking.
    Raises: ConfigError.
    """
    if region:
        check_regions(config, region)
    read_policy_document(config)
    check_files(config)
    if config.function.image:
        return None
    bare = replace(config, function=replace(config.function, requirements=()))
    try:
        archive = read_archive(config if is_ready_zip(config) else bare)
        check_handler(bare, archive)
        return archive
    except ArchiveError as error:
        raise ConfigError(error.message, error.hint) from error


def plain_config(config: Config, *, show_values: bool = True) -> dict[str, Any]:
    """Turn a config into the mapping that a file of it holds; keys at their default are left out.

    Without `show_values`, `lambda.environment` is left out too, unless it has no variables, and
    what came from the included file stands as the config writes it, with its `include`; user and
    password of an address of packages are hidden.
    Raises: nothing; the policy's document stays the path of its file.
    """
    said = {} if show_values else words(config)
    policy, role = config.policy and plain(config.policy), plain(config.role)
    iam = {"policy": _shown(policy, said), "role": _shown(role, said)}
    function = _shown(plain(config.function), said)
    if hidden(config) and not show_values:
        del function["environment"]
    if isinstance(function.get("requirements"), list) and not show_values:
        function["requirements"] = [_without_password(one) for one in function["requirements"]]
    sections = {
        "include": config.include if said else None,
        "profile": _shown(config.profile, said),
        "region": _shown(config.region, said),
        "iam": {key: value for key, value in iam.items() if value},
        "lambda": function,
    }
    return {key: value for key, value in sections.items() if value}


def _without_password(requirement: str) -> str:
    """Hide what logs in to an index of packages, unless it is a variable that pip fills in."""
    return requirement if "${" in requirement else masked(requirement)


def hidden(config: Config) -> tuple[str, ...]:
    """Name the variables whose values are for nobody's eyes."""
    return tuple(config.function.environment or ())


def _shown(value: Any, said: Mapping[str, str]) -> Any:  # noqa: ANN401 - what plain() gives
    """Hide what is `said` otherwise; a `${name}` that came out of a value stands for itself."""
    if isinstance(value, dict):
        return {key: _shown(item, said) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item, said) for item in value]
    if not isinstance(value, str):
        return value
    hidden = hide(value, said)
    return unfilled(value) if hidden == value else hidden


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

    def text(dumper: yaml.SafeDumper, said: str) -> yaml.ScalarNode:
        style = '"' if any(one in said for one in "\x85\u2028\u2029") else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", said, style=style)

    Dumper.add_representer(str, text)
    written: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return written
