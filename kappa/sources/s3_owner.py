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
from kappa.config.s3_notification import Notification, keys, notification, overlap, replaces, words
from kappa.sources.state import SourcesState

FUNCTIONS = "LambdaFunctionConfigurations"
Document = Mapping[str, Any]


def own(
    config: Config, source: EventSource, function: str, has: Document | None
) -> dict[str, Any] | None:
    """Find the notification that kappa made for a source, today's or an earlier kappa."""
    found = assigned(config, source.arn, function, has)[keys_of(source)]
    return found[0] if found else None


def is_notifying(config: Config, source: EventSource, state: SourcesState) -> bool:
    """Whether the function is told of a source's keys by kappa or just as kappa would do it."""
    has = state.buckets.get(source.arn)
    return bool(replaced(config, source, state.invoked, has))


def by_hand(config: Config, source: EventSource, state: SourcesState) -> list[str]:
    """Name the function's notifications that no kappa made, and where each invokes it."""
    left = _left(config, source, state)
    return [f"{one.get('Id', '')} ({target(one)})" for one in left if not _is_kappas(state, one)]


def not_named(config: Config, source: EventSource, state: SourcesState) -> list[str]:
    """Name the function's notifications that the config does not: their ids, targets and keys."""
    left = _left(config, source, state)
    return [f"{one.get('Id', '')} ({target(one)}, keys {words(one)})" for one in left]


def is_first(config: Config, source: EventSource) -> bool:
    """Whether a source is the config's first of its bucket: it speaks for what all share."""
    return keys_of(sources_of(config, source.arn)[0]) == keys_of(source)


def replaced(
    config: Config, source: EventSource, invoked: str, has: Document | None
) -> list[dict[str, Any]]:
    """Find what a source's notification replaces: its own, and what others made of its keys.

    `invoked` is the ARN of the function or of its alias. What another config or environment has on
    another alias stays its own.
    """
    function = unqualified(invoked)
    given = assigned(config, source.arn, function, has)
    known = [one for some in given.values() for one in some]
    wanted = notification(source)
    return [
        *given[keys_of(source)],
        *(
            one
            for one in functions(has)
            if one not in known and is_ours(config, function, one) and replaces(wanted, one)
            if target(one) == invoked or not _is_given(function, one)
        ),
    ]


def assigned(
    config: Config, bucket_arn: str, function: str, has: Document | None
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Say which notifications that this config or an older kappa made are of which source.

    Of the same keys; what its keys overlap; else one of this config whose keys no source has any
    more, so that a changed prefix moves it.
    """
    sources = sources_of(config, bucket_arn)
    prefix, known = _prefix(config), {keys_of(source) for source in sources}
    made = [
        one
        for one in functions(has)
        if is_ours(config, function, one)
        and (str(one.get("Id", "")).startswith(prefix) or _is_old(config.function.name, one))
    ]
    spare = [one for one in made if keys(one) not in known]
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for source in sources:
        same = [one for one in made if keys(one) == keys_of(source)]
        same += [one for one in spare if overlap(one, notification(source))]
        if not same:
            same = [one for one in spare if str(one["Id"]).startswith(prefix)][:1]
        spare = [one for one in spare if one not in same]
        found[keys_of(source)] = same
    return found


def _left(config: Config, source: EventSource, state: SourcesState) -> list[dict[str, Any]]:
    """Find the function's notifications that are of no source of the config."""
    has, function = state.buckets.get(source.arn), state.function
    known = [one for some in assigned(config, source.arn, function, has).values() for one in some]
    named = [
        source if keys_of(one) == keys_of(source) else one for one in sources_of(config, source.arn)
    ]
    for one in named:
        known += replaced(config, one, state.invoked, has) if one.enabled else []
    return [one for one in functions(has) if one not in known and is_ours(config, function, one)]


def is_ours(config: Config, function: str, one: Notification) -> bool:
    """Whether it invokes the function, on no alias of another environment."""
    return invokes(target(one), function) and qualifier(target(one)) not in config.others


def wanted_of(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    """The notification that a source shall have."""
    id_ = f"{_prefix(config)}{_digest(json.dumps(keys_of(source)))}"
    return {"Id": id_, "LambdaFunctionArn": state.invoked, **notification(source)}


def differs(function: str, mine: list[dict[str, Any]], wanted: Notification) -> bool:
    """Whether one must be written. An old id goes: it does not say which config's it is."""
    same = len(mine) == 1 and comparable(mine[0]) == comparable(wanted)
    return not same or _is_old(arns.parse(function).name, mine[0])


def comparable(one: Notification) -> object:
    """S3 keeps no order of events; an empty prefix or suffix is none."""
    return one["LambdaFunctionArn"], sorted(one["Events"]), keys(one)


def keys_of(source: EventSource) -> tuple[str, str]:
    """The prefix and the suffix of a source: they tell it from the config's others."""
    return keys(notification(source))


def sources_of(config: Config, bucket_arn: str) -> list[EventSource]:
    """The config's sources of one bucket."""
    return [one for one in config.function.event_sources if one.arn == bucket_arn]


def functions(has: Document | None) -> list[dict[str, Any]]:
    """The notifications of functions."""
    found: list[dict[str, Any]] = (has or {}).get(FUNCTIONS, [])
    return found


def everything(has: Document) -> list[dict[str, Any]]:
    """The notifications of topics, queues and functions."""
    topics, queues = has.get("TopicConfigurations", []), has.get("QueueConfigurations", [])
    return [*topics, *queues, *functions(has)]


def target(one: Notification) -> str:
    """The ARN of what is notified."""
    return str(next((one[key] for key in one if key.endswith("Arn")), ""))


def _prefix(config: Config) -> str:
    """How the ids begin that this config gives: another file or environment gives others."""
    said = f"{config.file.name} {config.environment}"
    return f"kappa-{config.function.name}-{_digest(said)}-"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _is_old(name: str, one: Notification) -> bool:
    """Whether it has the id of kappa 0.3 to 0.7, or of this kappa when it gave one id only."""
    return one.get("Id") in (f"kappa-{name}", f"Kappa-{name}-notification")


def _is_kappas(state: SourcesState, one: Notification) -> bool:
    return _is_old(arns.parse(state.function).name, one) or _is_given(state.function, one)


def _is_given(function: str, one: Notification) -> bool:
    """Whether its id says which config and environment made it."""
    given = rf"kappa-{arns.parse(function).name}-[0-9a-f]{{8}}-[0-9a-f]{{8}}"
    return bool(re.fullmatch(given, str(one.get("Id", ""))))
