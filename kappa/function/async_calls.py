"""What becomes of asynchronous calls: retries, age, destinations. Plan them as the config says.

An alias has such settings of its own: with one, they are the alias's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.aws.client import Aws
from kappa.config.model import Async, Config
from kappa.errors import NotFound
from kappa.plan.step import Already, Plan, Step


def wants(said: Async | None) -> bool:
    """Whether the config asks for a setting, and does not only take some away."""
    return said is not None and bool(_merged(said, {}))


def read(aws: Aws, config: Config) -> dict[str, Any] | None:
    """Read what becomes of asynchronous calls of the function, or of the alias that is bound."""
    name, alias = config.function.name, config.qualifier
    if config.function.async_ is None:
        return None
    params = {"FunctionName": name} | ({"Qualifier": alias} if alias else {})
    doing = f"reading the asynchronous settings of {name}"
    try:
        return aws.call("lambda", "get_function_event_invoke_config", doing, params)
    except NotFound:
        return None


def plan(config: Config, has: Mapping[str, Any] | None) -> Plan:
    """Plan the settings; `has` is what AWS has of them, None: nothing.

    Where nothing is left they are deleted: AWS refuses a put that names no setting.
    """
    said = config.function.async_
    if said is None:
        return []
    name, alias = config.function.name, config.qualifier
    target = {"FunctionName": name} | ({"Qualifier": alias} if alias else {})
    message = f"asynchronous settings of {name}"
    kept = _kept(has or {})
    params = {} if said == Async() else _merged(said, kept)
    if not params:
        return [Already("gone", message) if has is None else _remove(target, message)]
    if has is not None and params == kept:
        return [Already("unchanged", message)]
    return [
        Step(
            "lambda",
            "put_function_event_invoke_config",
            {**target, **params},
            "created" if has is None else "updated",
            message,
            before={
                key: kept.get(key)
                for key in {**kept, **params}
                if has is not None and kept.get(key) != params.get(key)
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


def _kept(has: Mapping[str, Any]) -> dict[str, Any]:
    """What a put must repeat: it replaces every asynchronous setting."""
    keys = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
    kept: dict[str, Any] = {key: has[key] for key in keys if key in has}
    destinations = {key: value for key, value in has.get("DestinationConfig", {}).items() if value}
    return {**kept, "DestinationConfig": destinations} if destinations else kept


def _merged(said: Async, kept: Mapping[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {
        "MaximumRetryAttempts": said.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": said.maximum_event_age_s,
    }
    destinations: dict[str, Any] = dict(kept.get("DestinationConfig", {}))
    for key, arn in (("OnFailure", said.on_failure), ("OnSuccess", said.on_success)):
        if arn is not None:
            destinations[key] = {"Destination": arn} if arn else None
    given = {key: value for key, value in params.items() if value is not None}
    left = {key: value for key, value in destinations.items() if value}
    rest = {key: value for key, value in kept.items() if key != "DestinationConfig"}
    return {**rest, **given, **({"DestinationConfig": left} if left else {})}
