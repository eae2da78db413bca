"""Streams and queues, which Lambda polls with the function's role through event source mappings.

Lambda lists a function's mappings, including those that the config does not name. The module is
long because it holds everything about this kind, with each setting of a mapping.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kappa.arn import invokes, mapping_names, qualified, qualifier
from kappa.aws.unknown_settings import as_text, list_unknown
from kappa.config.model import Config, EventSource
from kappa.errors import Denied, NotFound
from kappa.plan.step import Note, Plan, Recheck, Step, Wait
from kappa.sources.kind import Adopted, Kind, Occasion, Part, Reading, missing, unchanged
from kappa.sources.state import SourcesState

# Lambda polls these; every other service calls the function.
SERVICES = ("dynamodb", "kinesis", "sqs")

# A mapping's settings by AWS's names, each read from a source of the config.
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
# The value of a setting that AWS leaves out of its answer.
_IF_ABSENT: Mapping[str, Any] = {
    "FilterCriteria": {"Filters": []},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    # Source: AWS Lambda guide, "Configuring maximum concurrency for Amazon SQS event sources".
    "ScalingConfig": {},
    "TumblingWindowInSeconds": 0,
}
# Values that remove a setting; a new mapping does not need them.
_REMOVING: Mapping[str, Any] = {"DestinationConfig": {"OnFailure": {}}, "ScalingConfig": {}}


def read(reading: Reading, source: EventSource) -> tuple[Mapping[str, Any], ...]:
    """List the mappings by source, which includes those of deleted aliases."""
    return _read(reading, {"EventSourceArn": source.arn}, source.short)


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
    """The mappings of one stream or queue; one that is being deleted does not count."""
    own: tuple[Mapping[str, Any], ...] = state.current.get(source.key, ())
    listed = [mapping for mapping in state.mappings if mapping.get("EventSourceArn") == source.arn]
    by_id = {mapping["UUID"]: mapping for mapping in (*own, *listed)}
    return [mapping for mapping in by_id.values() if mapping["State"] != "Deleting"]


def unnamed(config: Config, state: SourcesState) -> list[Mapping[str, Any]]:
    """The function's mappings of sources that the config does not name."""
    named = {source.arn for source in config.function.event_sources}
    return [mapping for mapping in state.mappings if mapping.get("EventSourceArn") not in named]


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


def _desired(source: EventSource) -> dict[str, Any]:
    settings = {name: read_setting(source) for name, read_setting in _SETTINGS.items()}
    return {name: value for name, value in settings.items() if value is not None}


def _create(config: Config, source: EventSource) -> Step:
    names = {"FunctionName": _function(config), "EventSourceArn": source.arn}
    settings = {
        name: value for name, value in _desired(source).items() if value != _REMOVING.get(name)
    }
    params = {**names, **settings, "Enabled": source.enabled}
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
    like = {name: value for name, value in params.items() if name in _SETTINGS}

    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        return any(
            mapping.get("State") in states
            and all(
                _comparable(name, _has(mapping, name)) == _comparable(name, like[name])
                for name in like
            )
            for mapping in answer.get("EventSourceMappings", ())
        )

    return Recheck("list_event_source_mappings", names, fits)


def _update(
    config: Config, source: EventSource, mapping: Mapping[str, Any], target_arn: str
) -> Step | Note:
    changed = {
        name: value
        for name, value in _desired(source).items()
        if _comparable(name, _has(mapping, name)) != _comparable(name, value)
    }
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


def _comparable(name: str, value: Any) -> object:  # noqa: ANN401 - whatever the setting is
    if name != "FilterCriteria":
        return value
    return [json.loads(item["Pattern"]) for item in value.get("Filters", [])]


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
    return mapping.get(name, _IF_ABSENT.get(name))


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


# A config's keys by AWS's, for settings with the same value in both.
_KEYS = {
    "BatchSize": "batch_size",
    "MaximumBatchingWindowInSeconds": "batch_window_s",
    "StartingPosition": "starting_position",
    "MaximumRetryAttempts": "maximum_retry_attempts",
    "MaximumRecordAgeInSeconds": "maximum_record_age_s",
    "BisectBatchOnFunctionError": "bisect_on_error",
    "ParallelizationFactor": "parallelization_factor",
    "TumblingWindowInSeconds": "tumbling_window_s",
}
# Lambda's defaults.
_DEFAULTS = {
    "batch_window_s": 0,
    "maximum_retry_attempts": -1,
    "maximum_record_age_s": -1,
    "bisect_on_error": False,
    "parallelization_factor": 1,
    "tumbling_window_s": 0,
}
# The settings of a mapping that a config expresses or AWS only reports. None: the whole of it.
_KNOWN: Mapping[str, tuple[str, ...] | None] = {
    **dict.fromkeys(_KEYS),
    **dict.fromkeys(
        (
            "EventSourceArn",
            "EventSourceMappingArn",
            "FunctionArn",
            "FunctionResponseTypes",
            "LastModified",
            "LastProcessingResult",
            "StartingPositionTimestamp",
            "State",
            "StateTransitionReason",
            "UUID",
        )
    ),
    "DestinationConfig": ("OnFailure",),
    "FilterCriteria": ("Filters",),
    "ScalingConfig": ("MaximumConcurrency",),
}


def adopt(mapping: Mapping[str, Any]) -> Adopted:
    """Turn a mapping into a config section, if its service can be in a config."""
    arn = mapping.get("EventSourceArn", "")
    service = arn.split(":")[2] if arn.count(":") > 4 else ""
    if service not in SERVICES:
        # Amazon MSK, Amazon MQ, DocumentDB, and self-managed Kafka, which has no ARN.
        label = arn or mapping.get("Topics") or mapping.get("UUID")
        return Adopted(left_out=(f"event source {as_text(label)}: of a kind that kappa lacks",))
    extra = list_unknown(mapping, _KNOWN, f"of event source {arn}: ")
    return Adopted((_as_source(mapping),), tuple(extra))


def _as_source(mapping: Mapping[str, Any]) -> dict[str, Any]:
    same = {key: mapping[name] for name, key in _KEYS.items() if mapping.get(name) is not None}
    source = {
        "arn": mapping["EventSourceArn"],
        **{key: value for key, value in same.items() if _DEFAULTS.get(key) != value},
    }
    if mapping.get("State") in ("Disabled", "Disabling"):
        source["enabled"] = False
    if mapping.get("StartingPositionTimestamp"):
        source["starting_position_timestamp"] = mapping["StartingPositionTimestamp"].isoformat()
    if "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or ()):
        source["report_batch_item_failures"] = True
    max_concurrency = (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency")
    on_failure = (mapping.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
    filters = (mapping.get("FilterCriteria") or {}).get("Filters", ())
    more = {
        "maximum_concurrency": max_concurrency,
        "on_failure": on_failure,
        "filter_criteria": [item["Pattern"] for item in filters],
    }
    return {**source, **{key: value for key, value in more.items() if value}}


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
