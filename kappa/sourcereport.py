"""Put the event sources' state into words: as data for scripts, as rows of a table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa import arn as arns
from kappa import notifications, schedule
from kappa.settings import Config
from kappa.sourcesettings import EventSource
from kappa.sourcestate import SourcesState, rule_names

Row = tuple[str, str, str, str]


def sources_data(config: Config, state: SourcesState) -> list[dict[str, Any]]:
    """Say of each source what AWS has; "missing" means: not there.

    Shape: [{arn, name, service, configured, state, ...}], the URL last, as service "url".
    """
    sources = config.function.event_sources
    configured = [{**_names(one), **_state(config, one, state)} for one in sources]
    known = {source.arn for source in sources}
    extra = [
        {**_mapping(one), "configured": False}
        for one in state.mappings
        if one["EventSourceArn"] not in known
    ]
    return [*configured, *extra, *_url(config, state)]


def source_row(one: Mapping[str, Any]) -> Row:
    """Turn one source's data into a row: what, name, state, detail."""
    words = [one["service"]]
    if one.get("batch_size") is not None:
        words.append(f"batches of {one['batch_size']}")
    words += [one.get("schedule", ""), one.get("last_result", ""), one.get("url", "")]
    if not one["configured"]:
        words.append("(not in the config)")
    return "event source", one["name"], one["state"], "  ".join(word for word in words if word)


def _names(source: EventSource) -> dict[str, Any]:
    said = {"arn": source.arn, "name": source.short, "service": source.service}
    return {**said, "configured": True}


def _state(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    absent = "missing" if source.enabled else "Disabled"
    if source.service == "sns":
        return {"state": _subscription(source, state, absent)}
    if source.service == "s3":
        found = notifications.own(config.function.name, state.buckets.get(source.arn))
        return {"state": "Notifying" if found else absent}
    if source.service == "events":
        return _rule(config, source, state)
    mapping = state.mapping(source.arn)
    return _mapping(mapping) if mapping else {"state": "missing"}


def _subscription(source: EventSource, state: SourcesState, absent: str) -> str:
    topic = state.topics.get(source.arn)
    if topic is None:
        return "topic is gone"
    subscription = topic.subscription
    return "Subscribed" if subscription.startswith("arn:") else subscription or absent


def _rule(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    rule = state.rules.get(source.key)
    said = {"rule": rule_names(config.function.name, source)["Name"]}
    if rule is None:
        return {**said, "state": "missing"}
    when = rule.settings.get("ScheduleExpression", "")
    if schedule.own_target(config.function.name, rule) is None:
        return {**said, "state": "no target", "schedule": when}
    word = "Enabled" if schedule.is_enabled(rule) else "Disabled"
    return {**said, "arn": rule.settings["Arn"], "state": word, "schedule": when}


def _mapping(mapping: Mapping[str, Any]) -> dict[str, Any]:
    source = arns.parse(mapping["EventSourceArn"])
    return {
        "arn": mapping["EventSourceArn"],
        "name": source.name,
        "service": source.service,
        "state": mapping["State"],
        "uuid": mapping["UUID"],
        "batch_size": mapping.get("BatchSize"),
        "last_result": mapping.get("LastProcessingResult", ""),
    }


def _url(config: Config, state: SourcesState) -> list[dict[str, Any]]:
    if config.function.url is None:
        return []
    said = {"arn": "", "name": "url", "service": "url", "configured": True}
    if state.url is None:
        return [{**said, "state": "missing"}]
    has = state.url
    return [{**said, "state": has["AuthType"], "url": has["FunctionUrl"], "cors": has.get("Cors")}]
