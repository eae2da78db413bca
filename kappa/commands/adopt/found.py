"""What `init --from` found of a function, and the config that comes of it, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kappa.function.permissions import Statement

POLICY_FILE = "policy.json"
# What reading a config fills in; a setting of AWS may hold it as it stands.
FILLED = re.compile(r"\$\{[a-z][a-z0-9_]*(:-[^}]*)?\}")


@dataclass(frozen=True)
class Found:
    """All that AWS has of a function, as AWS puts it. `rest` names what a config has no key for."""

    function: Mapping[str, Any]
    statements: tuple[Statement, ...]
    sources: list[dict[str, Any]]
    role: Mapping[str, Any]
    policy: Mapping[str, Any] | None
    asynchronous: Mapping[str, Any] | None
    url: Mapping[str, Any] | None
    log_days: int | None
    zipped: bytes | None
    rest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Adopted:
    """A config as plain values, and the names of what is not in it."""

    config: dict[str, Any]
    left_out: tuple[str, ...] = ()


def line(text: str) -> str:
    """A text as one line of a comment: what would end it, or not show, is escaped."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)
