"""S3: a bucket's notifications of the function. Those of others stay untouched.

S3 only replaces all notifications of a bucket at once, so every write repeats the others.
s3_owner.py decides which belong to a source, since a config may have several sources of one bucket
and a function several configs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from kappa.arn import invokes, parse_arn, qualifier
from kappa.aws import Aws
from kappa.aws.translate import DENIED
from kappa.config.model import Config, EventSource
from kappa.config.s3_notification import Notification, key_pattern, overlap, prefix_and_suffix
from kappa.errors import Conflict, Denied, NotFound
from kappa.plan.step import Merge, Note, Plan, Step
from kappa.sources.kind import Adopted, Kind, Occasion, Part, Reading, absent, unchanged
from kappa.sources.s3_owner import (
    FUNCTIONS,
    Document,
    assigned,
    by_hand,
    comparable,
    desired_notification,
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
    """Read all notifications of the bucket; None if it does not exist."""
    bucket = parse_arn(source.arn).name
    doing, params = f"reading the notifications of {bucket}", {"Bucket": bucket}
    try:
        answer = reading.aws.call("s3", _READ, doing, params)
    except NotFound:
        return None
    except Denied as error:
        if error.code in DENIED:
            # S3 also refuses a bucket of another account this way.
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
    """Plan the notification of one source, and note those that the config does not name.

    Raises: NotFound, if the bucket does not exist; Conflict, if another notification overlaps.
    """
    return replace(_plan(config, source, state), after=_not_named(config, source, state))


def _not_named(config: Config, source: EventSource, state: SourcesState) -> list[Note]:
    """Note the bucket's notifications that invoke the function for other keys or events."""
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
    desired = desired_notification(config, source, state)
    own_items = replaced(config, source, state.target_arn, document)
    if not differs(function, own_items, desired):
        return Part(True, [unchanged(source)])

    def into(current: Document) -> Document | None:
        _refuse_overlap(config, source, function, current, desired)
        return _with(config, source, function, current, desired)

    into(document)
    # S3 checks that each destination of the bucket exists, including those of others.
    # Source: Amazon S3 API reference, "PutBucketNotificationConfiguration".
    others = sorted({target(other) for other in everything(document) if other not in own_items})
    hint = f"S3 checks all destinations of the bucket: {', '.join(others)}." if others else ""
    if not own_items:
        return Part(False, [_put(source, document, into, "created", source.label, hint)])
    only_id = len(own_items) == 1 and comparable(own_items[0]) == comparable(desired)
    message = f"{source.label}{_changes(own_items[0], desired)}"
    return Part(True, [_put(source, document, into, "updated", message, hint, unchecked=only_id)])


def plan_remove(config: Config, source: EventSource, state: SourcesState) -> Plan:
    """Plan the removal of all of the function's notifications of a bucket, whoever made them.

    Only the config's first source of a bucket plans it, for all sources of the bucket.
    """
    if not is_first(config, source):
        return []
    document, function = notifications_of(source, state), state.function
    label = source.label if len(sources_of(config, source.arn)) == 1 else source.plain_label
    left = not_named(config, source, state) if document else []
    more = f", and with it {', '.join(left)}" if left else ""

    def select(current: Document) -> Sequence[Notification]:
        return [item for item in functions(current) if is_ours(config, function, item)]

    return [_remove(source, document, select, f"{label}{more}")]


def chained(plan: Plan) -> Plan:
    """Make each write to a bucket include the plan's earlier writes to it.

    After a write, S3 may still return a bucket's old configuration for a while.
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

    def both(current: Document) -> Document | None:
        first_write = earlier(current)
        start = first_write["NotificationConfiguration"] if first_write else current
        return later(start) or first_write

    before = first.params["NotificationConfiguration"]
    return replace(
        second,
        params=later(before) or second.params,
        before={"NotificationConfiguration": before},
        merge=replace(second.merge, into=both),
    )


def _disable(config: Config, source: EventSource, function: str, document: Document) -> Step | Note:
    def select(current: Document) -> Sequence[Notification]:
        return assigned(config, source.arn, function, current)[keys_of(source)]

    return _remove(source, document, select, source.label)


def _remove(
    source: EventSource,
    document: Document | None,
    select: Callable[[Document], Sequence[Notification]],
    message: str,
) -> Step | Note:
    def into(current: Document) -> Document | None:
        removed = select(current)
        left = [item for item in functions(current) if item not in removed]
        return {**current, FUNCTIONS: left} if len(left) < len(functions(current)) else None

    if document is None or into(document) is None:
        return Note("gone", message)
    return _put(source, document, into, "removed", message, unchecked=True)


def _with(
    config: Config, source: EventSource, function: str, document: Document, desired: Notification
) -> dict[str, Any] | None:
    """Replace a source's notification in the document; None if it is as desired."""
    own_items = replaced(config, source, str(desired["LambdaFunctionArn"]), document)
    if not differs(function, own_items, desired):
        return None
    return {
        **document,
        FUNCTIONS: [*(item for item in functions(document) if item not in own_items), desired],
    }


