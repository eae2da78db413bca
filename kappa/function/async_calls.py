"""Read and plan the settings of asynchronous calls: retries, age, destinations.

They belong to the alias if the config names one, else to the function.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.aws import Aws
from kappa.config.model import Async, Config
from kappa.config.setting_table import named
from kappa.config.settings import ASYNC
from kappa.errors import NotFound
from kappa.function.params import function_params
from kappa.plan.step import Note, Plan, Step


def wants(desired: Async | None) -> bool:
    """Whether the config sets anything, instead of only removing settings."""
    return desired is not None and bool(_whole(ASYNC.sent(desired, {})))


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
    kept = _whole({member: ASYNC.current(current or {}, member) for member in ASYNC.members})
    # A put replaces all of them, so those that the config leaves open are repeated.
    params = _whole({**kept, **ASYNC.sent(desired, current or {})}) if named(desired) else {}
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


def _whole(params: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what sets nothing, such as a destination that is removed."""
    whole = {member: value for member, value in params.items() if ASYNC.sets(member, value)}
    if "DestinationConfig" in whole:
        to = whole["DestinationConfig"]
        whole["DestinationConfig"] = {name: value for name, value in to.items() if value}
    return whole
