"""Find settings in AWS's answer that kappa does not know, by AWS's own names. Pure.

So a setting that AWS introduces one day is named too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# Usual words for some settings; the others have AWS's own name.
_WORDS = {
    "CapacityProviderConfig": "capacity provider",
    "DurableConfig": "durable execution",
    "FileSystemConfigs": "file system",
    "ResolvedS3Object": "code in S3",
    "SourceKMSKeyArn": "key of the zip",
    "TenancyConfig": "tenant isolation",
}


def list_unknown(
    answer: Mapping[str, Any], known: Mapping[str, tuple[str, ...] | None], of: str = ""
) -> list[str]:
    """Name the settings of an answer beyond the known keys; `of` begins each name."""
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
        if _holds(rest):
            names.append(f"{of}{_WORDS.get(key, key)}: {as_text(rest)}")
    return names


def _holds(value: object) -> bool:
    """Whether a value says anything: {"Configs": []} does not."""
    if isinstance(value, Mapping):
        return any(map(_holds, value.values()))
    return bool(value)


def as_text(value: object) -> str:
    """Write a value on one line: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)
