"""What invokes an existing function, in the words of a config. It only reads.

Owns how mappings, subscriptions, notifications and rules are found: the function's own policy
says which topics, buckets and rules there are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kappa import arn as arns
from kappa.aws import Aws
from kappa.errors import NotFound
from kappa.permissions import Statement

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


def read_sources(
    aws: Aws, function_arn: str, statements: tuple[Statement, ...]
) -> list[dict[str, Any]]:
    """Read the event sources of a function."""
    doing = f"reading the event sources of {arns.parse(function_arn).name}"
    mappings = aws.pages(
        "lambda",
        "list_event_source_mappings",
        doing,
        "EventSourceMappings",
        {"FunctionName": function_arn},
    )
    found = [mapping_source(one) for one in mappings if "EventSourceArn" in one]
    for statement in statements:
        service = statement.principal.removesuffix(".amazonaws.com")
        read = {"sns": _subscription, "s3": _notifications, "events": _rule}.get(service)
        if read and statement.source_arn and "*" not in statement.source_arn:
            try:
                found += read(aws, statement.source_arn, function_arn, doing)
            except NotFound:
                continue
    return found


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


def _subscription(aws: Aws, topic: str, function: str, doing: str) -> list[dict[str, Any]]:
    params = {"TopicArn": topic}
    listed = aws.pages("sns", "list_subscriptions_by_topic", doing, "Subscriptions", params)
    mine = next((one for one in listed if one["Endpoint"] == function), None)
    if mine is None:
        return []
    which = {"SubscriptionArn": mine["SubscriptionArn"]}
    attributes = aws.call("sns", "get_subscription_attributes", doing, which)["Attributes"]
    source = {"arn": topic}
    if attributes.get("FilterPolicy"):
        source["filter_policy"] = attributes["FilterPolicy"]
        if attributes.get("FilterPolicyScope") == "MessageBody":
            source["filter_policy_scope"] = "MessageBody"
    return [source]


def _notifications(aws: Aws, bucket: str, function: str, doing: str) -> list[dict[str, Any]]:
    params = {"Bucket": arns.parse(bucket).name}
    answer = aws.call("s3", "get_bucket_notification_configuration", doing, params)
    mine = [
        one
        for one in answer.get("LambdaFunctionConfigurations", ())
        if one["LambdaFunctionArn"] == function
    ]
    if len(mine) != 1:
        # A config says one notification of each bucket; more than one stays as it is.
        return []
    rules = mine[0].get("Filter", {}).get("Key", {}).get("FilterRules", ())
    filters = [{"type": one["Name"].lower(), "value": one["Value"]} for one in rules]
    source = {"arn": bucket, "events": list(mine[0]["Events"])}
    return [{**source, "key_filters": filters} if filters else source]


def _rule(aws: Aws, rule: str, function: str, doing: str) -> list[dict[str, Any]]:
    name = arns.parse(rule).resource.removeprefix("rule/")
    if "/" in name:
        # A rule of another event bus: kappa makes those of the default bus.
        return []
    targets = aws.call("events", "list_targets_by_rule", doing, {"Rule": name})["Targets"]
    # kappa knows its own target by this id, and would add another one beside any other.
    own = arns.parse(function).name
    mine = next((one for one in targets if one["Arn"] == function and one["Id"] == own), None)
    if mine is None:
        return []
    says = aws.call("events", "describe_rule", doing, {"Name": name})
    source = {
        "arn": rule,
        "schedule": says.get("ScheduleExpression"),
        "pattern": says.get("EventPattern") and json.dumps(json.loads(says["EventPattern"])),
        "description": says.get("Description"),
        "input": mine.get("Input"),
    }
    if says.get("State") == "DISABLED":
        source["enabled"] = False
    return [{key: value for key, value in source.items() if value is not None}]
