"""Put results into words: a status as data and as a table. Pure: it neither asks nor prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa import arn as arns
from kappa import notifications
from kappa.function import FunctionState
from kappa.iamstate import IamState
from kappa.settings import Config, EventSource
from kappa.sourcestate import SourcesState


def status_data(
    config: Config, rights: IamState, function: FunctionState, sources: SourcesState
) -> dict[str, Any]:
    """Say what there is, for scripts. null and "missing" mean: not there.

    Shape: {policy, role, function, permissions: [], event_sources: []}.
    """
    configured = [_source(config, source, sources) for source in config.function.event_sources]
    known = {source.arn for source in config.function.event_sources}
    extra = [
        {**_mapping(one), "configured": False}
        for one in sources.mappings
        if one["EventSourceArn"] not in known
    ]
    return {
        "policy": _policy(config, rights),
        "role": _role(config, rights),
        "function": _function(function.settings),
        "permissions": [
            {
                "statement_id": one.statement_id,
                "principal": one.principal,
                "action": one.action,
                "source_arn": one.source_arn,
            }
            for one in function.statements
        ],
        "event_sources": [*configured, *extra],
    }


def _policy(config: Config, rights: IamState) -> dict[str, Any] | None:
    if config.policy is None or rights.policy is None:
        return None
    policy = rights.policy
    name = policy.arn.rsplit("/", 1)[-1]
    return {
        "name": name,
        "arn": policy.arn,
        "version": policy.default_version,
        "attachments": policy.uses,
    }


def _role(config: Config, rights: IamState) -> dict[str, Any] | None:
    if config.role.arn:
        name = config.role.arn.rsplit("/", 1)[-1]
        return {"name": name, "arn": config.role.arn, "policies": None}
    if rights.role is None:
        return None
    return {
        "name": config.role.name,
        "arn": rights.role.arn,
        "policies": [*rights.role.attached, *rights.role.inline],
    }


def _function(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if settings is None:
        return None
    return {
        "name": settings["FunctionName"],
        "arn": settings["FunctionArn"],
        "state": settings.get("State", "Active"),
        "last_update": settings.get("LastUpdateStatus", "Successful"),
        "runtime": settings.get("Runtime", ""),
        "architectures": settings.get("Architectures", []),
        "memory_size": settings.get("MemorySize"),
        "timeout": settings.get("Timeout"),
        "code_size": settings.get("CodeSize"),
        "code_sha256": settings.get("CodeSha256"),
        "last_modified": settings.get("LastModified"),
        "role": settings.get("Role"),
    }


def _source(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    said = {"arn": source.arn, "service": source.service, "configured": True}
    if source.service == "sns":
        topic = state.topics.get(source.arn)
        subscription = topic.subscription if topic else state.orphans.get(source.arn, "")
        confirmed = "Subscribed" if subscription.startswith("arn:") else subscription
        return {**said, "state": (confirmed or "missing") if topic else "topic is gone"}
    if source.service == "s3":
        has = state.buckets.get(source.arn)
        found = notifications.own(config.function.name, has)
        return {**said, "state": "Notifying" if found else "missing"}
    mapping = state.mapping(source.arn)
    return {**said, **_mapping(mapping)} if mapping else {**said, "state": "missing"}


def _mapping(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "arn": mapping["EventSourceArn"],
        "service": arns.parse(mapping["EventSourceArn"]).service,
        "state": mapping["State"],
        "uuid": mapping["UUID"],
        "batch_size": mapping.get("BatchSize"),
        "last_result": mapping.get("LastProcessingResult", ""),
    }


def status_table(data: Mapping[str, Any], config: Config) -> list[tuple[str, str, str, str]]:
    """Turn status data into rows: what, name, state, detail."""
    policy, role, function = data["policy"], data["role"], data["function"]
    rows = []
    if config.policy:
        name = config.policy.name or config.policy.arn
        detail = f"{policy['version']}, attached {policy['attachments']}x" if policy else ""
        rows.append(("policy", name, "there" if policy else "missing", detail))
    detail = role["arn"] if role else ""
    name = config.role.name or config.role.arn
    rows.append(("role", name, "there" if role else "missing", detail))
    rows.append(_function_row(config.function.name, function))
    for one in data["permissions"]:
        detail = f"{one['principal']} {one['source_arn']}".strip()
        rows.append(("permission", one["statement_id"], "there", detail))
    rows += [_source_row(one) for one in data["event_sources"]]
    return rows


def _function_row(name: str, function: Mapping[str, Any] | None) -> tuple[str, str, str, str]:
    if function is None:
        return "function", name, "missing", ""
    detail = [
        function["runtime"],
        *function["architectures"],
        f"{function['memory_size']} MB",
        f"{function['timeout']} s",
        f"{function['code_size'] / 1000:.1f} kB",
        f"changed {function['last_modified'][:19]}Z",
    ]
    state = function["state"]
    if function["last_update"] != "Successful":
        state = f"{state}, update {function['last_update']}"
    return "function", name, state, "  ".join(detail)


def _source_row(one: Mapping[str, Any]) -> tuple[str, str, str, str]:
    detail = [one["service"]]
    if "batch_size" in one:
        detail += [f"batches of {one['batch_size']}", one["last_result"]]
    if not one["configured"]:
        detail.append("(not in the config)")
    return "event source", arns.parse(one["arn"]).name, one["state"], "  ".join(detail)


def padded(rows: list[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Give each column but the last one width."""
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return [
        (row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2].ljust(widths[2]), row[3])
        for row in rows
    ]
