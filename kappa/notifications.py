"""A bucket's notifications: plan the function's own, leave those of others untouched.

S3 takes a bucket's notifications as one whole, so every change sends along what was there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa import arn as arns
from kappa.errors import Conflict, NotFound
from kappa.part import Part, unchanged
from kappa.sourcesettings import EventSource
from kappa.sourcestate import SourcesState
from kappa.steps import Already, Step

_FUNCTIONS = "LambdaFunctionConfigurations"


def own(function: str, has: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Find the notification that kappa made for a function, by its id."""
    found = (has or {}).get(_FUNCTIONS, [])
    return next((one for one in found if one.get("Id") == _id(function)), None)


def plan(function: str, source: EventSource, state: SourcesState) -> Part:
    """Plan the function's notification.

    Raises: NotFound, if the bucket does not exist; Conflict, if others have such events already.
    """
    has = state.buckets.get(source.arn)
    if has is None:
        raise NotFound(f"The bucket {source.arn} does not exist.", "Make it, or correct its ARN.")
    there, wanted = own(function, has), _wanted(function, source, state.invoked)
    if not source.enabled:
        item = plan_remove(function, source, has) if there else unchanged(source, "disabled")
        return Part(there is not None, [item])
    if there is not None and _comparable(there) == _comparable(wanted):
        return Part(True, [unchanged(source)])
    _refuse_overlap(function, source, has, wanted)
    mine = {**has, _FUNCTIONS: [*_others(function, has), wanted]}
    return Part(there is not None, [_put(source, has, mine, "updated" if there else "created")])


def plan_remove(
    function: str, source: EventSource, has: Mapping[str, Any] | None
) -> Step | Already:
    """Plan the removal of the function's notification."""
    if has is None or own(function, has) is None:
        return Already("gone", source.label)
    return _put(source, has, {**has, _FUNCTIONS: _others(function, has)}, "removed")


def _id(function: str) -> str:
    return f"kappa-{function}"


def _others(function: str, has: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in has.get(_FUNCTIONS, []) if one.get("Id") != _id(function)]


def _wanted(function: str, source: EventSource, function_arn: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "Id": _id(function),
        "LambdaFunctionArn": function_arn,
        "Events": list(source.events),
    }
    if source.key_filters:
        rules = [{"Name": one.type, "Value": one.value} for one in source.key_filters]
        wanted["Filter"] = {"Key": {"FilterRules": rules}}
    return wanted


def _comparable(one: Mapping[str, Any]) -> object:
    """S3 answers `Prefix` where `prefix` was said, and keeps no order."""
    rules = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return (
        one["LambdaFunctionArn"],
        sorted(one["Events"]),
        sorted((rule["Name"].lower(), rule["Value"]) for rule in rules),
    )


def _refuse_overlap(
    function: str, source: EventSource, has: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    """Say whose notification is in the way: S3 itself says only that some rules overlap.

    Source: Amazon S3 guide, "Configuring event notifications using object key name filtering".
    """
    others = [
        *has.get("TopicConfigurations", []),
        *has.get("QueueConfigurations", []),
        *_others(function, has),
    ]
    for other in others:
        if _overlap(other, wanted):
            target = next((other[key] for key in other if key.endswith("Arn")), "")
            raise Conflict(
                f"The bucket {source.short} already notifies {target} of such keys "
                f"(notification {other.get('Id', '')}): S3 notifies one only.",
                "Give them key_filters or events that differ.",
            )


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    events = any(_shared(a, b) for a in one["Events"] for b in other["Events"])
    prefixes = _filters(one, "prefix"), _filters(other, "prefix")
    suffixes = _filters(one, "suffix")[::-1], _filters(other, "suffix")[::-1]
    return events and all(a.startswith(b) or b.startswith(a) for a, b in (prefixes, suffixes))


def _shared(one: str, other: str) -> bool:
    kind = one.removesuffix("*") if one.endswith("*") else other.removesuffix("*")
    return one == other or ("*" in one + other and one.startswith(kind) and other.startswith(kind))


def _filters(one: Mapping[str, Any], kind: str) -> str:
    rules = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return next((rule["Value"] for rule in rules if rule["Name"].lower() == kind), "")


def _put(source: EventSource, has: Mapping[str, Any], wanted: Mapping[str, Any], mark: str) -> Step:
    kept = {key: value for key, value in wanted.items() if value != []}
    return Step(
        "s3",
        "put_bucket_notification_configuration",
        {"Bucket": arns.parse(source.arn).name, "NotificationConfiguration": kept},
        mark,
        source.label,
        settled=("NoSuchBucket",) if mark == "removed" else (),
        before={"NotificationConfiguration": has},
    )
