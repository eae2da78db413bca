"""Event source mappings: Lambda polls a stream or a queue, with the function's role."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kappa import arn as arns
from kappa.errors import Denied
from kappa.part import Part, missing, unchanged
from kappa.settings import Config
from kappa.sourcesettings import EventSource
from kappa.sourcestate import SourcesState
from kappa.steps import Already, Step, Wait

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
    return Part(True, [_update(config, source, mapping, state.invoked)])


def plan_switch(source: EventSource, state: SourcesState, enabled: bool) -> Step | Already:
    """Plan the start or the stop of the polling."""
    mapping = state.mapping(source.arn)
    if mapping is None:
        return missing(source)
    word = "enabled" if enabled else "disabled"
    if _enabled(mapping) == enabled:
        return unchanged(source, word)
    return _change(source, mapping, {"Enabled": enabled}, word)


def plan_remove(mapping: Mapping[str, Any]) -> Step:
    """Plan the removal of a mapping, whether the config names it or not."""
    uuid = {"UUID": mapping["UUID"]}
    source = arns.parse(mapping["EventSourceArn"])
    return Step(
        "lambda",
        "delete_event_source_mapping",
        uuid,
        "removed",
        f"event source {source.service} {source.name}",
        wait=Wait("lambda", "get_event_source_mapping", uuid, "State", gone=True),
        settled=("ResourceNotFoundException",),
    )


def _function(config: Config) -> str:
    name, alias = config.function.name, config.function.alias
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
        wait=Wait(
            "lambda",
            "list_event_source_mappings",
            names,
            "EventSourceMappings.0.State",
            until=("Enabled" if source.enabled else "Disabled",),
        ),
    )


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
