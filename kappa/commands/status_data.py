"""The command status: read all that AWS has, describe it as data, and name what is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec

from kappa.commands.session import Session
from kappa.config.function_rules import check_regions
from kappa.config.model import Config
from kappa.function.async_calls import wants
from kappa.function.permissions import Statement, grants
from kappa.function.state import FunctionState, read_function
from kappa.function.version_state import weights
from kappa.iam.state import IamState, read_policy, read_role
from kappa.sources.read import read_sources
from kappa.sources.report import BROKEN, sources_data
from kappa.sources.state import SourcesState


class Status(msgspec.Struct, frozen=True):
    """The config, and all that AWS has of its function."""

    config: Config
    iam: IamState
    function: FunctionState
    sources: SourcesState


def read_status(session: Session) -> Status:
    """Read everything, side by side."""
    config, aws = session.config, session.aws
    check_regions(config, aws.region)
    with ThreadPoolExecutor(3) as pool:
        reading = pool.submit(read_function, aws, config)
        place = partial(session.place_after, reading)
        role = pool.submit(read_role, aws, config, inline=True)
        pending = pool.submit(read_sources, aws, config, place, everywhere=True, tolerant=True)
        policy = read_policy(aws, config.policy, place())
        rights = msgspec.structs.replace(role.result(), policy=policy)
    function, sources = reading.result(), pending.result()
    if (statements := sources.statements.get(config.function.alias)) is not None:
        function = msgspec.structs.replace(function, statements=statements)
    return Status(config, rights, function, sources)


def status_data(
    config: Config, rights: IamState, function: FunctionState, sources: SourcesState
) -> dict[str, Any]:
    """Describe what AWS has, for scripts. null and "missing" mean that it does not exist.

    Shape: {policy, role, function, alias, other_aliases: [], async, permissions: [],
    event_sources: [], problems: [text]}; alias and async are null too where the config names none.
    """
    data = {
        "policy": _policy(config, rights),
        "role": _role(config, rights),
        "function": _function(function),
        "alias": _alias(config, function),
        "other_aliases": [
            _alias_data(alias)
            for name, alias in sources.aliases.items()
            if name != config.function.alias
        ],
        "async": _asynchronous(function.asynchronous),
        "permissions": [
            {
                "statement_id": statement.statement_id,
                "principal": statement.principal,
                "action": statement.action,
                "source_arn": statement.source_arn,
                "foreign": json.loads(statement.foreign) if statement.foreign else None,
            }
            for statement in function.statements
        ],
        "event_sources": sources_data(config, sources),
    }
    given = sources.statements.get(config.function.alias)
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
    alias = function.versions.alias(config.function.alias)
    if alias is None:
        return None
    current = function.versions.current
    is_current = current is not None and alias["FunctionVersion"] == str(current)
    return {**_alias_data(alias), "is_current": is_current}


def _alias_data(alias: Mapping[str, Any]) -> dict[str, Any]:
    version, shares = alias["FunctionVersion"], weights(alias)
    return {"name": alias["Name"], "version": version, "weights": shares}


def _asynchronous(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if settings is None:
        return None
    destination = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    return {
        "maximum_retry_attempts": settings.get("MaximumRetryAttempts"),
        "maximum_event_age_s": settings.get("MaximumEventAgeInSeconds"),
        "on_failure": destination,
    }


def problems(config: Config, data: Mapping[str, Any]) -> list[str]:
    """Name what is not as it should be: missing, failed, or not as in the config."""
    name = config.function.name
    parts = {
        f"policy {policy_name(config)}": (config.policy is not None, data["policy"]),
        f"role {role_name(config)}": (bool(role_name(config)), data["role"]),
        f"function {name}": (True, data["function"]),
        f"alias {config.function.alias}": (bool(config.function.alias), data["alias"]),
        f"asynchronous settings of {name}": (wants(config.function.async_), data["async"]),
    }
    missing = [
        f"{what}: missing" for what, (asked, current) in parts.items() if asked and not current
    ]
    sources = config.function.event_sources
    enabled = {number: source.enabled for number, source in enumerate(sources)}
    return [
        *missing,
        *_unattached(config, data["policy"], data["role"]),
        *_function_problems(data["function"] or {}),
        *(
            f"event source {source['name']}: {problem}"
            for number, source in enumerate(data["event_sources"])
            if (problem := _source_problem(source, enabled.get(number)))
        ),
    ]


def _function_problems(function: Mapping[str, Any]) -> list[str]:
    messages = []
    if function.get("state") == "Failed":
        messages.append(f"function {function['name']} failed: {function['state_reason']}")
    if function.get("last_update") == "Failed":
        reason = function["last_update_reason"]
        messages.append(f"the last update of {function['name']} failed: {reason}")
    return messages


def _unattached(
    config: Config, policy: Mapping[str, Any] | None, role: Mapping[str, Any] | None
) -> list[str]:
    if not (config.makes_role and policy and role) or policy["arn"] in role["policies"]:
        return []
    return [f"policy {policy['name']}: not attached to the role {role['name']}"]


def _source_problem(source: Mapping[str, Any], enabled: bool | None) -> str:
    """What is wrong with a source; `enabled` is the config's, None: it does not name it."""
    if source["state"] == "unknown":
        return f"unknown: {source['problem']}"
    if source["state"] in BROKEN:
        return str(source["state"])
    if source.get("problem"):
        return str(source["problem"])
    if str(source.get("last_result", "")).startswith("PROBLEM"):
        return str(source["last_result"])
    if enabled is False and source["state"] in ("Enabled", "Notifying", "Subscribed"):
        return "enabled, but disabled in the config"
    if enabled and source["state"] == "Disabled":
        return "disabled, but enabled in the config"
    return ""


def lacking(config: Config, given: Sequence[Statement]) -> list[str]:
    """Name the config's permissions that AWS lacks, or has otherwise."""
    ids = {statement.statement_id for statement in given}
    return [
        f"permission {permission.statement_id}: "
        f"{'differs' if permission.statement_id in ids else 'missing'}"
        for permission in config.function.permissions
        if not any(
            grants(statement, permission)
            for statement in given
            if statement.statement_id == permission.statement_id
        )
    ]


def policy_name(config: Config) -> str:
    """What a status calls the policy."""
    return (config.policy.name or config.policy.arn.rsplit("/", 1)[-1]) if config.policy else ""


def role_name(config: Config) -> str:
    """What a status calls the role."""
    return config.role.name or config.role.arn.rsplit("/", 1)[-1]
