"""The function itself: read it, plan its making, change and removal.

Owns code, configuration and what becomes of failed asynchronous calls. A setting that the
config does not name is left as AWS has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kappa.archive import Archive
from kappa.aws import Aws
from kappa.errors import NotFound
from kappa.permissions import Statement, plan_grant, read_statements
from kappa.settings import Async, Config
from kappa.steps import (
    BUSY,
    FRESH_POLICY,
    FRESH_ROLE,
    FRESH_ROLE_KEY,
    Already,
    Plan,
    Step,
    Wait,
)


@dataclass(frozen=True)
class FunctionState:
    """What Lambda has. `settings` is its GetFunctionConfiguration; None: no such function."""

    settings: Mapping[str, Any] | None = None
    statements: tuple[Statement, ...] = ()
    asynchronous: Mapping[str, Any] | None = None


def read(aws: Aws, config: Config) -> FunctionState:
    """Read settings, permissions and, if the config has them, the asynchronous settings."""
    name = config.function.name
    params, doing = {"FunctionName": name}, f"reading the function {name}"

    def found(operation: str) -> dict[str, Any] | None:
        try:
            return aws.call("lambda", operation, doing, params)
        except NotFound:
            return None

    with ThreadPoolExecutor(3) as pool:
        settings = pool.submit(found, "get_function_configuration")
        statements = pool.submit(read_statements, aws, name)
        wants = config.function.async_ is not None
        asynchronous = pool.submit(found, "get_function_event_invoke_config") if wants else None
        return FunctionState(
            settings.result(), statements.result(), asynchronous.result() if asynchronous else None
        )


def plan_create(config: Config, archive: Archive, role_arn: str, state: FunctionState) -> Plan:
    """Plan the function, its permissions and asynchronous settings; what exists stays."""
    name = config.function.name
    function: Step | Already
    if state.settings is not None:
        function = Already("exists", f"function {name} (code: kappa {config.file} update_code)")
    else:
        function = _create(config, archive, role_arn)
    return [function, *_permissions(config, state), *_asynchronous(config, state)]


def _create(config: Config, archive: Archive, role_arn: str) -> Step:
    name = config.function.name
    params = {
        "FunctionName": name,
        **_wanted(config, role_arn),
        "Code": {"ZipFile": archive.data},
    }
    if config.function.architectures:
        params["Architectures"] = list(config.function.architectures)
    return Step(
        "lambda",
        "create_function",
        params,
        "created",
        f"function {name}",
        wait=_ready(name, "State", "Active", "StateReason"),
        retry=(FRESH_ROLE, FRESH_ROLE_KEY),
    )


def _ready(name: str, field: str, until: str, reason: str) -> Wait:
    return Wait(
        "lambda",
        "get_function_configuration",
        {"FunctionName": name},
        field,
        until=(until,),
        failed=("Failed",),
        reason=reason,
    )


def _wanted(config: Config, role_arn: str) -> dict[str, Any]:
    function = config.function
    params: dict[str, Any] = {
        "Runtime": function.runtime,
        "Role": role_arn,
        "Handler": function.handler,
        "Description": function.description,
        "Timeout": function.timeout,
        "MemorySize": function.memory_size,
    }
    if function.environment is not None:
        params["Environment"] = {"Variables": dict(function.environment)}
    return {key: value for key, value in params.items() if value is not None}


def plan_update(config: Config, archive: Archive, role_arn: str, state: FunctionState) -> Plan:
    """Plan what differs: settings first, so that new code finds its environment, then code.

    Raises: NotFound, if there is no such function.
    """
    if state.settings is None:
        raise NotFound(
            f"The function {config.function.name} does not exist.",
            f"Make it: kappa {config.file} create",
        )
    return [
        _update_settings(config, role_arn, state.settings),
        _update_code(config, archive, state.settings),
        *_permissions(config, state),
        *_asynchronous(config, state),
    ]


def _update_settings(config: Config, role_arn: str, has: Mapping[str, Any]) -> Step | Already:
    name = config.function.name
    wanted = _wanted(config, role_arn)
    changed = {key: value for key, value in wanted.items() if _plain(has, key) != value}
    if not changed:
        return Already("unchanged", f"settings of {name}")
    return Step(
        "lambda",
        "update_function_configuration",
        {"FunctionName": name, **changed},
        "updated",
        f"settings of {name}: {', '.join(changed)}",
        wait=_ready(name, "LastUpdateStatus", "Successful", "LastUpdateStatusReason"),
        retry=(*BUSY, FRESH_ROLE, FRESH_ROLE_KEY),
    )


def _plain(has: Mapping[str, Any], key: str) -> object:
    if key == "Environment":
        return {"Variables": has.get("Environment", {}).get("Variables", {})}
    return has.get(key, "" if key == "Description" else None)


def _update_code(config: Config, archive: Archive, has: Mapping[str, Any]) -> Step | Already:
    name, architectures = config.function.name, config.function.architectures
    same_machine = architectures is None or list(architectures) == has.get("Architectures")
    if has.get("CodeSha256") == archive.sha256 and same_machine:
        return Already("unchanged", f"code of {name}")
    params: dict[str, Any] = {"FunctionName": name, "ZipFile": archive.data}
    if architectures and not same_machine:
        params["Architectures"] = list(architectures)
    return Step(
        "lambda",
        "update_function_code",
        params,
        "updated",
        f"code of {name}",
        wait=_ready(name, "LastUpdateStatus", "Successful", "LastUpdateStatusReason"),
        retry=BUSY,
    )


def _permissions(config: Config, state: FunctionState) -> Plan:
    return [
        item
        for permission in config.function.permissions
        for item in plan_grant(config.function.name, permission, state.statements)
    ]


def _asynchronous(config: Config, state: FunctionState) -> Plan:
    wanted = config.function.async_
    if wanted is None:
        return []
    name = config.function.name
    message = f"asynchronous settings of {name}"
    has = state.asynchronous or {}
    kept = _async_kept(has)
    params = {**kept, **_async_params(wanted, kept)}
    if state.asynchronous is not None and params == kept:
        return [Already("unchanged", message)]
    return [
        Step(
            "lambda",
            "put_function_event_invoke_config",
            {"FunctionName": name, **params},
            "created" if state.asynchronous is None else "updated",
            message,
            retry=(*BUSY, FRESH_POLICY),
        )
    ]


def _async_kept(has: Mapping[str, Any]) -> dict[str, Any]:
    """What a put must repeat: it replaces every asynchronous setting."""
    keys = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
    kept: dict[str, Any] = {key: has[key] for key in keys if key in has}
    destinations = {key: value for key, value in has.get("DestinationConfig", {}).items() if value}
    return {**kept, "DestinationConfig": destinations} if destinations else kept


def _async_params(wanted: Async, has: Mapping[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {
        "MaximumRetryAttempts": wanted.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": wanted.maximum_event_age_s,
    }
    if wanted.on_failure:
        on_failure = {"OnFailure": {"Destination": wanted.on_failure}}
        params["DestinationConfig"] = {**has.get("DestinationConfig", {}), **on_failure}
    return {key: value for key, value in params.items() if value is not None}


def plan_delete(config: Config, state: FunctionState) -> Plan:
    """Plan the function's removal; its permissions and asynchronous settings go with it."""
    name = config.function.name
    if state.settings is None:
        return [Already("gone", f"function {name}")]
    return [
        Step(
            "lambda",
            "delete_function",
            {"FunctionName": name},
            "removed",
            f"function {name}",
            retry=BUSY,
            settled=("ResourceNotFoundException",),
        ),
    ]
