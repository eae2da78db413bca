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
from kappa.arn import invokes, qualifier
from kappa.aws.client import Aws
from kappa.aws.translate import DENIED
from kappa.config.model import Config, EventSource
from kappa.config.s3_notification import Notification, key_pattern, overlap, prefix_and_suffix
from kappa.errors import Conflict, Denied, NotFound
from kappa.plan.step import Merge, Note, Plan, Step
from kappa.sources.kind import Adopted, Kind, Part, Reading, absent, unchanged
from kappa.sources.s3_owner import (
    FUNCTIONS,
    Document,
    assigned,
    by_hand,
    comparable,
    differs,
    everything,
    functions,
    is_first,
    is_notifying,
    is_ours,
    keys_of,
    not_named,
    notifications_of,
    own,
    replaced,
    sources_of,
    target,
    wanted_of,
)
from kappa.sources.state import SourcesState

_READ = "get_bucket_notification_configuration"
_WRITE = "put_bucket_notification_configuration"
Into = Callable[[Document], Document | None]
_DENIED_HINT = (
    "Ask for this permission; or the bucket is another account's: only an account's own buckets "
    "can invoke its functions through kappa."
)


def read(reading: Reading, source: EventSource) -> Document | None:
    """Read all notifications of the bucket; None if there is no such bucket."""
    bucket = arns.parse(source.arn).name
    doing, params = f"reading the notifications of {bucket}", {"Bucket": bucket}
    try:
        answer = reading.aws.call("s3", _READ, doing, params)
    except NotFound:
        return None
    except Denied as error:
        if error.code in DENIED:
            # S3 answers so of a bucket of another account too.
            error.hint = _DENIED_HINT
        raise
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _deliveries(config: Config, source: EventSource, state: SourcesState) -> list[str]:
    notification = own(config, source, state.function, notifications_of(source, state))
    return [qualifier(notification["LambdaFunctionArn"])] if notification else []


def _all_deliveries(_: Config, source: EventSource, state: SourcesState) -> list[str]:
    targets = [target(item) for item in functions(notifications_of(source, state))]
    return [qualifier(arn) for arn in targets if invokes(arn, state.function)]


def plan(config: Config, source: EventSource, state: SourcesState) -> Part:
    """Plan the function's notification of one source; name those of no source of the config.

    Raises: NotFound, if the bucket does not exist; Conflict, if others have such events already.
    """
    return replace(_plan(config, source, state), after=_not_named(config, source, state))


def _not_named(config: Config, source: EventSource, state: SourcesState) -> list[Note]:
    """Name what invokes the function of other keys, or of other events, of the same bucket."""
    if not is_first(config, source):
        return []
    return [
        Note(
            "kept",
            f"{source.plain_label}: notification {name} (this config does not name it; "
            "remove_event_sources removes it too)",
        )
        for name in not_named(config, source, state)
    ]


def _plan(config: Config, source: EventSource, state: SourcesState) -> Part:
    document, function = notifications_of(source, state), state.function
    if document is None:
        raise NotFound(f"The bucket {source.arn} does not exist.", "Make it, or correct its ARN.")
    existing = own(config, source, function, document)
    if not source.enabled:
        item = (
            _disable(config, source, function, document)
            if existing
            else unchanged(source, "disabled")
        )
        return Part(existing is not None, [item])
    wanted = wanted_of(config, source, state)
    mine = replaced(config, source, state.invoked, document)
    if not differs(function, mine, wanted):
        return Part(True, [unchanged(source)])

    def into(now: Document) -> Document | None:
        _refuse_overlap(config, source, function, now, wanted)
        return _with(config, source, function, now, wanted)

    into(document)
    # S3 asks each destination of the bucket whether it is there, also those of others.
    # Source: Amazon S3 API reference, "PutBucketNotificationConfiguration".
    others = sorted({target(other) for other in everything(document) if other not in mine})
    hint = f"S3 asks all destinations of the bucket: {', '.join(others)}." if others else ""
    if not mine:
        return Part(False, [_put(source, document, into, "created", source.label, hint)])
    only_id = len(mine) == 1 and comparable(mine[0]) == comparable(wanted)
    message = f"{source.label}{_changes(mine[0], wanted)}"
    return Part(True, [_put(source, document, into, "updated", message, hint, unasked=only_id)])


def plan_remove(config: Config, source: EventSource, state: SourcesState) -> Plan:
    """Plan the removal of all of the function's notifications of a bucket, whoever made them.

    The config's first source of a bucket takes them all along.
    """
    if not is_first(config, source):
        return []
    document, function = notifications_of(source, state), state.function
    label = source.label if len(sources_of(config, source.arn)) == 1 else source.plain_label
    left = not_named(config, source, state) if document else []
    more = f", and with it {', '.join(left)}" if left else ""

    def goes(now: Document) -> Sequence[Notification]:
        return [item for item in functions(now) if is_ours(config, function, item)]

    return [_remove(source, document, goes, f"{label}{more}")]


