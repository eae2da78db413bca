"""A bucket's notifications: plan the function's own, leave those of others untouched.

S3 takes a bucket's notifications as one whole, so every change sends along what was there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa import arn as arns
from kappa.errors import NotFound
from kappa.settings import EventSource
from kappa.steps import FRESH_PERMISSION, Already, Step

_FUNCTIONS = "LambdaFunctionConfigurations"


def own(function: str, has: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Find the notification that kappa made for a function, by its id."""
    found = (has or {}).get(_FUNCTIONS, [])
    return next((one for one in found if one.get("Id") == _id(function)), None)


def plan_put(
    function: str, source: EventSource, function_arn: str, has: Mapping[str, Any] | None
) -> Step | Already:
    """Plan the function's notification; `has` is what the bucket has, None without a bucket.

    Raises: NotFound, if the bucket does not exist.
    """
    if has is None:
        raise NotFound(f"The bucket {source.arn} does not exist.", "Make it, or correct its ARN.")
    there, wanted = own(function, has), _wanted(function, source, function_arn)
    if there is not None and _comparable(there) == _comparable(wanted):
        return Already("exists", source.label)
    mine = {**has, _FUNCTIONS: [*_others(function, has), wanted]}
    return _put(source, mine, "created" if there is None else "updated")


def plan_remove(
    function: str, source: EventSource, has: Mapping[str, Any] | None
) -> Step | Already:
    """Plan the removal of the function's notification."""
    if has is None or own(function, has) is None:
        return Already("gone", source.label)
    return _put(source, {**has, _FUNCTIONS: _others(function, has)}, "removed")


def _id(function: str) -> str:
    return f"kappa-{function}"


def _others(function: str, has: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in has.get(_FUNCTIONS, []) if one.get("Id") != _id(function)]


def _wanted(function: str, source: EventSource, function_arn: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "Id": _id(function),
        "LambdaFunctionArn": function_arn,
        "Events": list(source.events),
    }
    if source.key_filters:
        rules = [{"Name": one.type, "Value": one.value} for one in source.key_filters]
        wanted["Filter"] = {"Key": {"FilterRules": rules}}
    return wanted


def _comparable(one: Mapping[str, Any]) -> object:
    """S3 answers `Prefix` where `prefix` was said, and keeps no order."""
    rules = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return (
        one["LambdaFunctionArn"],
        sorted(one["Events"]),
        sorted((rule["Name"].lower(), rule["Value"]) for rule in rules),
    )


def _put(source: EventSource, wanted: Mapping[str, Any], mark: str) -> Step:
    kept = {key: value for key, value in wanted.items() if value != []}
    return Step(
        "s3",
        "put_bucket_notification_configuration",
        {"Bucket": arns.parse(source.arn).name, "NotificationConfiguration": kept},
        mark,
        source.label,
        retry=(FRESH_PERMISSION,),
        settled=("NoSuchBucket",) if mark == "removed" else (),
    )
