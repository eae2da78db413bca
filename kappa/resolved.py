"""Check a config, and write it as it was understood: environment and `${name}` filled in.

Owns the way back from Config to plain values and YAML; what is written reads as the same config.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from kappa.archive import Archive
from kappa.bundle import is_ready_zip, read_archive
from kappa.codecheck import check_files, check_handler
from kappa.config import read_policy_document
from kappa.errors import ArchiveError, ConfigError
from kappa.settings import Config


def check(config: Config) -> Archive | None:
    """Check all that a config names, and pack it without installing packages.

    Raises: ConfigError.
    """
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


def plain_config(config: Config) -> dict[str, Any]:
    """Turn a config into the mapping that a file of it holds; keys at their default are left out.

    Raises: nothing; the policy's document stays the path of its file.
    """
    iam = {"policy": config.policy and plain(config.policy), "role": plain(config.role)}
    sections = {
        "profile": config.profile,
        "region": config.region,
        "iam": {key: value for key, value in iam.items() if value},
        "lambda": plain(config.function),
    }
    return {key: value for key, value in sections.items() if value}


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

    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
