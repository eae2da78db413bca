"""Region names: mistyped ones, ones newer than the SDK, opt-in regions. Pure."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection

# AWS names a region after an area, a direction and a number.
_NEW = re.compile(
    r"(eusc-)?[a-z]{2}(-[a-z]+)?-(north|south|east|west|central|(north|south)(east|west))-\d"
)
_ANY = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")

# Source: Amazon SNS guide, "Prerequisites for integrating Amazon SNS with Lambda functions across
# regions": those launched before March 20, 2019 are enabled by default, all others are opt-in.
_BY_DEFAULT = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)


def is_usual(region: str) -> bool:
    """Whether a name follows the pattern of AWS; such a region may exist."""
    return bool(_NEW.fullmatch(region))


def is_well_formed(region: str) -> bool:
    """Whether a text could be the name of a region."""
    return bool(_ANY.fullmatch(region))


def is_opt_in(partition: str, region: str) -> bool:
    """Whether an account must enable a region before it can use it."""
    return partition == "aws" and region not in _BY_DEFAULT


def partition_of(region: str) -> str:
    """Name a region's partition.

    Source: AWS General Reference, "Amazon Resource Names (ARNs)", partitions.
    """
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for start, name in prefixes.items() if region.startswith(start)), "aws")


def meant(region: str, known: Collection[str]) -> str:
    """Find the known region that a mistyped name stands for; "" if the name may be right."""
    if region in known or is_usual(region):
        return ""
    return nearest(region, known)


def nearest(region: str, known: Collection[str]) -> str:
    """Find the known region with the most similar name; "" if none is similar."""
    word = region.lower()
    near = difflib.get_close_matches(word, sorted(known), 5, 0.75)
    # Swapped letters are the likeliest mistake.
    return min(near, key=lambda known_name: sum(_difference(word, known_name).values()), default="")


def _difference(word: str, other: str) -> Counter[str]:
    first, second = Counter(word), Counter(other)
    return (first - second) + (second - first)
