"""Find settings in an AWS answer that kappa does not know, including future ones. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# Common names of some settings; the others keep AWS's name.
_NAMES = {
    "ResolvedS3Object": "code in S3",
    "SourceKMSKeyArn": "key of the zip",
}


def list_unknown(
    answer: Mapping[str, Any], known: Mapping[str, tuple[str, ...] | None], of: str = ""
) -> list[str]:
    """List the settings of an answer beyond the known keys; `of` begins each name."""
    names = []
    for key, value in answer.items():
        inner = known.get(key)
        if key == "ResponseMetadata":
            continue
        if key not in known:
            rest = value
        elif inner is not None and isinstance(value, Mapping):
            rest = {name: item for name, item in value.items() if name not in inner}
        else:
            continue
        if _is_set(rest):
            names.append(f"{of}{_NAMES.get(key, key)}: {as_text(rest)}")
    return names


def _is_set(value: object) -> bool:
    """Whether a value sets anything; {"Configs": []} does not."""
    if isinstance(value, Mapping):
        return any(map(_is_set, value.values()))
    return bool(value)


def as_text(value: object) -> str:
    """Write a value on one line: text unchanged, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)
