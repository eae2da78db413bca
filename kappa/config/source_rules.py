"""Rules of a kappa config's event sources: between keys, and which kind has which.

It must not ask AWS anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from kappa.arn import parse_arn
from kappa.config.convert import suggestion
from kappa.config.error_list import check_all
from kappa.config.model import EventSource, File, rule_names
from kappa.config.s3_notification import (
    key_pattern,
    notification_of,
    overlap,
    prefix_and_suffix,
)
from kappa.config.settings import MAPPING
from kappa.config.tree import Keys, Tree, dotted

# Settings of streams alone. What goes with Kafka, Amazon MQ and DocumentDB, AWS says itself.
_STREAM = frozenset(
    {
        "bisect_on_error",
        "maximum_record_age_s",
        "maximum_retry_attempts",
        "on_failure",
        "parallelization_factor",
        "starting_position",
        "starting_position_timestamp",
        "tumbling_window_s",
    }
)
# What does not go with a kind of source that Lambda polls; all others of the table do.
_EXCEPT: dict[str, frozenset[str]] = {
    "dynamodb": frozenset({"maximum_concurrency"}),
    "kafka": frozenset(),
    "kinesis": frozenset({"maximum_concurrency"}),
    "mq": frozenset(),
    "rds": frozenset(),
    "sqs": _STREAM,
}
# The keys of each kind that calls the function, besides what names it.
_KEYS = {
    "events": frozenset(
        {
            "dead_letter",
            "description",
            "enabled",
            "input",
            "input_path",
            "input_transformer",
            "pattern",
            "retry_policy",
            "role_arn",
            "schedule",
        }
    ),
    "s3": frozenset({"enabled", "events", "key_filters"}),
    "sns": frozenset({"enabled", "filter_policy", "filter_policy_scope"}),
}
_RATE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)")
_CRON = re.compile(r"cron\(\S+ \S+ (?P<day>\S+) \S+ (?P<weekday>\S+) \S+\)")
_SCHEDULES = (
    "rate(5 minutes), rate(1 hour), or cron with six fields of which day or weekday is ?: "
    "cron(0 3 * * ? *)"
)
# Amazon S3 guide, "Amazon S3 Event Notifications": configurations of a bucket.
_MAX_NOTIFICATIONS = 100


def check_sources(tree: Tree, settings: File) -> None:
    """Check every event source.

    Raises: ConfigError, naming file, line, key and what is allowed.
    """
    sources = settings.lambda_.event_sources
    check_all(partial(_check_source, tree, settings, number) for number in range(len(sources)))
    _check_twice(tree, settings)


def _check_source(tree: Tree, settings: File, number: int) -> None:
    sources = settings.lambda_.event_sources
    keys: Keys = ("lambda", "event_sources", number)
    source = sources[number]
    _check_kind(tree, keys, source, tree.data["lambda"]["event_sources"][number])
    for check in (_check_timestamp, _check_rule):
        check(tree, keys, source)
    if source.service == "s3" and not source.events:
        raise tree.error(keys, "a source of s3 needs events.", "Such as [s3:ObjectCreated:*].")
    if source.name and len(f"{settings.lambda_.name}-{source.name}") > 64:
        raise tree.error(
            (*keys, "name"),
            f"the rule {settings.lambda_.name}-{source.name} would be over 64 characters.",
        )


def _check_twice(tree: Tree, settings: File) -> None:
    known: dict[object, list[EventSource]] = {}
    for number, source in enumerate(settings.lambda_.event_sources):
        keys: Keys = ("lambda", "event_sources", number)
        others = known.setdefault(_identity(settings.lambda_.name, source), [])
        if len(others) >= _MAX_NOTIFICATIONS:
            raise tree.error(keys, f"S3 takes {_MAX_NOTIFICATIONS} notifications of a bucket.")
        for other in others:
            _check_apart(tree, keys, source, other)
        others.append(source)


def _identity(function: str, source: EventSource) -> object:
    """What a source is to AWS, however it is written: a rule has a name and an ARN."""
    try:
        if source.service != "events":
            return source.key.rstrip("/")
        names = {"EventBusName": "default", **rule_names(function, source)}
    except ValueError:
        return source.key
    return tuple(sorted(names.items()))


def _check_apart(tree: Tree, keys: Keys, source: EventSource, other: EventSource) -> None:
    """Let a bucket have several sources, as far as S3 does."""
    own, others = notification_of(source), notification_of(other)
    before = f" (before: {other.key})" if other.key != source.key else ""
    twice = f"the event source {source.key} is given twice{before}"
    if source.service != "s3":
        raise tree.error(keys, f"{twice}.")
    if prefix_and_suffix(own) == prefix_and_suffix(others):
        raise tree.error(
            keys, f"{twice} for the same keys.", "Put all events into one, or give key_filters."
        )
    if source.enabled and other.enabled and overlap(own, others):
        raise tree.error(
            keys,
            f"{twice}, and the keys {key_pattern(own)} and "
            f"{key_pattern(others)} overlap: S3 notifies one only.",
            "Give them key_filters or events that do not overlap.",
        )


def _check_kind(tree: Tree, keys: Keys, source: EventSource, given: Mapping[str, Any]) -> None:
    if (
        len([1 for name in (source.arn, source.name, source.self_managed_event_source) if name])
        != 1
    ):
        raise tree.error(
            keys,
            f"{dotted(keys)} needs an arn, or the name of a rule with a schedule or a pattern.",
        )
    if source.arn:
        _check_arn(tree, (*keys, "arn"), source)
    known = _known_keys(source.service)
    for key in given:
        if key not in known:
            raise tree.error(
                (*keys, key),
                f"{dotted((*keys, key))}: a source of {source.service} has no such setting.",
                suggestion(key, known),
            )


def _known_keys(service: str) -> frozenset[str]:
    if service in _KEYS:
        return _KEYS[service] | {"arn", "name"}
    own = frozenset(key.name for key in MAPPING.keys) - _EXCEPT[service]
    return own | {"arn", "enabled"}


def _check_arn(tree: Tree, keys: Keys, source: EventSource) -> None:
    try:
        arn = parse_arn(source.arn)
    except ValueError as error:
        # The error of an ARN or a time quotes it, and it may be an included value.
        raise tree.error(keys, f"{error}.") from None
    kinds = sorted({*_KEYS, *_EXCEPT})
    if arn.service not in kinds:
        raise tree.error(
            keys,
            f"{arn.service} cannot be an event source here.",
            f"Allowed: {', '.join(kinds)}.",
        )
    forms = {"dynamodb": "table/NAME/stream/TIME", "events": "rule/NAME", "kinesis": "stream/NAME"}
    form = forms.get(arn.service, "")
    if not re.match(re.sub("[A-Z]+", "[^/]+", form), arn.resource):
        raise tree.error(
            keys, f"{source.arn} cannot be an event source.", f"Such an ARN ends in {form}."
        )


def _check_timestamp(tree: Tree, keys: Keys, source: EventSource) -> None:
    keys = (*keys, "starting_position_timestamp")
    if not source.starting_position_timestamp:
        return
    try:
        when = datetime.fromisoformat(source.starting_position_timestamp)
    except ValueError as error:
        raise tree.error(
            keys, f"{dotted(keys)}: {error}.", "A time such as 2026-11-23T08:00:00Z."
        ) from None
    if when.tzinfo is None:
        raise tree.error(
            keys, f"{dotted(keys)}: the time zone is missing.", "Such as 2026-11-23T08:00:00Z."
        )


def _check_rule(tree: Tree, keys: Keys, source: EventSource) -> None:
    if source.service != "events":
        return
    if source.schedule and source.pattern:
        raise tree.error(keys, "a rule has a schedule or a pattern, not both: make two rules.")
    if source.name and not (source.schedule or source.pattern):
        raise tree.error(
            keys, f"{dotted(keys)} needs a schedule or a pattern.", f"A schedule: {_SCHEDULES}."
        )
    for key in ("description", "role_arn"):
        if getattr(source, key) is not None and not (source.schedule or source.pattern):
            raise tree.error((*keys, key), f"a rule that is just used keeps its own {key}.")
    if not source.schedule:
        return
    bus = parse_arn(source.arn).resource.split("/")[1:-1] if source.arn else []
    if bus not in ([], ["default"]):
        # Source: EventBridge's own answer to PutRule.
        raise tree.error(
            (*keys, "schedule"), f"only the default bus has schedules, not {'/'.join(bus)}."
        )
    cron = _CRON.fullmatch(source.schedule)
    if not _RATE.fullmatch(source.schedule) and not (
        cron and (cron["day"] == "?") != (cron["weekday"] == "?")
    ):
        at: Keys = (*keys, "schedule")
        raise tree.error(at, f"{dotted(at)} is {source.schedule!r}.", f"Allowed: {_SCHEDULES}.")
