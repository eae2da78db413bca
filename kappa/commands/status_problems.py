"""What a status finds that is not as it should be, each in one line. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kappa.config.model import Config
from kappa.function.async_calls import wants
from kappa.function.permissions import Statement, grants


def problems(config: Config, data: Mapping[str, Any]) -> list[str]:
    """Say what is not as it should be: missing, failed, or against the config."""
    name = config.function.name
    wanted = {
        f"policy {policy_name(config)}": (config.policy is not None, data["policy"]),
        f"role {role_name(config)}": (bool(role_name(config)), data["role"]),
        f"function {name}": (True, data["function"]),
        f"alias {config.function.alias}": (bool(config.function.alias), data["alias"]),
        f"asynchronous settings of {name}": (wants(config.function.async_), data["async"]),
    }
    missing = [f"{what}: missing" for what, (asked, has) in wanted.items() if asked and not has]
    sources = config.function.event_sources
    wanted_on = {number: source.enabled for number, source in enumerate(sources)}
    return [
        *missing,
        *_unattached(config, data["policy"], data["role"]),
        *_function_problems(data["function"] or {}),
        *(
            f"event source {one['name']}: {problem}"
            for number, one in enumerate(data["event_sources"])
            if (problem := _source_problem(one, wanted_on.get(number)))
        ),
    ]


def _function_problems(function: Mapping[str, Any]) -> list[str]:
    found = []
    if function.get("state") == "Failed":
        found.append(f"function {function['name']} failed: {function['state_reason']}")
    if function.get("last_update") == "Failed":
        reason = function["last_update_reason"]
        found.append(f"the last update of {function['name']} failed: {reason}")
    return found


def _unattached(
    config: Config, policy: Mapping[str, Any] | None, role: Mapping[str, Any] | None
) -> list[str]:
    if not (config.makes_role and policy and role) or policy["arn"] in role["policies"]:
        return []
    return [f"policy {policy['name']}: not attached to the role {role['name']}"]


def _source_problem(one: Mapping[str, Any], enabled: bool | None) -> str:
    """Say what is wrong with a source; `enabled` is the config's, None: it does not name it."""
    if one["state"] == "unknown":
        return f"unknown: {one['problem']}"
    if one["state"] in ("missing", "topic is gone", "no target"):
        return str(one["state"])
    if one.get("problem"):
        return str(one["problem"])
    if str(one.get("last_result", "")).startswith("PROBLEM"):
        return str(one["last_result"])
    if enabled is False and one["state"] in ("Enabled", "Notifying", "Subscribed"):
        return "enabled, and the config says disabled"
    return "disabled, and the config says enabled" if enabled and one["state"] == "Disabled" else ""


def lacking(config: Config, given: Sequence[Statement]) -> list[str]:
    """Name the config's permissions that AWS has not, or not so."""
    ids = {one.statement_id for one in given}
    return [
        f"permission {one.statement_id}: {'differs' if one.statement_id in ids else 'missing'}"
        for one in config.function.permissions
        if not any(grants(has, one) for has in given if has.statement_id == one.statement_id)
    ]


def policy_name(config: Config) -> str:
    """What a status calls the policy."""
    return (config.policy.name or config.policy.arn.rsplit("/", 1)[-1]) if config.policy else ""


def role_name(config: Config) -> str:
    """What a status calls the role."""
    return config.role.name or config.role.arn.rsplit("/", 1)[-1]
