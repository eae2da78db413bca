"""A bucket's notifications: plan the function's own, leave those of others untouched.

S3 takes a bucket's notifications as one whole, so every change sends along what is there.
`function` is the function's ARN without a qualifier: another account may have one of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kappa import arn as arns
from kappa.arn import unqualified
from kappa.errors import Conflict, NotFound
from kappa.part import Part, unchanged
from kappa.sourcesettings import EventSource
from kappa.sourcestate import SourcesState
from kappa.steps import Already, Merge, Step

_FUNCTIONS = "LambdaFunctionConfigurations"


def own(function: str, has: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Find the notification that kappa made for a function, today's or an earlier kappa."""
    return next((one for one in _functions(has) if _is_own(function, one)), None)


def by_hand(function: str, source: EventSource, has: Mapping[str, Any] | None) -> list[str]:
    """Name the function's notifications that kappa did not make, and where each invokes it."""
    wanted = _wanted(function, source, function)
    return [
        f"{one.get('Id', '')} ({_target(one)})"
        for one in _functions(has)
        if _invokes(function, one)
        and not _is_own(function, one)
        and not (source.enabled and _replaces(wanted, one))
    ]


def plan(source: EventSource, state: SourcesState) -> Part:
    """Plan the function's notification.

    Raises: NotFound, if the bucket does not exist; Conflict, if others have such events already.
    """
    has, function = state.buckets.get(source.arn), state.function
    if has is None:
        raise NotFound(f"The bucket {source.arn} does not exist.", "Make it, or correct its ARN.")
    there, wanted = own(function, has), _wanted(function, source, state.invoked)
    if not source.enabled:
        item = _remove(function, source, has, _is_own) if there else unchanged(source, "disabled")
        return Part(there is not None, [item])
    if _with(function, has, wanted) is None:
        return Part(True, [unchanged(source)])
    _refuse_overlap(function, source, has, wanted)

    def into(now: Mapping[str, Any]) -> Mapping[str, Any] | None:
        _refuse_overlap(function, source, now, wanted)
        return _with(function, now, wanted)

    # S3 asks each destination of the bucket whether it is there, also those of others.
    # Source: Amazon S3 API reference, "PutBucketNotificationConfiguration".
    mine = _mine(function, has, wanted)
    others = sorted({_target(one) for one in _all(has) if one not in mine})
    hint = f"S3 asks all destinations of the bucket: {', '.join(others)}." if others else ""
    return Part(bool(mine), [_put(source, has, into, "updated" if mine else "created", hint)])


def plan_remove(source: EventSource, state: SourcesState) -> Step | Already:
    """Plan the removal of all of the function's notifications, whoever made them."""
    return _remove(state.function, source, state.buckets.get(source.arn), _invokes)


def _remove(
    function: str,
    source: EventSource,
    has: Mapping[str, Any] | None,
    goes: Callable[[str, Mapping[str, Any]], bool],
) -> Step | Already:
    def into(now: Mapping[str, Any]) -> Mapping[str, Any] | None:
        left = [one for one in _functions(now) if not goes(function, one)]
        return {**now, _FUNCTIONS: left} if len(left) < len(_functions(now)) else None

    if has is None or into(has) is None:
        return Already("gone", source.label)
    return _put(source, has, into, "removed")


def _functions(has: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (has or {}).get(_FUNCTIONS, [])
    return found


def _all(has: Mapping[str, Any]) -> list[dict[str, Any]]:
    topics, queues = has.get("TopicConfigurations", []), has.get("QueueConfigurations", [])
    return [*topics, *queues, *_functions(has)]


def _target(one: Mapping[str, Any]) -> str:
    return str(next((one[key] for key in one if key.endswith("Arn")), ""))


def _id(function: str) -> str:
    return f"kappa-{arns.parse(function).name}"


def _invokes(function: str, one: Mapping[str, Any]) -> bool:
    """Whether a notification is for the function, whichever version or alias of it."""
    return unqualified(_target(one)) == function


def _is_own(function: str, one: Mapping[str, Any]) -> bool:
    """The second id is that of kappa 0.3 to 0.7."""
    ids = (_id(function), f"Kappa-{arns.parse(function).name}-notification")
    return one.get("Id") in ids and _invokes(function, one)


def _with(
    function: str, has: Mapping[str, Any], wanted: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Put the function's notification where its own was; None, if all is as wanted."""
    mine = _mine(function, has, wanted)
    if len(mine) == 1 and _comparable(mine[0]) == _comparable(wanted):
        return None
    others = [one for one in _functions(has) if one not in mine]
    return {**has, _FUNCTIONS: [*others, wanted]}


def _mine(function: str, has: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Find what the wanted one replaces: kappa's own, and what others made of the same keys."""
    return [
        one
        for one in _functions(has)
        if _is_own(function, one) or (_invokes(function, one) and _replaces(wanted, one))
    ]


def _replaces(wanted: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Whether the wanted one is for just the keys of another, and for all of its events."""
    same = all(_filters(one, kind) == _filters(wanted, kind) for kind in ("prefix", "suffix"))
    return same and all(any(_covers(a, b) for a in wanted["Events"]) for b in one["Events"])


def _covers(one: str, other: str) -> bool:
    return one == other or (one.endswith("*") and other.startswith(one.removesuffix("*")))


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
    """S3 answers `Prefix` where `prefix` was said, and keeps no order; an empty one is none."""
    rules = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return (
        one["LambdaFunctionArn"],
        sorted(one["Events"]),
        sorted((rule["Name"].lower(), rule["Value"]) for rule in rules if rule["Value"]),
    )


def _refuse_overlap(
    function: str, source: EventSource, has: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    """Say whose notification is in the way: S3 itself says only that some rules overlap.

    Source: Amazon S3 guide, "Configuring event notifications using object key name filtering".
    """
    mine = _mine(function, has, wanted)
    for other in (one for one in _all(has) if one not in mine):
        if other.get("Id") == wanted["Id"]:
            raise Conflict(
                f"The bucket {source.short} has a notification {wanted['Id']} of "
                f"{_target(other)}, which is not this function.",
                "Remove it, or give it another id.",
            )
        if _overlap(other, wanted):
            raise Conflict(
                f"The bucket {source.short} already notifies {_target(other)} of such keys "
                f"(notification {other.get('Id', '')}): S3 notifies one only.",
                "Give them key_filters or events that differ, or remove that notification.",
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


def _put(
    source: EventSource,
    has: Mapping[str, Any],
    into: Callable[[Mapping[str, Any]], Mapping[str, Any] | None],
    mark: str,
    hint: str = "",
) -> Step:
    """Plan the write; a removal asks nobody whether the destinations of others are there."""
    bucket = {"Bucket": arns.parse(source.arn).name}
    skip = {"SkipDestinationValidation": True} if mark == "removed" else {}

    def params(now: Mapping[str, Any]) -> dict[str, Any] | None:
        given = {key: value for key, value in now.items() if key != "ResponseMetadata"}
        wanted = into(given)
        if wanted is None:
            return None
        kept = {key: value for key, value in wanted.items() if value != []}
        return {**bucket, "NotificationConfiguration": kept, **skip}

    return Step(
        "s3",
        "put_bucket_notification_configuration",
        params(has) or {},
        mark,
        source.label,
        settled=("NoSuchBucket",) if mark == "removed" else (),
        hint=hint,
        before={"NotificationConfiguration": has},
        merge=Merge("get_bucket_notification_configuration", bucket, params),
    )
