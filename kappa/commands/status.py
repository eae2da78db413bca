"""Put results into words: a status as data and as a table. Pure: it neither asks nor prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kappa.commands.humanize import duration, size
from kappa.commands.status_problems import lacking, policy_name, problems, role_name
from kappa.config.model import Config
from kappa.function.async_calls import wants
from kappa.function.state import FunctionState
from kappa.iam.state import IamState
from kappa.sources.report import Row, source_row, sources_data
from kappa.sources.state import SourcesState


def status_data(
    config: Config, rights: IamState, function: FunctionState, sources: SourcesState
) -> dict[str, Any]:
    """Say what there is, for scripts. null and "missing" mean: not there.

    Shape: {policy, role, function, alias, async, permissions: [], event_sources: [],
    problems: [text]}; alias and async are null too where the config names none.
    """
    data = {
        "policy": _policy(config, rights),
        "role": _role(config, rights),
        "function": _function(function),
        "alias": _alias(config, function),
        "async": _asynchronous(function.asynchronous),
        "permissions": [
            {
                "statement_id": one.statement_id,
                "principal": one.principal,
                "action": one.action,
                "source_arn": one.source_arn,
                "foreign": json.loads(one.foreign) if one.foreign else None,
            }
            for one in function.statements
        ],
        "event_sources": sources_data(config, sources),
    }
    given = sources.statements.get(config.qualifier)
    more = lacking(config, given) if function.settings and given is not None else []
    return {**data, "problems": [*problems(config, data), *more]}


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
    if config.role.arn and (rights.role or rights.denied):
        state = "unknown" if rights.denied else "there"
        return {
            "name": role_name(config),
            "arn": config.role.arn,
            "policies": None,
            "state": state,
        }
    if rights.role is None:
        return None
    return {
        "name": rights.role.arn.rsplit("/", 1)[-1],
        "arn": rights.role.arn,
        "policies": [*rights.role.attached, *rights.role.inline],
        "state": "there",
    }


def _function(function: FunctionState) -> dict[str, Any] | None:
    settings = function.settings
    if settings is None:
        return None
    return {
        "name": settings["FunctionName"],
        "arn": settings["FunctionArn"],
        "state": settings.get("State", "Active"),
        "state_reason": settings.get("StateReason"),
        "last_update": settings.get("LastUpdateStatus", "Successful"),
        "last_update_reason": settings.get("LastUpdateStatusReason"),
        "runtime": settings.get("Runtime", ""),
        "package_type": settings.get("PackageType", "Zip"),
        "architectures": settings.get("Architectures", []),
        "memory_size": settings.get("MemorySize"),
        "timeout": settings.get("Timeout"),
        "reserved_concurrency": function.concurrency,
        "code_size": settings.get("CodeSize"),
        "code_sha256": settings.get("CodeSha256"),
        "last_modified": settings.get("LastModified"),
        "role": settings.get("Role"),
    }


def _alias(config: Config, function: FunctionState) -> dict[str, Any] | None:
    has = function.versions.alias(config.function.alias)
    if has is None:
        return None
    current = function.versions.current
    return {
        "name": has["Name"],
        "version": has["FunctionVersion"],
        "weights": has.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
        "is_current": current is not None and has["FunctionVersion"] == str(current),
    }


def _asynchronous(has: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if has is None:
        return None
    destination = has.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    return {
        "maximum_retry_attempts": has.get("MaximumRetryAttempts"),
        "maximum_event_age_s": has.get("MaximumEventAgeInSeconds"),
        "on_failure": destination,
    }


def status_table(data: Mapping[str, Any], config: Config) -> list[Row]:
    """Turn status data into rows: what, name, state, detail (facts, two spaces apart)."""
    policy, role = data["policy"], data["role"]
    rows = []
    if config.policy:
        detail = f"{policy['version']}  attached {policy['attachments']}x" if policy else ""
        rows.append(("policy", policy_name(config), "there" if policy else "missing", detail))
    name = role_name(config)
    names = [policy.rsplit("/", 1)[-1] for policy in (role or {}).get("policies") or []]
    if name:
        rows.append(("role", name, role["state"] if role else "missing", "  ".join(names)))
    rows.append(_function_row(config.function.name, data["function"]))
    if config.function.alias:
        rows.append(_alias_row(config.function.alias, data["alias"]))
    if wants(config.function.async_) or data["async"]:
        rows.append(_async_row(data["async"]))
    for one in data["permissions"]:
        detail = f"{one['principal']}  {one['source_arn']}".strip()
        if one["foreign"]:
            detail = f"{one['foreign'].get('Effect', '')}  more than a config can express (--json)"
        rows.append(("permission", one["statement_id"], "there", detail))
    rows += [source_row(one) for one in data["event_sources"]]
    return rows


def _function_row(name: str, function: Mapping[str, Any] | None) -> Row:
    if function is None:
        return "function", name, "missing", ""
    reserved = function["reserved_concurrency"]
    facts = [
        function["runtime"] or function["package_type"].lower(),
        *function["architectures"],
        f"{function['memory_size']} MB",
        f"{function['timeout']} s",
        f"at most {reserved} at once" if reserved is not None else "",
        size(function["code_size"] or 0),
        f"sha256 {(function['code_sha256'] or '')[:8]}",
        f"changed {function['last_modified'][:19]}Z",
    ]
    state = function["state"]
    if function["last_update"] != "Successful":
        state = f"{state}, update {function['last_update']}"
    return "function", name, state, "  ".join(fact for fact in facts if fact)


def _alias_row(name: str, alias: Mapping[str, Any] | None) -> Row:
    if alias is None:
        return "alias", name, "missing", ""
    shares = [f"{share:.0%} to version {number}" for number, share in alias["weights"].items()]
    words = "as the function is now" if alias["is_current"] else "the function has changed since"
    return "alias", name, f"version {alias['version']}", "  ".join([*shares, words])


def _async_row(has: Mapping[str, Any] | None) -> Row:
    if has is None:
        return "async", "", "missing", ""
    tries, age_s, target = (
        has["maximum_retry_attempts"],
        has["maximum_event_age_s"],
        has["on_failure"],
    )
    facts = [
        f"{tries} retries" if tries is not None else "",
        f"within {duration(age_s * 1000)}" if age_s is not None else "",
        f"then to {target.rsplit(':', 1)[-1]}" if target else "",
    ]
    return "async", "", "there", "  ".join(fact for fact in facts if fact)


def padded(rows: list[Row], width: int | None = None) -> list[Row]:
    """Give each column but the last one width, and break details that are wider than the rest."""
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    indent = widths[0] + 2
    left = None if width is None else width - sum(widths) - 6
    return [
        (
            row[0].ljust(widths[0]),
            row[1].ljust(widths[1]),
            row[2].ljust(widths[2]),
            _broken(row[3], left, indent, width),
        )
        for row in rows
    ]


def _broken(detail: str, left: int | None, indent: int, width: int | None) -> str:
    """Break a detail between two facts, so that no line is too long."""
    if left is None or width is None or len(detail) <= left:
        return detail
    lines = [""]
    for fact in detail.split("  "):
        room = left if len(lines) == 1 else width - indent
        longer = f"{lines[-1]}  {fact}" if lines[-1] else fact
        if len(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(fact)
    return f"\n{' ' * indent}".join(lines)
