"""Event sources: what invokes the function. Read them, plan adding, updating and removing.

Owns the three ways to be a source: a mapping (DynamoDB, Kinesis), a subscription (SNS), a
notification (S3). A mapping is polled by Lambda with the function's role; the other two need
a permission of the function.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kappa import arn as arns
from kappa import notifications
from kappa.arn import Place
from kappa.errors import NotFound
from kappa.permissions import Statement, admits, plan_grant
from kappa.settings import Config, EventSource, Permission
from kappa.sourcestate import SourcesState
from kappa.steps import (
    BUSY,
    BUSY_MAPPING,
    FRESH_POLICY,
    FRESH_STREAM_POLICY,
    MAPPING_BEING_DELETED,
    Already,
    Plan,
    Step,
    Wait,
)

_LAMBDA_GONE = ("ResourceNotFoundException",)


def plan_add(
    config: Config, place: Place, state: SourcesState, statements: tuple[Statement, ...]
) -> Plan:
    """Plan every source of the config that is not there yet, with its permission.

    Raises: NotFound, if a topic or a bucket does not exist.
    """
    plan: list[Step | Already] = []
    for source in config.function.event_sources:
        if source.service == "sns":
            plan += _permission(config, source, "sns", place, statements)
            plan.append(_subscribe(config, source, place, state))
        elif source.service == "s3":
            plan += _permission(config, source, "s3", place, statements)
            plan.append(_notify(config, source, place, state))
        else:
            plan.append(_map(config, source, state))
    return plan


def plan_update(config: Config, place: Place, state: SourcesState) -> Plan:
    """Plan what differs of the sources that are there; a missing one is said, not added."""
    plan: list[Step | Already] = []
    for source in config.function.event_sources:
        if source.service == "sns":
            topic = state.topics.get(source.arn)
            subscribed = topic is not None and topic.subscription
            plan.append(_unchanged(source) if subscribed else _missing(source))
        elif source.service == "s3":
            there = notifications.own(config.function.name, state.buckets.get(source.arn))
            plan.append(_notify(config, source, place, state) if there else _missing(source))
        else:
            mapping = state.mapping(source.arn)
            plan.append(_missing(source) if mapping is None else _remap(source, mapping))
    return plan


def plan_delete(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of every source; a mapping without its function would be of no use."""
    plan: list[Step | Already] = []
    for source in config.function.event_sources:
        if source.service == "sns":
            plan.append(_unsubscribe(source, state))
        elif source.service == "s3":
            has = state.buckets.get(source.arn)
            plan.append(notifications.plan_remove(config.function.name, source, has))
        elif state.mapping(source.arn) is None:
            plan.append(Already("gone", source.label))
    return [*plan, *(_unmap(one) for one in state.mappings if one["State"] != "Deleting")]


def _missing(source: EventSource) -> Already:
    return Already("missing", f"{source.label} (add it: add_event_sources)")


def _unchanged(source: EventSource) -> Already:
    return Already("unchanged", source.label)


def _notify(
    config: Config, source: EventSource, place: Place, state: SourcesState
) -> Step | Already:
    has = state.buckets.get(source.arn)
    return notifications.plan_put(
        config.function.name, source, place.function(config.function.name), has
    )


def _permission(
    config: Config,
    source: EventSource,
    service: str,
    place: Place,
    statements: tuple[Statement, ...],
) -> Plan:
    principal = f"{service}.amazonaws.com"
    if any(admits(one, principal, source.arn) for one in statements):
        return []
    own = next(
        (one for one in config.function.permissions if admits(one, principal, source.arn)), None
    )
    digest = hashlib.sha256(source.arn.encode()).hexdigest()[:8]
    name = arns.parse(source.arn).name.replace(".", "-")[:60]
    permission = own or Permission(
        statement_id=f"kappa-{service}-{name}-{digest}",
        principal=principal,
        source_arn=source.arn,
        source_account=place.account if service == "s3" else "",
    )
    return plan_grant(config.function.name, permission, statements)


