"""Read and plan the settings of asynchronous calls: retries, age, destinations.

They belong to the alias if the config names one, else to the function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.aws import Aws
from kappa.config.model import Async, Config
from kappa.errors import NotFound
from kappa.function.params import function_params
from kappa.plan.step import Note, Plan, Step


def wants(desired: Async | None) -> bool:
    """Whether the config sets anything, instead of only removing settings."""
    return desired is not None and bool(_merged(desired, {}))


def read(aws: Aws, config: Config) -> dict[str, Any] | None:
    """Read the settings of the function, or of the config's alias."""
    if config.function.async_ is None:
        return None
    return read_async_settings(aws, config.function.name, config.function.alias)


def read_async_settings(aws: Aws, name: str, alias: str = "") -> dict[str, Any] | None:
    """Read the settings of a function or of one of its aliases; None if there are none."""
    params = function_params(name, alias)
    doing = f"reading the asynchronous settings of {name}"
    try:
        return aws.call("lambda", "get_function_event_invoke_config", doing, params)
    except NotFound:
        return None


def plan(config: Config, current: Mapping[str, Any] | None) -> Plan:
    """Plan the settings; `current` are those in AWS, None if there are none.

    If no setting is left they are deleted, since AWS refuses a put without any.
    """
    desired = config.function.async_
    if desired is None:
        return []
    name = config.function.name
    target = function_params(name, config.function.alias)
    message = f"asynchronous settings of {name}"
    kept = _kept(current or {})
    params = {} if desired == Async() else _merged(desired, kept)
    if not params:
        return [Note("gone", message) if current is None else _remove(target, message)]
    if current is not None and params == kept:
        return [Note("unchanged", message)]
    return [
        Step(
            "lambda",
            "put_function_event_invoke_config",
            {**target, **params},
            "created" if current is None else "updated",
            message,
            before={
                key: kept.get(key)
                for key in {**kept, **params}
                if current is not None and kept.get(key) != params.get(key)
            },
        )
    ]


def _remove(target: Mapping[str, Any], message: str) -> Step:
    return Step(
        "lambda",
        "delete_function_event_invoke_config",
        target,
        "removed",
        message,
        settled=("ResourceNotFoundException",),
    )


def _kept(current: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a put must repeat, since it replaces all of them."""
    keys = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
    kept: dict[str, Any] = {key: current[key] for key in keys if key in current}
    configured = current.get("DestinationConfig", {})
    destinations = {key: value for key, value in configured.items() if value}
    return {**kept, "DestinationConfig": destinations} if destinations else kept


def _merged(desired: Async, kept: Mapping[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {
        "MaximumRetryAttempts": desired.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": desired.maximum_event_age_s,
    }
    destinations: dict[str, Any] = dict(kept.get("DestinationConfig", {}))
    for key, arn in (("OnFailure", desired.on_failure), ("OnSuccess", desired.on_success)):
        if arn is not None:
            destinations[key] = {"Destination": arn} if arn else None
    configured = {key: value for key, value in params.items() if value is not None}
    destinations = {key: value for key, value in destinations.items() if value}
    rest = {key: value for key, value in kept.items() if key != "DestinationConfig"}
    return {
        **rest,
        **configured,
        **({"DestinationConfig": destinations} if destinations else {}),
    }
