"""Whose a bucket's notification is: of a source of this config, of another config, by hand. Pure.

The id says which config made it, its keys for which source it is. `function` is the function's
ARN without a qualifier: another account may have one of its name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from kappa import arn as arns
from kappa.arn import invokes, qualifier, unqualified
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
    """All notifications of a source's bucket; None if there is no such bucket."""
    document: Document | None = state.current.get(source.key)
    return document


def own(
    config: Config, source: EventSource, function: str, document: Document | None
) -> dict[str, Any] | None:
    """Find the notification that kappa made for a source, today's or an earlier kappa."""
    own_items = assigned(config, source.arn, function, document)[keys_of(source)]
    return own_items[0] if own_items else None


def is_notifying(config: Config, source: EventSource, state: SourcesState) -> bool:
    """Whether the function is told of a source's keys by kappa or just as kappa would do it."""
    document = notifications_of(source, state)
    return bool(replaced(config, source, state.invoked, document))


def by_hand(config: Config, source: EventSource, state: SourcesState) -> list[str]:
    """Name the function's notifications that no kappa made, and where each invokes it."""
    left = _left(config, source, state)
    return [
        f"{item.get('Id', '')} ({target(item)})" for item in left if not _is_kappas(state, item)
    ]


def not_named(config: Config, source: EventSource, state: SourcesState) -> list[str]:
    """Name the function's notifications that the config does not: their ids, targets and keys."""
    left = _left(config, source, state)
    return [f"{item.get('Id', '')} ({target(item)}, keys {key_pattern(item)})" for item in left]


def is_first(config: Config, source: EventSource) -> bool:
    """Whether a source is the config's first of its bucket: it speaks for what all share."""
    return keys_of(sources_of(config, source.arn)[0]) == keys_of(source)


def replaced(
    config: Config, source: EventSource, invoked: str, document: Document | None
) -> list[dict[str, Any]]:
    """Find what a source's notification replaces: its own, and what others made of its keys.

    `invoked` is the ARN of the function or of its alias. What another config or environment has on
    another alias stays its own.
    """
    function = unqualified(invoked)
    given = assigned(config, source.arn, function, document)
    known = [item for some in given.values() for item in some]
    wanted = notification_of(source)
    return [
        *given[keys_of(source)],
        *(
            item
            for item in functions(document)
            if item not in known and is_ours(config, function, item) and replaces(wanted, item)
            if target(item) == invoked or not _is_given(function, item)
        ),
    ]


def assigned(
    config: Config, bucket_arn: str, function: str, document: Document | None
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Say which notifications that this config or an older kappa made are of which source.

    Of the same keys; what its keys overlap; else one of this config whose keys no source has any
    more, so that a changed prefix moves it.
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
    """Find the function's notifications that are of no source of the config."""
    document, function = notifications_of(source, state), state.function
    known = [
        item for some in assigned(config, source.arn, function, document).values() for item in some
    ]
    named = [
        source if keys_of(other) == keys_of(source) else other
        for other in sources_of(config, source.arn)
    ]
    for other in named:
        known += replaced(config, other, state.invoked, document) if other.enabled else []
    return [
        item
        for item in functions(document)
        if item not in known and is_ours(config, function, item)
    ]


def is_ours(config: Config, function: str, item: Notification) -> bool:
    """Whether it invokes the function, on no alias of another environment."""
    return invokes(target(item), function) and qualifier(target(item)) not in config.others


def wanted_of(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    """The notification that a source shall have."""
    id_ = f"{_prefix(config)}{_digest(json.dumps(keys_of(source)))}"
    return {"Id": id_, "LambdaFunctionArn": state.invoked, **notification_of(source)}


def differs(function: str, mine: list[dict[str, Any]], wanted: Notification) -> bool:
    """Whether one must be written. An old id goes: it does not say which config's it is."""
    same = len(mine) == 1 and comparable(mine[0]) == comparable(wanted)
    return not same or _is_old(arns.parse(function).name, mine[0])


def comparable(item: Notification) -> object:
    """S3 keeps no order of events; an empty prefix or suffix is none."""
    return item["LambdaFunctionArn"], sorted(item["Events"]), prefix_and_suffix(item)


def keys_of(source: EventSource) -> tuple[str, str]:
    """The prefix and the suffix of a source: they tell it from the config's others."""
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
    """The ARN of what is notified."""
    return str(next((item[key] for key in item if key.endswith("Arn")), ""))


def _prefix(config: Config) -> str:
    """How the ids begin that this config gives: another file or environment gives others."""
    config_name = f"{config.file.name} {config.environment}"
    return f"kappa-{config.function.name}-{_digest(config_name)}-"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _is_old(name: str, item: Notification) -> bool:
    """Whether it has the id of kappa 0.3 to 0.7, or of this kappa when it gave one id only."""
    return item.get("Id") in (f"kappa-{name}", f"Kappa-{name}-notification")


def _is_kappas(state: SourcesState, item: Notification) -> bool:
    return _is_old(arns.parse(state.function).name, item) or _is_given(state.function, item)


def _is_given(function: str, item: Notification) -> bool:
    """Whether its id says which config and environment made it."""
    given = rf"kappa-{arns.parse(function).name}-[0-9a-f]{{8}}-[0-9a-f]{{8}}"
    return bool(re.fullmatch(given, str(item.get("Id", ""))))
