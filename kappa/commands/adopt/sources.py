"""What invokes an existing function, in the words of a config. It only reads.

Owns how mappings, subscriptions, notifications and rules are found: the function's own policy
says which topics, buckets and rules there are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kappa import arn as arns
from kappa.aws.client import Aws
from kappa.commands.adopt.rest import as_text, unknown
from kappa.errors import Denied, NotFound
from kappa.function.permissions import Statement, admits, caller
from kappa.sources.polled import POLLED

_MAPPING = {
    "BatchSize": "batch_size",
    "MaximumBatchingWindowInSeconds": "batch_window_s",
    "StartingPosition": "starting_position",
    "MaximumRetryAttempts": "maximum_retry_attempts",
    "MaximumRecordAgeInSeconds": "maximum_record_age_s",
    "BisectBatchOnFunctionError": "bisect_on_error",
    "ParallelizationFactor": "parallelization_factor",
    "TumblingWindowInSeconds": "tumbling_window_s",
}
# What Lambda says where nothing was said.
_UNSAID = {
    "batch_window_s": 0,
    "maximum_retry_attempts": -1,
    "maximum_record_age_s": -1,
    "bisect_on_error": False,
    "parallelization_factor": 1,
    "tumbling_window_s": 0,
}


# What a subscription may have that a config has no key for.
_SUBSCRIPTION = ("DeliveryPolicy", "RedrivePolicy", "ReplayPolicy")
# What can be polled by a config's mapping.
# What a config expresses of a mapping, and what AWS only reports; None: the whole of it.
_KNOWN: Mapping[str, tuple[str, ...] | None] = {
    **dict.fromkeys(_MAPPING),
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
_RULE: Mapping[str, tuple[str, ...] | None] = dict.fromkeys(
    (
        "Arn",
        "CreatedBy",
        "Description",
        "EventBusName",
        "EventPattern",
        "Name",
        "RoleArn",
        "ScheduleExpression",
        "State",
    )
)
_TARGET: Mapping[str, tuple[str, ...] | None] = dict.fromkeys(("Arn", "Id", "Input"))


@dataclass(frozen=True)
class Sources:
    """Event sources in the words of a config, and the names of what those cannot express."""

    found: list[dict[str, Any]] = field(default_factory=list)
    left_out: tuple[str, ...] = ()


def read_sources(aws: Aws, function_arn: str, statements: tuple[Statement, ...]) -> Sources:
    """Read the event sources of a function."""
    doing = f"reading the event sources of {arns.parse(function_arn).name}"
    mappings = aws.pages(
        "lambda",
        "list_event_source_mappings",
        doing,
        "EventSourceMappings",
        {"FunctionName": function_arn},
    )
    parts = [
        *map(_mapping, mappings),
        *(_called(aws, statement, function_arn, doing) for statement in statements),
    ]
    return Sources(
        [one for part in parts for one in part.found],
        tuple(one for part in parts for one in part.left_out),
    )


def _mapping(mapping: Mapping[str, Any]) -> Sources:
    arn = mapping.get("EventSourceArn", "")
    service = arn.split(":")[2] if arn.count(":") > 4 else ""
    if service not in POLLED:
        # Amazon MSK, Amazon MQ, DocumentDB, and Kafka of one's own, which has no ARN.
        words = arn or mapping.get("Topics") or mapping.get("UUID")
        return Sources(left_out=(f"event source {as_text(words)}: of a kind that kappa lacks",))
    extra = unknown(mapping, _KNOWN, f"of event source {arn}: ")
    return Sources([mapping_source(mapping)], tuple(extra))


def _called(aws: Aws, statement: Statement, function_arn: str, doing: str) -> Sources:
    """Find what invokes the function by one statement, if the config's permission can say it."""
    principal = statement.principal.removesuffix(".amazonaws.com")
    service = "sns" if principal.startswith("sns.") else principal
    read = {"sns": _subscription, "s3": _notifications, "events": _rule}.get(service)
    if read is None:
        return Sources()
    name = f"what {service} invokes it for by the permission {statement.statement_id}"
    if statement.foreign:
        return Sources(left_out=(f"{name}: the permission is not in this config",))
    if not statement.source_arn or {"*", "?"}.intersection(statement.source_arn):
        return Sources(left_out=(f"{name}, if there is any: it names no single source",))
    region = arns.parse(function_arn).region
    by = caller(statement.source_arn, service, region)
    if not admits(statement, by, statement.source_arn):
        return Sources(left_out=(f"{name}: kappa's own permission would be wider",))
    try:
        return read(aws, statement.source_arn, function_arn, doing)
    except NotFound:
        return Sources()
    except Denied as error:
        return Sources(left_out=(f"{name}, if there is any: {error.message}",))


