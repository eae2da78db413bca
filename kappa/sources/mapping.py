"""Event source mappings: Lambda polls a stream or a queue, with the function's role."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kappa.arn import mapping_names, qualifier
from kappa.config.model import Config, EventSource
from kappa.errors import Denied
from kappa.plan.step import Already, Look, Plan, Step, Wait
from kappa.sources.part import Part, missing, unchanged
from kappa.sources.state import SourcesState

# Lambda polls these, by a mapping; every other kind calls the function.
POLLED = ("dynamodb", "kinesis", "sqs")

# AWS names of a mapping's settings, and how a config says them.
_SETTINGS: Mapping[str, Callable[[EventSource], Any]] = {
    "BatchSize": lambda source: source.batch_size,
    "MaximumBatchingWindowInSeconds": lambda source: source.batch_window_s,
    "MaximumRetryAttempts": lambda source: source.maximum_retry_attempts,
    "MaximumRecordAgeInSeconds": lambda source: source.maximum_record_age_s,
    "BisectBatchOnFunctionError": lambda source: source.bisect_on_error,
    "ParallelizationFactor": lambda source: source.parallelization_factor,
    "TumblingWindowInSeconds": lambda source: source.tumbling_window_s,
    "FunctionResponseTypes": lambda source: {
        None: None,
        True: ["ReportBatchItemFailures"],
        False: [],
    }[source.report_batch_item_failures],
    "ScalingConfig": lambda source: (
        None
        if source.maximum_concurrency is None
        else {}
        if source.maximum_concurrency == "none"
        else {"MaximumConcurrency": source.maximum_concurrency}
    ),
    "FilterCriteria": lambda source: (
        None
        if source.filter_criteria is None
        else {"Filters": [{"Pattern": pattern} for pattern in source.filter_criteria]}
    ),
    "DestinationConfig": lambda source: (
        None
        if source.on_failure is None
        else {"OnFailure": {"Destination": source.on_failure} if source.on_failure else {}}
    ),
}
# What AWS means where its answer has no such key.
_UNSAID: Mapping[str, Any] = {
    "FilterCriteria": {"Filters": []},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    # Source: AWS Lambda guide, "Configuring maximum concurrency for Amazon SQS event sources".
    "ScalingConfig": {},
    "TumblingWindowInSeconds": 0,
}
# What removes a setting, and is of no use to a mapping that is new.
_REMOVING: Mapping[str, Any] = {"DestinationConfig": {"OnFailure": {}}, "ScalingConfig": {}}


def plan(config: Config, source: EventSource, state: SourcesState) -> Part:
    """Plan the mapping, or what differs of the one that is there."""
    mapping = state.mapping(source.arn)
    if mapping is None:
        return Part(False, [_create(config, source)])
    moves = state.qualifier_of(mapping) != state.qualifier
    return Part(
        True, [_update(config, source, mapping, state.invoked)], (), moves, _rest(source, state)
    )


def plan_switch(source: EventSource, state: SourcesState, enabled: bool) -> Plan:
    """Plan the start of the polling, or the stop of all that kappa has set up."""
    mapping = state.mapping(source.arn)
    if mapping is None:
        return [missing(source)]
    word = "enabled" if enabled else "disabled"
    own = [mapping, *([] if enabled else _spare(source, state, mapping))]
    steps = [
        _change(source, one, {"Enabled": enabled}, word) for one in own if _enabled(one) != enabled
    ]
    return steps or [unchanged(source, word)]


def _spare(
    source: EventSource, state: SourcesState, mapping: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Kappa's own mappings of a source beside the one that stays; a second one there stays too."""
    mapped = state.mapped(source.arn)
    away = state.away(state.qualifier_of(one) for one in mapped)
    return [one for one in mapped if one is not mapping and state.qualifier_of(one) in away]


def _rest(source: EventSource, state: SourcesState) -> Plan:
    mapping = state.mapping(source.arn)
    if mapping is None:
        return []
    at = state.qualifier_of(mapping)
    twice = [
        one
        for one in state.mapped(source.arn)
        if one is not mapping and state.qualifier_of(one) == at == state.qualifier
    ]
    return [
        *map(plan_remove, _spare(source, state, mapping)),
        *(
            Already(
                "kept",
                f"{source.label} (mapped a second time, by {one['UUID']}: "
                "remove_event_sources, then deploy)",
            )
            for one in twice
        ),
    ]


def plan_remove(mapping: Mapping[str, Any]) -> Step:
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
    name, alias = config.function.name, config.qualifier
    return f"{name}:{alias}" if alias else name


def _wanted(source: EventSource) -> dict[str, Any]:
    said = {name: say(source) for name, say in _SETTINGS.items()}
    return {name: value for name, value in said.items() if value is not None}


def _create(config: Config, source: EventSource) -> Step:
    names = {"FunctionName": _function(config), "EventSourceArn": source.arn}
    given = {name: value for name, value in _wanted(source).items() if value != _REMOVING.get(name)}
    params = {**names, **given, "Enabled": source.enabled}
    if source.service != "sqs":
        params["StartingPosition"] = source.starting_position or config.default_position
    if source.starting_position_timestamp:
        when = datetime.fromisoformat(source.starting_position_timestamp)
        params["StartingPositionTimestamp"] = when
    return Step(
        "lambda",
        "create_event_source_mapping",
        params,
        "created",
        source.label,
        look=_look(source, names, params),
        wait=Wait(
            "lambda",
            "list_event_source_mappings",
            names,
            "EventSourceMappings.0.State",
            until=("Enabled" if source.enabled else "Disabled",),
        ),
    )


def _look(source: EventSource, names: Mapping[str, Any], params: Mapping[str, Any]) -> Look:
    """Where the mapping is found, if it has been made and AWS's answer was lost."""
    states = ("Creating", *(("Enabled", "Enabling") if source.enabled else ("Disabled",)))
    like = {name: value for name, value in params.items() if name in _SETTINGS}

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        return any(
            one.get("State") in states
            and all(
                _comparable(name, _has(one, name)) == _comparable(name, like[name]) for name in like
            )
            for one in answer.get("EventSourceMappings", ())
        )

    return Look("list_event_source_mappings", names, fits)


def _update(
    config: Config, source: EventSource, mapping: Mapping[str, Any], invoked: str
) -> Step | Already:
    changed = {
        name: value
        for name, value in _wanted(source).items()
        if _comparable(name, _has(mapping, name)) != _comparable(name, value)
    }
    if mapping.get("FunctionArn", invoked) != invoked:
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


def _comparable(name: str, value: Any) -> object:  # noqa: ANN401 - whatever the setting is
    if name != "FilterCriteria":
        return value
    return [json.loads(one["Pattern"]) for one in value.get("Filters", [])]


def _enabled(mapping: Mapping[str, Any]) -> bool:
    return mapping["State"] not in ("Disabled", "Disabling")


def _has(mapping: Mapping[str, Any], name: str) -> object:
    if name == "Enabled":
        return _enabled(mapping)
    if name == "FunctionName":
        return mapping.get("FunctionArn")
    if name == "FilterCriteria" and "FilterCriteriaError" in mapping:
        raise Denied(
            f"AWS may not show the filters of the mapping {mapping['UUID']}: "
            f"{mapping['FilterCriteriaError'].get('Message', '')}",
            "Ask for the permission kms:Decrypt on their key.",
        )
    if name == "DestinationConfig":
        return {"OnFailure": mapping.get(name, {}).get("OnFailure", {})}
    return mapping.get(name, _UNSAID.get(name))