def _changes(current: Notification, desired: Notification) -> str:
    other_keys = prefix_and_suffix(current) != prefix_and_suffix(desired)
    changed = {
        f"keys, which were {key_pattern(current)}": other_keys,
        "events": sorted(current["Events"]) != sorted(desired["Events"]),
        "function": target(current) != target(desired),
    }
    names = [name for name, is_changed in changed.items() if is_changed]
    return f": {', '.join(names or ['id'])}"


def _refuse_overlap(
    config: Config, source: EventSource, function: str, document: Document, desired: Notification
) -> None:
    """Name the overlapping notification, which S3's own error does not."""
    own_items = replaced(config, source, str(desired["LambdaFunctionArn"]), document)
    for items in assigned(config, source.arn, function, document).values():
        own_items += items
    for other in (item for item in everything(document) if item not in own_items):
        if other.get("Id") == desired["Id"]:
            raise Conflict(
                f"The bucket {source.short} has a notification {desired['Id']} of "
                f"{target(other)}, which is not this function.",
                "Remove it, or give it another id.",
            )
        if overlap(other, desired):
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
    unchecked: bool = False,
) -> Step:
    """Plan the write; `unchecked` skips S3's check that the destinations exist."""
    bucket = {"Bucket": parse_arn(source.arn).name}
    skip = {"SkipDestinationValidation": True} if unchecked else {}

    def params(current: Document) -> dict[str, Any] | None:
        content = {key: value for key, value in current.items() if key != "ResponseMetadata"}
        desired = into(content)
        if desired is None:
            return None
        non_empty = {key: value for key, value in desired.items() if value != []}
        return {**bucket, "NotificationConfiguration": non_empty, **skip}

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
    is_active = others or is_notifying(config, source, state)
    problem = f"notified too by {', '.join(others)}, which kappa did not make"
    return {
        "state": "Notifying" if is_active else absent(source),
        **({"problem": problem} if others else {}),
    }


def adopt(aws: Aws, bucket: str, function: str, doing: str) -> Adopted:
    """Read the function's notifications of a bucket as config sections."""
    answer = aws.call("s3", _READ, doing, {"Bucket": parse_arn(bucket).name})
    own_items = [item for item in functions(answer) if item["LambdaFunctionArn"] == function]
    return Adopted(tuple(_as_source(bucket, item) for item in own_items))


def _as_source(bucket: str, item: Notification) -> dict[str, Any]:
    rules = item.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    filters = [{"type": rule["Name"].lower(), "value": rule["Value"]} for rule in rules]
    source = {"arn": bucket, "events": list(item["Events"])}
    return {**source, "key_filters": filters} if filters else source


# The first kind of each event that a config may name as a whole, such as s3:ObjectCreated:*.
# Source: Amazon S3 guide, "Supported event types for SQS, SNS, and Lambda".
_FIRST = {
    "LifecycleExpiration": "Delete",
    "ObjectAcl": "Put",
    "ObjectRemoved": "Delete",
    "ObjectRestore": "Post",
    "ObjectTagging": "Put",
    "Replication": "OperationFailedReplication",
}


def sample(source: EventSource, occasion: Occasion) -> dict[str, Any]:
    """Make the event of an object that the key filters let through.

    Source: Amazon S3 guide, "Event message structure".
    """
    from urllib.parse import quote_plus

    name, _, kind = source.events[0].removeprefix("s3:").partition(":")
    given = {key.type: key.value for key in source.key_filters}
    key = f"{given.get('prefix', '')}sample{given.get('suffix', '')}"
    is_gone = name in ("LifecycleExpiration", "ObjectRemoved")
    content = {} if is_gone else {"size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": occasion.place.region,
        "eventTime": occasion.time,
        "eventName": f"{name}:{kind.replace('*', _FIRST.get(name, 'Put'))}".removesuffix(":"),
        "userIdentity": {"principalId": "EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "203.0.113.10"},
        "responseElements": {"x-amz-request-id": "EXAMPLE", "x-amz-id-2": "EXAMPLE"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "sample",
            "bucket": {
                "name": parse_arn(source.arn).name,
                "ownerIdentity": {"principalId": "EXAMPLE"},
                "arn": source.arn,
            },
            "object": {
                "key": quote_plus(key, safe="/"),
                **content,
                "sequencer": "0055AED6DCD90281E5",
            },
        },
    }
    return {"Records": [record]}


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
    sample=sample,
)
