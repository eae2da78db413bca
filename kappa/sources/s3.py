"""S3: a bucket's notifications of the function. Everything else in the bucket stays as it is.

S3 only replaces all notifications of a bucket at once, so the config's sources of a bucket are one
part: its first source plans the write. One rule tells which notifications are the config's, see
_own().
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from kappa.arn import invokes, parse_arn, qualifier
from kappa.aws import Aws
from kappa.aws.errors import DENIED
from kappa.config.model import Config, EventSource
from kappa.config.s3_notification import (
    Notification,
    notification_of,
    overlap,
    prefix_and_suffix,
    replaces,
)
from kappa.errors import Conflict, Denied, NotFound
from kappa.plan.step import Merge, Note, Plan, Step
from kappa.sources.kind import Adopted, Kind, Occasion, Part, Reading, absent, unchanged
from kappa.sources.state import SourcesState

Document = Mapping[str, Any]
Listed = list[dict[str, Any]]
_FUNCTIONS = "LambdaFunctionConfigurations"
_READ = "get_bucket_notification_configuration"
_WRITE = "put_bucket_notification_configuration"
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


def _document(source: EventSource, state: SourcesState) -> Document | None:
    document: Document | None = state.current.get(source.key)
    return document


def _functions(document: Document) -> Listed:
    listed: Listed = document.get(_FUNCTIONS, [])
    return listed


def _everything(document: Document) -> Listed:
    topics, queues = (document.get(f"{kind}Configurations", []) for kind in ("Topic", "Queue"))
    return [*topics, *queues, *_functions(document)]


def _target(item: Notification) -> str:
    return str(next((item[key] for key in item if key.endswith("Arn")), ""))


def _sources(config: Config, bucket_arn: str) -> list[EventSource]:
    return [source for source in config.function.event_sources if source.arn == bucket_arn]


def _is_first(config: Config, source: EventSource) -> bool:
    first = _sources(config, source.arn)[0]
    return notification_of(first) == notification_of(source)


def _deliveries(_: Config, source: EventSource, state: SourcesState) -> list[str]:
    """The qualifiers that the bucket notifies of keys and events of a source."""
    wanted = notification_of(source)
    return sorted(
        {
            qualifier(_target(item))
            for item in _functions(_document(source, state) or {})
            if invokes(_target(item), state.function) and overlap(item, wanted)
        }
    )


def _own(config: Config, source: EventSource, state: SourcesState, document: Document) -> Listed:
    """Find the config's notifications of a bucket.

    They invoke the function on the config's alias, or on the function itself. And they have an id
    of kappa's, or are for the very keys of a source and for no more events than it has.
    """
    name, sources = config.function.name, _sources(config, source.arn)
    return [
        item
        for item in _functions(document)
        if invokes(_target(item), state.function)
        and state.is_own(qualifier(_target(item)))
        and (
            state.deleting
            or _is_id_of_kappa(name, str(item.get("Id", "")))
            or any(replaces(notification_of(each), item) for each in sources)
        )
    ]


def _is_id_of_kappa(name: str, id_: str) -> bool:
    """Whether kappa gives such an id; 0.3 and 0.7 gave one for each function."""
    return id_.startswith(f"kappa-{name}-") or id_ == f"Kappa-{name}-notification"


def _desired(source: EventSource, state: SourcesState) -> dict[str, Any]:
    """The notification of one source. Its id tells the function, alias and keys."""
    wanted = notification_of(source)
    identity = json.dumps([state.qualifier, *prefix_and_suffix(wanted)])
    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return {
        "Id": f"kappa-{parse_arn(state.function).name}-{digest}",
        "LambdaFunctionArn": state.target_arn,
        **wanted,
    }


def _comparable(item: Notification) -> object:
    """Normalize a notification: S3 keeps no order of events, and drops an empty prefix."""
    return item["LambdaFunctionArn"], sorted(item["Events"]), prefix_and_suffix(item)


def _with(
    config: Config, source: EventSource, state: SourcesState, document: Document
) -> dict[str, Any] | None:
    """Give the config's sources of a bucket their notifications; None if nothing differs.

    Raises: Conflict, if another notification overlaps.
    """
    own = _own(config, source, state, document)
    by_keys = {str(_comparable(item)): item for item in own}
    sources = (each for each in _sources(config, source.arn) if each.enabled)
    desired = [_desired(each, state) for each in sources]
    # One that is right already keeps its id.
    desired = [by_keys.get(str(_comparable(item)), item) for item in desired]
    if len(own) == len(desired) and all(item in own for item in desired):
        return None
    others = [item for item in _functions(document) if item not in own]
    left = {**document, _FUNCTIONS: others}
    for item in desired:
        _refuse_overlap(source, left, item)
    return {**left, _FUNCTIONS: [*others, *desired]}


def _refuse_overlap(source: EventSource, others: Document, desired: Notification) -> None:
    """Name the overlapping notification, which S3's own error does not."""
    for other in _everything(others):
        if overlap(other, desired):
            raise Conflict(
                f"The bucket {source.short} already notifies {_target(other)} of such keys "
                f"(notification {other.get('Id', '')}): S3 notifies one only.",
                "Give them key_filters or events that differ, or remove that notification.",
            )


