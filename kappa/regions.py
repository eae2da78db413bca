"""Tell a mistyped region from one that is newer than the SDK. Pure."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection

# AWS names a new region after an area, a direction and a number.
_NEW = re.compile(
    r"(eusc-)?[a-z]{2}(-[a-z]+)?-(north|south|east|west|central|(north|south)(east|west))-\d"
)


def meant(region: str, known: Collection[str]) -> str:
    """Find the known region that a mistyped one stands for; "" if it may well exist."""
    if region in known or _NEW.fullmatch(region):
        return ""
    return nearest(region, known)


def nearest(region: str, known: Collection[str]) -> str:
    """Find the known region that is written most like this one; "" if none is."""
    word = region.lower()
    near = difflib.get_close_matches(word, sorted(known), 5, 0.75)
    # Letters that changed places are the likeliest mistake.
    return min(near, key=lambda one: sum(_difference(word, one).values()), default="")


def _difference(one: str, other: str) -> Counter[str]:
    first, second = Counter(one), Counter(other)
    return (first - second) + (second - first)
