"""Decide who owns a bucket's notification: a source of this config, another config or a user. Pure.

The id tells which config made it, and the keys tell which source it belongs to. `function` is the
function's ARN without a qualifier, since another account may have a function of the same name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from kappa.arn import invokes, parse_arn, qualifier, unqualified
from kappa.config.model import Config, EventSource
from kappa.config.s3_notification import (
    Notification,
    key_pattern,
    notification_of,
    overlap,
    prefix_and_suffix,
    replaces,
)
from kappa.sources.state import SourcesState

FUNCTIONS = "LambdaFunctionConfigurations"
Document = Mapping[str, Any]


def notifications_of(source: EventSource, state: SourcesState) -> Document | None:
    """All notifications of a source's bucket; None if the bucket does not exist."""
    document: Document | None = state.current.get(source.key)
    return document


def own(
    config: Config, source: EventSource, function: str, document: Document | None
) -> dict[str, Any] | None:
    """Find the notification that this or an earlier kappa made for a source."""
    own_items = assigned(config, source.arn, function, document)[keys_of(source)]
    return own_items[0] if own_items else None


def is_notifying(config: Config, source: EventSource, state: SourcesState) -> bool:
    """Whether the bucket notifies the function of a source's keys as kappa sets it up."""
    document = notifications_of(source, state)
    return bool(replaced(config, source, state.target_arn, document))


def by_hand(config: Config, source: EventSource, state: SourcesState) -> list[str]:
    """List the function's notifications that kappa did not make, with their targets."""
    left = _left(config, source, state)
    return [
        f"{item.get('Id', '')} ({target(item)})" for item in left if not _is_kappas(state, item)
    ]


def not_named(config: Config, source: EventSource, state: SourcesState) -> list[str]:
    """List the function's notifications beyond the config's, with their targets and keys."""
    left = _left(config, source, state)
    return [f"{item.get('Id', '')} ({target(item)}, keys {key_pattern(item)})" for item in left]


def is_first(config: Config, source: EventSource) -> bool:
    """Whether a source is the config's first of its bucket, which reports on the whole bucket."""
    return keys_of(sources_of(config, source.arn)[0]) == keys_of(source)


def replaced(
    config: Config, source: EventSource, target_arn: str, document: Document | None
) -> list[dict[str, Any]]:
    """Find the notifications that a source's replaces: its own, and others with the same keys.

    `target_arn` is the ARN of the function or of its alias. Notifications of other configs and
    environments on other aliases are not among them.
    """
    function = unqualified(target_arn)
    assignments = assigned(config, source.arn, function, document)
    known = [item for items in assignments.values() for item in items]
    desired = notification_of(source)
    return [
        *assignments[keys_of(source)],
        *(
            item
            for item in functions(document)
            if item not in known and is_ours(config, function, item) and replaces(desired, item)
            if target(item) == target_arn or not _is_given(function, item)
        ),
    ]


def assigned(
    config: Config, bucket_arn: str, function: str, document: Document | None
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Assign the notifications that this config or an older kappa made to the sources, by keys.

    A source gets those with its keys and those that overlap them. Otherwise it gets one of this
    config whose keys no source has any more, so that a changed prefix moves it.
    """
    sources = sources_of(config, bucket_arn)
    prefix, known = _prefix(config), {keys_of(source) for source in sources}
    made = [
        item
        for item in functions(document)
        if is_ours(config, function, item)
        and (str(item.get("Id", "")).startswith(prefix) or _is_old(config.function.name, item))
    ]
    spare = [item for item in made if prefix_and_suffix(item) not in known]
    by_keys: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for source in sources:
        same = [item for item in made if prefix_and_suffix(item) == keys_of(source)]
        same += [item for item in spare if overlap(item, notification_of(source))]
        if not same:
            same = [item for item in spare if str(item["Id"]).startswith(prefix)][:1]
        spare = [item for item in spare if item not in same]
        by_keys[keys_of(source)] = same
    return by_keys


def _left(config: Config, source: EventSource, state: SourcesState) -> list[dict[str, Any]]:
    """Find the function's notifications that belong to no source of the config."""
    document, function = notifications_of(source, state), state.function
    known = [
        item
        for items in assigned(config, source.arn, function, document).values()
        for item in items
    ]
    named = [
        source if keys_of(other) == keys_of(source) else other
        for other in sources_of(config, source.arn)
    ]
    for other in named:
        known += replaced(config, other, state.target_arn, document) if other.enabled else []
    return [
        item
        for item in functions(document)
        if item not in known and is_ours(config, function, item)
    ]


def is_ours(config: Config, function: str, item: Notification) -> bool:
    """Whether it invokes the function, but not on an alias of another environment."""
    return invokes(target(item), function) and qualifier(target(item)) not in config.others


def desired_notification(
    config: Config, source: EventSource, state: SourcesState
) -> dict[str, Any]:
    """The notification that a source needs."""
    id_ = f"{_prefix(config)}{_digest(json.dumps(keys_of(source)))}"
    return {"Id": id_, "LambdaFunctionArn": state.target_arn, **notification_of(source)}


def differs(function: str, own_items: list[dict[str, Any]], desired: Notification) -> bool:
    """Whether a write is needed. An old id is replaced, since it does not name the config."""
    same = len(own_items) == 1 and comparable(own_items[0]) == comparable(desired)
    return not same or _is_old(parse_arn(function).name, own_items[0])


def comparable(item: Notification) -> object:
    """Normalize a notification: S3 keeps no order of events, and drops an empty prefix."""
    return item["LambdaFunctionArn"], sorted(item["Events"]), prefix_and_suffix(item)


def keys_of(source: EventSource) -> tuple[str, str]:
    """The prefix and the suffix of a source, which identify it within its bucket."""
    return prefix_and_suffix(notification_of(source))


def sources_of(config: Config, bucket_arn: str) -> list[EventSource]:
    """The config's sources of one bucket."""
    return [source for source in config.function.event_sources if source.arn == bucket_arn]


def functions(document: Document | None) -> list[dict[str, Any]]:
    """The notifications of functions."""
    listed: list[dict[str, Any]] = (document or {}).get(FUNCTIONS, [])
    return listed


def everything(document: Document) -> list[dict[str, Any]]:
    """The notifications of topics, queues and functions."""
    topics = document.get("TopicConfigurations", [])
    return [*topics, *document.get("QueueConfigurations", []), *functions(document)]


def target(item: Notification) -> str:
    """The ARN that a notification goes to."""
    return str(next((item[key] for key in item if key.endswith("Arn")), ""))


def _prefix(config: Config) -> str:
    """The prefix of this config's ids; each file and environment has its own."""
    config_name = f"{config.file.name} {config.environment}"
    return f"kappa-{config.function.name}-{_digest(config_name)}-"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _is_old(name: str, item: Notification) -> bool:
    """Whether it has an id of an earlier kappa, which gave one id for each function."""
    return item.get("Id") in (f"kappa-{name}", f"Kappa-{name}-notification")


def _is_kappas(state: SourcesState, item: Notification) -> bool:
    return _is_old(parse_arn(state.function).name, item) or _is_given(state.function, item)


def _is_given(function: str, item: Notification) -> bool:
    """Whether its id tells which config and environment made it."""
    pattern = rf"kappa-{parse_arn(function).name}-[0-9a-f]{{8}}-[0-9a-f]{{8}}"
    return bool(re.fullmatch(pattern, str(item.get("Id", ""))))
