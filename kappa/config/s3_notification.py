"""Which keys and events of a bucket a notification is for: the same, more, or shared ones. Pure.

A notification is as S3 answers it. Shape: {Events: [], Filter: {Key: {FilterRules: [{Name,
Value}]}}}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import EventSource

Notification = Mapping[str, Any]


def notification_of(source: EventSource) -> dict[str, Any]:
    """Word in S3's terms which events and keys a source is for."""
    notification: dict[str, Any] = {"Events": list(source.events)}
    if source.key_filters:
        rules = [{"Name": key.type, "Value": key.value} for key in source.key_filters]
        notification["Filter"] = {"Key": {"FilterRules": rules}}
    return notification


def prefix_and_suffix(notification: Notification) -> tuple[str, str]:
    """The prefix and the suffix of its keys. S3 answers `Prefix` where `prefix` was given."""
    rules = notification.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    given = {rule["Name"].lower(): str(rule["Value"]) for rule in rules}
    return given.get("prefix", ""), given.get("suffix", "")


def key_pattern(notification: Notification) -> str:
    """Name its keys for people, such as in/*.jpg."""
    return "*".join(prefix_and_suffix(notification))


def replaces(desired: Notification, current: Notification) -> bool:
    """Whether the desired one is for just the keys of the current one, and for all its events."""
    events = all(any(_covers(a, b) for a in desired["Events"]) for b in current["Events"])
    return events and prefix_and_suffix(current) == prefix_and_suffix(desired)


def _covers(event: str, other: str) -> bool:
    return event == other or (event.endswith("*") and other.startswith(event.removesuffix("*")))


def overlap(notification: Notification, other: Notification) -> bool:
    """Whether some event of some key is for both, which S3 refuses.

    Source: Amazon S3 guide, "Configuring event notifications using object key name filtering".
    """
    events = any(_shared(a, b) for a in notification["Events"] for b in other["Events"])
    (prefix, suffix), (other_prefix, other_suffix) = map(prefix_and_suffix, (notification, other))
    ends = (prefix, other_prefix), (suffix[::-1], other_suffix[::-1])
    return events and all(a.startswith(b) or b.startswith(a) for a, b in ends)


def _shared(event: str, other: str) -> bool:
    kind = event.removesuffix("*") if event.endswith("*") else other.removesuffix("*")
    return event == other or (
        "*" in event + other and event.startswith(kind) and other.startswith(kind)
    )