def plan(config: Config, source: EventSource, state: SourcesState) -> Part:
    """Plan the notifications of a bucket; its first source writes those of all.

    Raises: NotFound, if the bucket does not exist; Conflict, if another notification overlaps.
    """
    document = _document(source, state)
    if document is None:
        raise NotFound(f"The bucket {source.arn} does not exist.", "Make it, or correct its ARN.")

    def into(current: Document) -> Document | None:
        return _with(config, source, state, current)

    own = _own(config, source, state, document)
    wanted = [each for each in _sources(config, source.arn) if each.enabled]
    exists = bool(own) and len(own) >= len(wanted)
    if into(document) is None:
        return Part(exists, [unchanged(source, "" if source.enabled else "disabled")])
    if not _is_first(config, source):
        return Part(exists, [])
    # S3 checks that each destination of the bucket exists, including those of others.
    # Source: Amazon S3 API reference, "PutBucketNotificationConfiguration".
    others = sorted({_target(other) for other in _everything(document) if other not in own})
    hint = f"S3 checks all destinations of the bucket: {', '.join(others)}." if others else ""
    mark = "removed" if not wanted else "updated" if own else "created"
    return Part(exists, [_put(config, source, document, into, mark, hint)])


def plan_remove(config: Config, source: EventSource, state: SourcesState) -> Plan:
    """Plan the removal of the config's notifications of a bucket, by its first source."""
    if not _is_first(config, source):
        return []
    document = _document(source, state)

    def into(current: Document) -> Document | None:
        own = _own(config, source, state, current)
        left = [item for item in _functions(current) if item not in own]
        return {**current, _FUNCTIONS: left} if own else None

    if document is None or into(document) is None:
        return [Note("gone", _label(config, source))]
    return [_put(config, source, document, into, "removed")]


def _label(config: Config, source: EventSource) -> str:
    """Name the bucket with the keys of all the config's sources of it."""
    keys = ", ".join(each.keys for each in _sources(config, source.arn) if each.keys)
    return f"{source.plain_label} ({keys})" if keys else source.plain_label


def _put(
    config: Config,
    source: EventSource,
    document: Document,
    into: Callable[[Document], Document | None],
    mark: str,
    hint: str = "",
) -> Step:
    """Plan the write; a removal skips S3's check that the destinations exist."""
    bucket = {"Bucket": parse_arn(source.arn).name}
    skip = {"SkipDestinationValidation": True} if mark == "removed" else {}

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
        _label(config, source),
        settled=("NoSuchBucket",) if mark == "removed" else (),
        hint=hint,
        before={"NotificationConfiguration": document},
        merge=Merge(_READ, bucket, params),
    )


def _describe(_: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    wanted = notification_of(source)
    is_notifying = any(
        invokes(_target(item), state.function)
        and state.is_own(qualifier(_target(item)))
        and overlap(item, wanted)
        for item in _functions(_document(source, state) or {})
    )
    return {"state": "Notifying" if is_notifying else absent(source)}


def adopt(aws: Aws, bucket: str, function: str, doing: str) -> Adopted:
    """Read the function's notifications of a bucket as config sections."""
    answer = aws.call("s3", _READ, doing, {"Bucket": parse_arn(bucket).name})
    own_items = [item for item in _functions(answer) if item["LambdaFunctionArn"] == function]
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
    sample=sample,
)
