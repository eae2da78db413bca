"""Streams, queues and topics, which Lambda polls through event source mappings.

Lambda lists a function's mappings, including those that the config does not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kappa.arn import invokes, mapping_names, qualified, qualifier
from kappa.config.model import Config, EventSource
from kappa.config.settings import MAPPING
from kappa.errors import Denied, NotFound
from kappa.plan.step import Note, Plan, Recheck, Step, Wait
from kappa.sources.kind import Adopted, Kind, Occasion, Part, Reading, missing, unchanged
from kappa.sources.state import SourcesState

# Lambda polls these; every other service calls the function. kafka is Amazon MSK, and Kafka of
# one's own, which has no ARN; mq is Amazon MQ, rds DocumentDB.
SERVICES = ("dynamodb", "kafka", "kinesis", "mq", "rds", "sqs")
# A cluster has a mapping for each topic, a broker for each queue.
_IDENTITY = ("Queues", "SelfManagedEventSource", "Topics")
_NO_START = ("mq", "sqs")


def read(reading: Reading, source: EventSource) -> tuple[Mapping[str, Any], ...]:
    """List the mappings by source, which includes those of deleted aliases."""
    return _read(reading, {"EventSourceArn": source.arn} if source.arn else {}, source.short)


def read_listed(reading: Reading, alias: str) -> tuple[Mapping[str, Any], ...]:
    """List the mappings by function or by alias; each has its own list."""
    function = qualified(reading.config.function.name, alias)
    return _read(reading, {"FunctionName": function}, function)


def read_all(reading: Reading) -> tuple[Mapping[str, Any], ...]:
    """List the function's mappings among the region's; a mapping outlives its version or alias."""
    return _read(reading, {}, "all functions")


def _read(reading: Reading, params: Mapping[str, str], of: str) -> tuple[Mapping[str, Any], ...]:
    doing = f"listing the event sources of {of}"
    operation, key = "list_event_source_mappings", "EventSourceMappings"
    try:
        listed = reading.aws.pages("lambda", operation, doing, key, params)
    except NotFound:
        return ()
    return tuple(
        mapping for mapping in listed if invokes(mapping["FunctionArn"], reading.function_arn)
    )


def mapped(source: EventSource, state: SourcesState) -> list[Mapping[str, Any]]:
    """The mappings of one source; one that is being deleted does not count."""
    own: tuple[Mapping[str, Any], ...] = state.current.get(source.key, ())
    listed = [mapping for mapping in (*own, *state.mappings) if _is_of(source, mapping)]
    by_id = {mapping["UUID"]: mapping for mapping in listed}
    return [mapping for mapping in by_id.values() if mapping["State"] != "Deleting"]


def _is_of(source: EventSource, mapping: Mapping[str, Any]) -> bool:
    if source.arn != mapping.get("EventSourceArn", ""):
        return False
    named = {name: value for name, value in MAPPING.sent(source, {}).items() if name in _IDENTITY}
    return not MAPPING.differing(named, mapping)


def unnamed(config: Config, state: SourcesState) -> list[Mapping[str, Any]]:
    """The function's mappings of sources that the config does not name."""
    named = [source for source in config.function.event_sources if source.service in SERVICES]
    return [
        mapping
        for mapping in state.mappings
        if not any(_is_of(source, mapping) for source in named)
    ]


def qualifier_of(mapping: Mapping[str, Any], state: SourcesState) -> str:
    """The qualifier that a mapping invokes."""
    return qualifier(mapping.get("FunctionArn", state.target_arn))


def _deliveries(_: Config, source: EventSource, state: SourcesState) -> list[str]:
    return sorted(qualifier_of(mapping, state) for mapping in mapped(source, state))


def _own(source: EventSource, state: SourcesState) -> list[Mapping[str, Any]]:
    """The config's mappings of one stream or queue, those on the function itself first."""
    own = [
        mapping for mapping in mapped(source, state) if state.is_own(qualifier_of(mapping, state))
    ]
    return sorted(own, key=lambda mapping: qualifier_of(mapping, state) == state.qualifier)


def _mapping(source: EventSource, state: SourcesState) -> Mapping[str, Any] | None:
    """The mapping of one stream or queue: on the alias, or the one to move there."""
    return next(reversed(_own(source, state)), None)


def plan(config: Config, source: EventSource, state: SourcesState) -> Part:
    """Plan the mapping, or the changes to the existing one."""
    mapping = _mapping(source, state)
    if mapping is None:
        return Part(False, [_create(config, source)])
    old = [other for other in _own(source, state) if state.leaves([qualifier_of(other, state)])]
    return Part(
        True,
        [_update(config, source, mapping, state.target_arn)],
        after=[plan_unmap(other) for other in old if other is not mapping],
    )


def plan_switch(_: Config, source: EventSource, state: SourcesState, enabled: bool) -> Plan:
    """Plan to enable the mapping, or to disable all of the config's."""
    mapping = _mapping(source, state)
    if mapping is None:
        return [missing(source.label)]
    word = "enabled" if enabled else "disabled"
    own = [mapping] if enabled else _own(source, state)
    steps = [
        _change(source, other, {"Enabled": enabled}, word)
        for other in own
        if _enabled(other) != enabled
    ]
    return steps or [unchanged(source, word)]


def plan_remove(_: Config, source: EventSource, state: SourcesState) -> Plan:
    """Plan the removal of the config's mappings of one stream or queue."""
    return [*map(plan_unmap, _own(source, state))] or [Note("gone", source.label)]