def _subscribe(
    config: Config, source: EventSource, place: Place, state: SourcesState
) -> Step | Already:
    topic = state.topics.get(source.arn)
    if topic is None:
        raise NotFound(f"The topic {source.arn} does not exist.", "Make it, or correct its ARN.")
    if topic.subscription:
        return Already("exists", source.label)
    params = {
        "TopicArn": source.arn,
        "Protocol": "lambda",
        "Endpoint": place.function(config.function.name),
        "ReturnSubscriptionArn": True,
    }
    return Step("sns", "subscribe", params, "created", source.label)


def _unsubscribe(source: EventSource, state: SourcesState) -> Step | Already:
    topic = state.topics.get(source.arn)
    subscription = topic.subscription if topic else state.orphans.get(source.arn, "")
    if not subscription:
        return Already("gone", source.label)
    if not subscription.startswith("arn:"):
        # Source: AWS SNS API, Unsubscribe: a pending subscription has no ARN to remove it by.
        return Already("kept", f"{source.label} ({subscription}: AWS drops it after 3 days)")
    params = {"SubscriptionArn": subscription}
    return Step("sns", "unsubscribe", params, "removed", source.label, settled=("NotFound",))


# AWS names of a mapping's settings, and how a config says them.
_SETTINGS: Mapping[str, Callable[[EventSource], Any]] = {
    "BatchSize": lambda source: source.batch_size,
    "MaximumBatchingWindowInSeconds": lambda source: source.batch_window_s,
    "MaximumRetryAttempts": lambda source: source.maximum_retry_attempts,
    "MaximumRecordAgeInSeconds": lambda source: source.maximum_record_age_s,
    "BisectBatchOnFunctionError": lambda source: source.bisect_on_error,
    "ParallelizationFactor": lambda source: source.parallelization_factor,
    "FunctionResponseTypes": lambda source: {
        None: None,
        True: ["ReportBatchItemFailures"],
        False: [],
    }[source.report_batch_item_failures],
    "DestinationConfig": lambda source: (
        {"OnFailure": {"Destination": source.on_failure}} if source.on_failure else None
    ),
}


def _wanted(source: EventSource) -> dict[str, Any]:
    said = {name: say(source) for name, say in _SETTINGS.items()}
    return {name: value for name, value in said.items() if value is not None}


def _map(config: Config, source: EventSource, state: SourcesState) -> Step | Already:
    mapping = state.mapping(source.arn)
    if mapping is not None:
        return Already("exists", f"{source.label} ({mapping['State']})")
    names = {"FunctionName": config.function.name, "EventSourceArn": source.arn}
    params = {
        **names,
        **_wanted(source),
        "StartingPosition": source.starting_position or "LATEST",
        "Enabled": source.enabled,
    }
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
        retry=(FRESH_STREAM_POLICY, FRESH_POLICY, MAPPING_BEING_DELETED, *BUSY),
    )


def _remap(source: EventSource, mapping: Mapping[str, Any]) -> Step | Already:
    enabled = mapping["State"] not in ("Disabled", "Disabling")
    changed = {
        name: value for name, value in _wanted(source).items() if _mapped(mapping, name) != value
    }
    if source.enabled != enabled:
        changed["Enabled"] = source.enabled
    if not changed:
        return _unchanged(source)
    uuid = {"UUID": mapping["UUID"]}
    return Step(
        "lambda",
        "update_event_source_mapping",
        {**uuid, **changed},
        "updated",
        f"{source.label}: {', '.join(changed)}",
        wait=Wait(
            "lambda",
            "get_event_source_mapping",
            uuid,
            "State",
            until=("Enabled" if source.enabled else "Disabled",),
        ),
        retry=(BUSY_MAPPING, FRESH_POLICY),
    )


def _mapped(mapping: Mapping[str, Any], name: str) -> object:
    if name == "DestinationConfig":
        return {"OnFailure": mapping.get(name, {}).get("OnFailure", {})}
    return mapping.get(name, [] if name == "FunctionResponseTypes" else None)


def _unmap(mapping: Mapping[str, Any]) -> Step:
    uuid = {"UUID": mapping["UUID"]}
    source = arns.parse(mapping["EventSourceArn"])
    return Step(
        "lambda",
        "delete_event_source_mapping",
        uuid,
        "removed",
        f"event source {source.service} {source.name}",
        wait=Wait("lambda", "get_event_source_mapping", uuid, "State", gone=True),
        retry=(BUSY_MAPPING,),
        settled=_LAMBDA_GONE,
    )