def mapping_source(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Say a mapping in the words of a config."""
    said = {new: mapping[old] for old, new in _MAPPING.items() if mapping.get(old) is not None}
    source = {
        "arn": mapping["EventSourceArn"],
        **{key: value for key, value in said.items() if _UNSAID.get(key) != value},
    }
    if mapping.get("State") in ("Disabled", "Disabling"):
        source["enabled"] = False
    if mapping.get("StartingPositionTimestamp"):
        source["starting_position_timestamp"] = mapping["StartingPositionTimestamp"].isoformat()
    if "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or ()):
        source["report_batch_item_failures"] = True
    most = (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency")
    failed = (mapping.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
    filters = (mapping.get("FilterCriteria") or {}).get("Filters", ())
    more = {
        "maximum_concurrency": most,
        "on_failure": failed,
        "filter_criteria": [one["Pattern"] for one in filters],
    }
    return {**source, **{key: value for key, value in more.items() if value}}


def _subscription(aws: Aws, topic: str, function: str, doing: str) -> Sources:
    params = {"TopicArn": topic}
    listed = aws.pages("sns", "list_subscriptions_by_topic", doing, "Subscriptions", params)
    mine = next((one for one in listed if one["Endpoint"] == function), None)
    if mine is None:
        return Sources()
    if not mine["SubscriptionArn"].startswith("arn:"):
        return Sources(left_out=(f"subscription to {topic}: {mine['SubscriptionArn']}",))
    which = {"SubscriptionArn": mine["SubscriptionArn"]}
    attributes = aws.call("sns", "get_subscription_attributes", doing, which)["Attributes"]
    source = {"arn": topic}
    if attributes.get("FilterPolicy"):
        source["filter_policy"] = attributes["FilterPolicy"]
        if attributes.get("FilterPolicyScope") == "MessageBody":
            source["filter_policy_scope"] = "MessageBody"
    extra = [key for key in _SUBSCRIPTION if attributes.get(key)]
    return Sources(
        [source], tuple(f"of event source {topic}: {key}: {attributes[key]}" for key in extra)
    )


def _notifications(aws: Aws, bucket: str, function: str, doing: str) -> Sources:
    params = {"Bucket": arns.parse(bucket).name}
    answer = aws.call("s3", "get_bucket_notification_configuration", doing, params)
    mine = [
        one
        for one in answer.get("LambdaFunctionConfigurations", ())
        if one["LambdaFunctionArn"] == function
    ]
    return Sources([_notification(bucket, one) for one in mine])


def _notification(bucket: str, has: Mapping[str, Any]) -> dict[str, Any]:
    rules = has.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    filters = [{"type": one["Name"].lower(), "value": one["Value"]} for one in rules]
    source = {"arn": bucket, "events": list(has["Events"])}
    return {**source, "key_filters": filters} if filters else source


def _rule(aws: Aws, rule: str, function: str, doing: str) -> Sources:
    *bus, name = arns.parse(rule).resource.removeprefix("rule/").split("/")
    where = {"EventBusName": "/".join(bus)} if bus else {}
    params = {"Rule": name, **where}
    listed = aws.pages("events", "list_targets_by_rule", doing, "Targets", params)
    targets = [one for one in listed if one["Arn"] == function]
    # kappa knows its own target by this id, and would add another one beside any other.
    own = arns.parse(function).name
    mine = next((one for one in targets if one["Id"] == own), None)
    if bus or mine is None or len(targets) > 1:
        ids = ", ".join(one["Id"] for one in targets)
        return Sources(left_out=(f"rule {rule}: target {ids}",) if targets else ())
    says = aws.call("events", "describe_rule", doing, {"Name": name})
    source = {
        "arn": rule,
        "schedule": says.get("ScheduleExpression"),
        "pattern": says.get("EventPattern") and json.dumps(json.loads(says["EventPattern"])),
        "description": says.get("Description"),
        "input": mine.get("Input"),
        "role_arn": says.get("RoleArn"),
    }
    if says.get("State") == "DISABLED":
        source["enabled"] = False
    of = f"of event source {rule}: "
    return Sources(
        [{key: value for key, value in source.items() if value is not None}],
        (*unknown(says, _RULE, of), *unknown(mine, _TARGET, of)),
    )
