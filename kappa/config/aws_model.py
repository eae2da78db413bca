"""AWS's calls as botocore's own model describes them: members, types, ranges, choices.

Owns reading the model as plain JSON, which takes 4 ms; importing botocore takes 190 ms.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec


@cache
def _model(service: str) -> dict[str, Any]:
    spec = find_spec("botocore")
    folder = Path(((spec and spec.submodule_search_locations) or [""])[0]) / "data" / service
    newest = max(path for path in folder.iterdir() if path.is_dir())
    packed = (newest / "service-2.json.gz").read_bytes()
    model: dict[str, Any] = msgspec.json.decode(gzip.decompress(packed))
    return model


def choices(service: str, shape: str) -> tuple[str, ...]:
    """The values of an enumeration, such as Lambda's Runtime."""
    return tuple(_model(service)["shapes"][shape]["enum"])
