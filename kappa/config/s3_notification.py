"""Which keys and events of a bucket a notification is for: the same, more, or shared ones. Pure.

A notification is as S3 answers it. Shape: {Events: [], Filter: {Key: {FilterRules: [{Name,
Value}]}}}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import EventSource

Notification = Mapping[str, Any]


def notification(source: EventSource) -> dict[str, Any]:
    """Say in S3's words which events and keys a source is for."""
    said: dict[str, Any] = {"Events": list(source.events)}
    if source.key_filters:
        rules = [{"Name": one.type, "Value": one.value} for one in source.key_filters]
        said["Filter"] = {"Key": {"FilterRules": rules}}
    return said


def keys(one: Notification) -> tuple[str, str]:
    """The prefix and the suffix of its keys. S3 answers `Prefix` where `prefix` was said."""
    rules = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    given = {rule["Name"].lower(): str(rule["Value"]) for rule in rules}
    return given.get("prefix", ""), given.get("suffix", "")


def words(one: Notification) -> str:
    """Name its keys for people, such as in/*.jpg."""
    return "*".join(keys(one))


def replaces(wanted: Notification, one: Notification) -> bool:
    """Whether the wanted one is for just the keys of another, and for all of its events."""
    events = all(any(_covers(a, b) for a in wanted["Events"]) for b in one["Events"])
    return events and keys(one) == keys(wanted)


def _covers(one: str, other: str) -> bool:
    return one == other or (one.endswith("*") and other.startswith(one.removesuffix("*")))


def overlap(one: Notification, other: Notification) -> bool:
    """Whether some event of some key is for both, which S3 refuses.

    Source: Amazon S3 guide, "Configuring event notifications using object key name filtering".
    """
    events = any(_shared(a, b) for a in one["Events"] for b in other["Events"])
    (prefix, suffix), (other_prefix, other_suffix) = keys(one), keys(other)
    ends = (prefix, other_prefix), (suffix[::-1], other_suffix[::-1])
    return events and all(a.startswith(b) or b.startswith(a) for a, b in ends)


def _shared(one: str, other: str) -> bool:
    kind = one.removesuffix("*") if one.endswith("*") else other.removesuffix("*")
    return one == other or ("*" in one + other and one.startswith(kind) and other.startswith(kind))
