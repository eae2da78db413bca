"""AWS's calls as botocore's own model describes them: members, types, ranges, choices.

Owns reading Lambda's model as plain JSON, which takes 4 ms; importing botocore takes 190 ms.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

Shape = Mapping[str, Any]


@cache
def _model() -> dict[str, Any]:
    spec = find_spec("botocore")
    folder = Path(((spec and spec.submodule_search_locations) or [""])[0]) / "data" / "lambda"
    newest = max(path for path in folder.iterdir() if path.is_dir())
    packed = (newest / "service-2.json.gz").read_bytes()
    model: dict[str, Any] = msgspec.json.decode(gzip.decompress(packed))
    return model


def shape(name: str) -> Shape:
    """A shape by its name: its type, and depending on that members, member, enum, min, max."""
    found: Shape = _model()["shapes"][name]
    return found


def members(operation: str) -> dict[str, str]:
    """The members that an operation takes, such as CreateFunction, each with its shape's name."""
    taken = shape(_model()["operations"][operation]["input"]["shape"])
    return {name: member["shape"] for name, member in taken["members"].items()}


def snake_case(name: str) -> str:
    """A member's name as a key of a config: FileSystemConfigs is file_system_configs."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", words).lower()