def chained(plan: Plan) -> Plan:
    """Let each write of a bucket bring along what the plan wrote there before.

    S3 may answer for a while what a bucket had before a write.
    Source: Amazon S3 guide, "Amazon S3 data consistency model", of bucket configurations.
    """
    written: dict[str, Step] = {}
    items: list[Step | Note] = []
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
    earlier, later = first.merge.into, second.merge.into

    def both(now: Document) -> Document | None:
        begun = earlier(now)
        return later(begun["NotificationConfiguration"] if begun else now) or begun

    before = first.params["NotificationConfiguration"]
    return replace(
        second,
        params=later(before) or second.params,
        before={"NotificationConfiguration": before},
        merge=replace(second.merge, into=both),
    )


def _disable(config: Config, source: EventSource, function: str, document: Document) -> Step | Note:
    def goes(now: Document) -> Sequence[Notification]:
        return assigned(config, source.arn, function, now)[keys_of(source)]

    return _remove(source, document, goes, source.label)


def _remove(
    source: EventSource,
    document: Document | None,
    goes: Callable[[Document], Sequence[Notification]],
    message: str,
) -> Step | Note:
    def into(now: Document) -> Document | None:
        gone = goes(now)
        left = [item for item in functions(now) if item not in gone]
        return {**now, FUNCTIONS: left} if len(left) < len(functions(now)) else None

    if document is None or into(document) is None:
        return Note("gone", message)
    return _put(source, document, into, "removed", message, unasked=True)


def _with(
    config: Config, source: EventSource, function: str, document: Document, wanted: Notification
) -> dict[str, Any] | None:
    """Put a source's notification where its own was; None, if all is as wanted."""
    mine = replaced(config, source, str(wanted["LambdaFunctionArn"]), document)
    if not differs(function, mine, wanted):
        return None
    return {
        **document,
        FUNCTIONS: [*(item for item in functions(document) if item not in mine), wanted],
    }


def _changes(current: Notification, wanted: Notification) -> str:
    other_keys = prefix_and_suffix(current) != prefix_and_suffix(wanted)
    changed = {
        f"keys, which were {key_pattern(current)}": other_keys,
        "events": sorted(current["Events"]) != sorted(wanted["Events"]),
        "function": target(current) != target(wanted),
    }
    names = [name for name, is_changed in changed.items() if is_changed]
    return f": {', '.join(names or ['id'])}"


def _refuse_overlap(
    config: Config, source: EventSource, function: str, document: Document, wanted: Notification
) -> None:
    """Say whose notification is in the way: S3 itself says only that some rules overlap."""
    mine = replaced(config, source, str(wanted["LambdaFunctionArn"]), document)
    for some in assigned(config, source.arn, function, document).values():
        mine += some
    for other in (item for item in everything(document) if item not in mine):
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
    document: Document,
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
        params(document) or {},
        mark,
        message,
        settled=("NoSuchBucket",) if mark == "removed" else (),
        hint=hint,
        before={"NotificationConfiguration": document},
        merge=Merge(_READ, bucket, params),
    )


def _describe(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    others = by_hand(config, source, state) if is_first(config, source) else []
    is_there = others or is_notifying(config, source, state)
    problem = f"notified too by {', '.join(others)}, which kappa did not make"
    return {
        "state": "Notifying" if is_there else absent(source),
        **({"problem": problem} if others else {}),
    }


def adopt(aws: Aws, bucket: str, function: str, doing: str) -> Adopted:
    """Read the function's notifications of a bucket, and say each as a config does."""
    answer = aws.call("s3", _READ, doing, {"Bucket": arns.parse(bucket).name})
    own_ones = [item for item in functions(answer) if item["LambdaFunctionArn"] == function]
    return Adopted(tuple(_as_source(bucket, item) for item in own_ones))


def _as_source(bucket: str, item: Notification) -> dict[str, Any]:
    rules = item.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    filters = [{"type": rule["Name"].lower(), "value": rule["Value"]} for rule in rules]
    source = {"arn": bucket, "events": list(item["Events"])}
    return {**source, "key_filters": filters} if filters else source


KIND = Kind(
    read=read,
    deliveries=_deliveries,
    plan=plan,
    plan_remove=plan_remove,
    describe=_describe,
    adopt=adopt,
    # Source: Amazon S3 guide, "Enabling and configuring event notifications": up to five minutes.
    calls_late="S3",
    all_deliveries=_all_deliveries,
    chain=chained,
)
