"""What a function has as a whole, whatever its version: tags, reserved concurrency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.plan.step import Already, Plan, Step


def plan_tags(config: Config, function: Mapping[str, Any] | None, has: Mapping[str, str]) -> Plan:
    """Bring the tags to the config's; those that AWS itself sets begin with aws: and stay.

    A function that is not there yet is made with its tags. Old tags go before new ones come:
    AWS takes 50 at most, and counts at each call.
    """
    tags = config.function.tags
    if tags is None or function is None:
        return []
    changed = {key: value for key, value in tags.items() if has.get(key) != value}
    extra = [key for key in sorted(has) if key not in tags and not key.startswith("aws:")]
    message, resource = f"tags of {config.function.name}", {"Resource": function["FunctionArn"]}
    plan: list[Step | Already] = []
    if extra:
        keys = {**resource, "TagKeys": extra}
        before = {"Tags": {key: has[key] for key in extra}}
        text = f"{message}: {', '.join(extra)}"
        plan.append(Step("lambda", "untag_resource", keys, "removed", text, before=before))
    if changed:
        params = {**resource, "Tags": changed}
        before = {"Tags": {key: has[key] for key in changed if key in has}}
        text = f"{message}: {', '.join(changed)}"
        plan.append(Step("lambda", "tag_resource", params, "updated", text, before=before))
    return plan or [Already("unchanged", message)]


def plan_missing(
    config: Config, function: Mapping[str, Any], tags: Mapping[str, str], concurrency: int | None
) -> Plan:
    """Plan what a function that exists lacks: tags by their keys, a reservation.

    What has another value stays, and nothing is removed.
    """
    wanted = config.function.tags or {}
    missing = {key: value for key, value in wanted.items() if key not in tags}
    plan: list[Step | Already] = []
    if missing:
        params = {"Resource": function["FunctionArn"], "Tags": missing}
        text = f"tags of {config.function.name}: {', '.join(missing)}"
        plan.append(Step("lambda", "tag_resource", params, "created", text))
    if concurrency is None and config.function.reserved_concurrency != "none":
        plan.extend(plan_concurrency(config, concurrency))
    return plan


def plan_concurrency(config: Config, has: int | None) -> Plan:
    """Plan how many executions at once are the function's own; `has` is None for no reservation."""
    reserved = config.function.reserved_concurrency
    if reserved is None:
        return []
    name = {"FunctionName": config.function.name}
    message = f"reserved concurrency of {config.function.name}"
    before = {"ReservedConcurrentExecutions": has}
    if has == (None if reserved == "none" else reserved):
        return [Already("unchanged", message)]
    if reserved == "none":
        operation = "delete_function_concurrency"
        return [Step("lambda", operation, name, "removed", message, before=before)]
    params = {**name, "ReservedConcurrentExecutions": reserved}
    text = f"{message}: {reserved}"
    return [Step("lambda", "put_function_concurrency", params, "updated", text, before=before)]
