"""A bucket's notifications: plan the function's own, leave those of others untouched.

S3 takes a bucket's notifications as one whole, so every change sends along what is there. Whose
each is, is s3_owner.py's: a config may have several sources of one bucket, and a function
several configs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from kappa import arn as arns
from kappa.config.model import Config, EventSource
from kappa.config.s3_notification import Notification, keys, overlap, words
from kappa.errors import Conflict, NotFound
from kappa.plan.step import Already, Merge, Plan, Step
from kappa.sources.part import Part, unchanged
from kappa.sources.s3_owner import (
    FUNCTIONS,
    Document,
    assigned,
    comparable,
    differs,
    everything,
    functions,
    is_ours,
    keys_of,
    not_named,
    own,
    replaced,
    sources_of,
    target,
    wanted_of,
)
from kappa.sources.state import SourcesState

_WRITE = "put_bucket_notification_configuration"
Into = Callable[[Document], Document | None]


def plan(config: Config, source: EventSource, state: SourcesState) -> Part:
    """Plan the function's notification of one source.

    Raises: NotFound, if the bucket does not exist; Conflict, if others have such events already.
    """
    has, function = state.buckets.get(source.arn), state.function
    if has is None:
        raise NotFound(f"The bucket {source.arn} does not exist.", "Make it, or correct its ARN.")
    there = own(config, source, function, has)
    if not source.enabled:
        item = _disable(config, source, function, has) if there else unchanged(source, "disabled")
        return Part(there is not None, [item])
    wanted = wanted_of(config, source, state)
    mine = replaced(config, source, state.invoked, has)
    if not differs(function, mine, wanted):
        return Part(True, [unchanged(source)])

    def into(now: Document) -> Document | None:
        _refuse_overlap(config, source, function, now, wanted)
        return _with(config, source, function, now, wanted)

    into(has)
    # S3 asks each destination of the bucket whether it is there, also those of others.
    # Source: Amazon S3 API reference, "PutBucketNotificationConfiguration".
    others = sorted({target(one) for one in everything(has) if one not in mine})
    hint = f"S3 asks all destinations of the bucket: {', '.join(others)}." if others else ""
    if not mine:
        return Part(False, [_put(source, has, into, "created", source.label, hint)])
    only_id = len(mine) == 1 and comparable(mine[0]) == comparable(wanted)
    message = f"{source.label}{_changes(mine[0], wanted)}"
    return Part(True, [_put(source, has, into, "updated", message, hint, unasked=only_id)])


def plan_remove(config: Config, source: EventSource, state: SourcesState) -> Step | Already:
    """Plan the removal of all of the function's notifications of a bucket, whoever made them."""
    has, function = state.buckets.get(source.arn), state.function
    label = source.label if len(sources_of(config, source.arn)) == 1 else source.plain_label
    left = not_named(config, source, state) if has else []
    more = f", and with it {', '.join(left)}" if left else ""

    def goes(now: Document) -> Sequence[Notification]:
        return [one for one in functions(now) if is_ours(config, function, one)]

    return _remove(source, has, goes, f"{label}{more}")


def chained(plan: Plan) -> Plan:
    """Let each write of a bucket bring along what the plan wrote there before.

    S3 may answer for a while what a bucket had before a write.
    Source: Amazon S3 guide, "Amazon S3 data consistency model", of bucket configurations.
    """
    written: dict[str, Step] = {}
    items: list[Step | Already] = []
    for item in plan:
        if isinstance(item, Step) and item.operation == _WRITE:
            bucket = str(item.params["Bucket"])
            item = _after(written[bucket], item) if bucket in written else item
            written[bucket] = item
        items.append(item)
    return items


def _after(first: Step, second: Step) -> Step:
    assert first.merge is not None
    assert second.merge is not None
    one, other = first.merge.into, second.merge.into

    def both(now: Document) -> Document | None:
        begun = one(now)
        return other(begun["NotificationConfiguration"] if begun else now) or begun

    before = first.params["NotificationConfiguration"]
    return replace(
        second,
        params=other(before) or second.params,
        before={"NotificationConfiguration": before},
        merge=replace(second.merge, into=both),
    )


def _disable(config: Config, source: EventSource, function: str, has: Document) -> Step | Already:
    def goes(now: Document) -> Sequence[Notification]:
        return assigned(config, source.arn, function, now)[keys_of(source)]

    return _remove(source, has, goes, source.label)


def _remove(
    source: EventSource,
    has: Document | None,
    goes: Callable[[Document], Sequence[Notification]],
    message: str,
) -> Step | Already:
    def into(now: Document) -> Document | None:
        gone = goes(now)
        left = [one for one in functions(now) if one not in gone]
        return {**now, FUNCTIONS: left} if len(left) < len(functions(now)) else None

    if has is None or into(has) is None:
        return Already("gone", message)
    return _put(source, has, into, "removed", message, unasked=True)


def _with(
    config: Config, source: EventSource, function: str, has: Document, wanted: Notification
) -> dict[str, Any] | None:
    """Put a source's notification where its own was; None, if all is as wanted."""
    mine = replaced(config, source, str(wanted["LambdaFunctionArn"]), has)
    if not differs(function, mine, wanted):
        return None
    return {**has, FUNCTIONS: [*(one for one in functions(has) if one not in mine), wanted]}


def _changes(has: Notification, wanted: Notification) -> str:
    changed = {
        f"keys, which were {words(has)}": keys(has) != keys(wanted),
        "events": sorted(has["Events"]) != sorted(wanted["Events"]),
        "function": target(has) != target(wanted),
    }
    said = [name for name, is_changed in changed.items() if is_changed]
    return f": {', '.join(said or ['id'])}"


def _refuse_overlap(
    config: Config, source: EventSource, function: str, has: Document, wanted: Notification
) -> None:
    """Say whose notification is in the way: S3 itself says only that some rules overlap."""
    mine = replaced(config, source, str(wanted["LambdaFunctionArn"]), has)
    for some in assigned(config, source.arn, function, has).values():
        mine += some
    for other in (one for one in everything(has) if one not in mine):
        if other.get("Id") == wanted["Id"]:
            raise Conflict(
                f"The bucket {source.short} has a notification {wanted['Id']} of "
                f"{target(other)}, which is not this function.",
                "Remove it, or give it another id.",
            )
        if overlap(other, wanted):
            raise Conflict(
                f"The bucket {source.short} already notifies {target(other)} of such keys "
                f"(notification {other.get('Id', '')}): S3 notifies one only.",
                "Give them key_filters or events that differ, or remove that notification.",
            )


def _put(
    source: EventSource,
    has: Document,
    into: Into,
    mark: str,
    message: str,
    hint: str = "",
    *,
    unasked: bool = False,
) -> Step:
    """Plan the write; an `unasked` one does not ask the destinations whether they are there."""
    bucket = {"Bucket": arns.parse(source.arn).name}
    skip = {"SkipDestinationValidation": True} if unasked else {}

    def params(now: Document) -> dict[str, Any] | None:
        given = {key: value for key, value in now.items() if key != "ResponseMetadata"}
        wanted = into(given)
        if wanted is None:
            return None
        kept = {key: value for key, value in wanted.items() if value != []}
        return {**bucket, "NotificationConfiguration": kept, **skip}

    return Step(
        "s3",
        _WRITE,
        params(has) or {},
        mark,
        message,
        settled=("NoSuchBucket",) if mark == "removed" else (),
        hint=hint,
        before={"NotificationConfiguration": has},
        merge=Merge("get_bucket_notification_configuration", bucket, params),
    )
