"""Put the event sources' state into words: as data for scripts, as rows of a table. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kappa import arn as arns
from kappa.arn import mapping_names
from kappa.config.model import Config, EventSource, rule_names
from kappa.sources import binding
from kappa.sources import health as sourcehealth
from kappa.sources import rule as schedule
from kappa.sources import rule_owner as ruleowner
from kappa.sources import s3_owner as notificationowner
from kappa.sources.mapping import POLLED
from kappa.sources.state import SourcesState

Row = tuple[str, str, str, str]


def sources_data(config: Config, state: SourcesState) -> list[dict[str, Any]]:
    """Say of each source what AWS has; "missing" means: not there.

    Shape: [{arn, name, service, configured, state, qualifiers, ...}], URLs last, as service "url";
    `problem` says what is wrong with one that is delivered more than once, or not at all.
    """
    sources = config.function.event_sources
    configured = [_configured(config, one, state) for one in sources]
    known = {source.arn for source in sources}
    extra = [
        {**_mapping(one), "qualifiers": _shown([state.qualifier_of(one)]), "configured": False}
        for one in state.mappings
        if one.get("EventSourceArn") not in known
    ]
    return [*configured, *extra, *_url(config, state)]


def source_row(one: Mapping[str, Any]) -> Row:
    """Turn one source's data into a row: what, name, state, detail."""
    words = [one["service"], one.get("keys", "")]
    if one.get("batch_size") is not None:
        words.append(f"batches of {one['batch_size']}")
    words += [one.get("schedule", ""), one.get("last_result", ""), one.get("url", "")]
    if one.get("qualifiers", ["$LATEST"]) != ["$LATEST"]:
        words.append(f"on {', '.join(one['qualifiers'])}" if one["qualifiers"] else "")
    if not one["configured"]:
        words.append("(not in the config)")
    return "event source", one["name"], one["state"], "  ".join(word for word in words if word)


def _configured(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    if source.key in state.unread:
        return {**_names(source), "state": "unknown", "problem": state.unread[source.key]}
    found = binding.qualifiers(config, source, state)
    data = {**_names(source), **_state(config, source, state), "qualifiers": _shown(found)}
    problem = (
        _doubled(config, data)
        or data.get("problem", "")
        or sourcehealth.problem(config, source, state)
    )
    return {**data, "problem": problem} if problem else data


def _shown(found: Collection[str]) -> list[str]:
    """Name qualifiers as AWS does: the function itself is $LATEST."""
    return [one or "$LATEST" for one in found]


def _doubled(config: Config, one: Mapping[str, Any]) -> str:
    """Say how a source that is delivered more than once is mended; "" if it is not."""
    found = one["qualifiers"]
    if len(found) < 2:
        return ""
    again = f"{config.command('remove_event_sources ' + one['name'])}, then deploy"
    if len(set(found)) < len(found):
        word = "mapped" if one["service"] in POLLED else "delivered"
        return f"{word} {len(found)} times. Mend it: {again}"
    aliases = [name for name in found if name != "$LATEST"]
    words = "deploy"
    if not config.function.alias:
        words += f" --alias {aliases[0] if len(aliases) == 1 else 'NAME'}"
    places = " and to ".join(arns.words("" if name == "$LATEST" else name) for name in found)
    return f"delivered to {places}: a message is handled by both. Mend it: {config.command(words)}"


def _names(source: EventSource) -> dict[str, Any]:
    said = {"arn": source.arn, "name": source.short, "service": source.service}
    return {**said, **({"keys": source.keys} if source.keys else {}), "configured": True}


def _state(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    absent = "missing" if source.enabled else "Disabled"
    if source.service == "sns":
        return {"state": _subscription(source, state, absent)}
    if source.service == "s3":
        return _bucket(config, source, state, absent)
    if source.service == "events":
        return _rule(config, source, state)
    mapping = state.mapping(source.arn)
    return _mapping(mapping) if mapping else {"state": "missing"}


def _bucket(
    config: Config, source: EventSource, state: SourcesState, absent: str
) -> dict[str, Any]:
    first = notificationowner.is_first(config, source)
    others = notificationowner.by_hand(config, source, state) if first else []
    word = (
        "Notifying" if others or notificationowner.is_notifying(config, source, state) else absent
    )
    problem = f"notified too by {', '.join(others)}, which kappa did not make"
    return {"state": word, **({"problem": problem} if others else {})}


def _subscription(source: EventSource, state: SourcesState, absent: str) -> str:
    topic = state.topics.get(source.arn)
    if topic is None:
        return "topic is gone"
    found = list(topic.subscriptions.values())
    return "Subscribed" if any(map(_confirmed, found)) else next(iter(found), absent)


def _confirmed(subscription: str) -> bool:
    return subscription.startswith("arn:")


def _rule(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    rule = state.rules.get(source.key)
    said = {"rule": rule_names(config.function.name, source)["Name"]}
    if rule is None:
        return {**said, "state": "missing"}
    when = rule.settings.get("ScheduleExpression", "")
    if not ruleowner.own_targets(rule, state):
        return {**said, "state": "no target", "schedule": when}
    word = "Enabled" if schedule.is_enabled(rule) else "Disabled"
    return {**said, "arn": rule.settings["Arn"], "state": word, "schedule": when}


def _mapping(mapping: Mapping[str, Any]) -> dict[str, Any]:
    service, name = mapping_names(mapping)
    return {
        "arn": mapping.get("EventSourceArn", ""),
        "name": name,
        "service": service,
        "state": mapping["State"],
        "uuid": mapping["UUID"],
        "batch_size": mapping.get("BatchSize"),
        "last_result": mapping.get("LastProcessingResult", ""),
    }


def _url(config: Config, state: SourcesState) -> list[dict[str, Any]]:
    if config.function.url is None:
        return []
    said = {"arn": "", "name": "url", "service": "url"}
    rows: list[dict[str, Any]] = []
    if config.qualifier not in state.urls:
        rows.append({**said, "configured": True, "state": "missing"})
    for alias, has in sorted(state.urls.items(), key=lambda one: one[0] != config.qualifier):
        row = {**said, "configured": alias == config.qualifier, "qualifiers": _shown([alias])}
        shown = {"state": has["AuthType"], "url": has["FunctionUrl"], "cors": has.get("Cors")}
        problem = f"{has['FunctionUrl']} is of {arns.words(alias)}, not the config's"
        if row["configured"]:
            problem = sourcehealth.url_problem(config, alias, state)
        rows.append({**row, **shown, **({"problem": problem} if problem else {})})
    return rows