def plan_unmap(mapping: Mapping[str, Any]) -> Step:
    """Plan the removal of a mapping, whether the config names it or not."""
    uuid = {"UUID": mapping["UUID"]}
    service, name = mapping_names(mapping)
    alias = qualifier(mapping.get("FunctionArn", ""))
    return Step(
        "lambda",
        "delete_event_source_mapping",
        uuid,
        "removed",
        f"event source {service} {name}{f' on the alias {alias}' if alias else ''}",
        wait=Wait("lambda", "get_event_source_mapping", uuid, "State", gone=True),
        settled=("ResourceNotFoundException",),
    )


def _function(config: Config) -> str:
    return qualified(config.function.name, config.function.alias)


def _create(config: Config, source: EventSource) -> Step:
    names = {"FunctionName": _function(config)}
    if source.arn:
        names["EventSourceArn"] = source.arn
    sent = MAPPING.sent(source, {})
    settings = {name: value for name, value in sent.items() if MAPPING.sets(name, value)}
    if source.service not in _NO_START:
        settings.setdefault("StartingPosition", config.default_position)
    params = {**names, **settings, "Enabled": source.enabled}
    return Step(
        "lambda",
        "create_event_source_mapping",
        params,
        "created",
        source.label,
        recheck=_recheck(source, names, params),
        wait=Wait(
            "lambda",
            "list_event_source_mappings",
            names,
            "EventSourceMappings.0.State",
            until=("Enabled" if source.enabled else "Disabled",),
        ),
    )


def _recheck(source: EventSource, names: Mapping[str, Any], params: Mapping[str, Any]) -> Recheck:
    """Accept a mapping with our settings, if AWS's answer was lost."""
    states = ("Creating", *(("Enabled", "Enabling") if source.enabled else ("Disabled",)))
    like = {name: value for name, value in params.items() if name in MAPPING.members}

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        return any(
            mapping.get("State") in states and not MAPPING.differing(like, mapping)
            for mapping in answer.get("EventSourceMappings", ())
        )

    return Recheck("list_event_source_mappings", names, fits)


def _update(
    config: Config, source: EventSource, mapping: Mapping[str, Any], target_arn: str
) -> Step | Note:
    sent = MAPPING.sent(source, mapping)
    if "FilterCriteria" in sent and "FilterCriteriaError" in mapping:
        raise Denied(
            f"AWS may not show the filters of the mapping {mapping['UUID']}: "
            f"{mapping['FilterCriteriaError'].get('Message', '')}",
            "Ask for the permission kms:Decrypt on their key.",
        )
    changed = {name: sent[name] for name in MAPPING.differing(sent, mapping)}
    if mapping.get("FunctionArn", target_arn) != target_arn:
        changed["FunctionName"] = _function(config)
    if source.enabled != _enabled(mapping):
        changed["Enabled"] = source.enabled
    if not changed:
        return unchanged(source)
    return _change(source, mapping, changed, ", ".join(changed))


def _change(
    source: EventSource, mapping: Mapping[str, Any], changed: Mapping[str, Any], words: str
) -> Step:
    uuid = {"UUID": mapping["UUID"]}
    enabled = changed.get("Enabled", _enabled(mapping))
    return Step(
        "lambda",
        "update_event_source_mapping",
        {**uuid, **changed},
        "updated",
        f"{source.label}: {words}",
        wait=Wait(
            "lambda",
            "get_event_source_mapping",
            uuid,
            "State",
            until=("Enabled" if enabled else "Disabled",),
        ),
        before={name: _has(mapping, name) for name in changed},
    )


def _enabled(mapping: Mapping[str, Any]) -> bool:
    return mapping["State"] not in ("Disabled", "Disabling")


def _has(mapping: Mapping[str, Any], name: str) -> object:
    if name == "Enabled":
        return _enabled(mapping)
    if name == "FunctionName":
        return mapping.get("FunctionArn")
    return MAPPING.current(mapping, name)


def describe_mapping(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a mapping for a status, whether the config names its source or not."""
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


def _describe(_: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    mapping = _mapping(source, state)
    return describe_mapping(mapping) if mapping else {"state": "missing"}


def adopt(mapping: Mapping[str, Any]) -> Adopted:
    """Turn a mapping into a config section, if its service can be in a config."""
    arn = mapping.get("EventSourceArn", "")
    service, name = mapping_names(mapping)
    if service not in SERVICES:
        return Adopted(left_out=(f"event source {arn or name}: of a kind that kappa lacks",))
    unread = mapping.get("FilterCriteriaError")
    left_out = f"filters of event source {name}: {unread.get('Message', '')}" if unread else ""
    source = {
        **({"arn": arn} if arn else {}),
        **({} if _enabled(mapping) else {"enabled": False}),
        **MAPPING.section(mapping),
    }
    return Adopted((source,), (left_out,) if left_out else ())


def sample(source: EventSource, occasion: Occasion) -> dict[str, Any]:
    """Make an event with one record."""
    from kappa.sources import polled_samples

    return polled_samples.sample(source, occasion)


KIND = Kind(
    read=read,
    deliveries=_deliveries,
    plan=plan,
    plan_remove=plan_remove,
    describe=_describe,
    calls=False,
    has_switch=lambda _: True,
    plan_switch=plan_switch,
    sample=sample,
)
# kappa has no sample of their events.
UNSAMPLED = msgspec.structs.replace(KIND, sample=None)
