"""Plan aliases: make one, or move it to a version. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.function import conflicts
from kappa.function.version_state import VersionsState, weights
from kappa.plan.step import Note, Plan, Recheck, Step


def names(config: Config) -> list[str]:
    """The alias that is moved, and lambda.alias, which must exist for what is bound to it."""
    return [name for name in dict.fromkeys((config.published_alias, config.function.alias)) if name]


def missing(config: Config, state: VersionsState) -> list[str]:
    """The aliases that the config or the command line names and that do not exist."""
    return [name for name in names(config) if state.alias(name) is None]


def plan(config: Config, state: VersionsState, number: str) -> Plan:
    """Plan the aliases for a version; without a number, for the one just published."""
    return [_plan(config, state, name, number) for name in names(config)]


def _plan(config: Config, state: VersionsState, name: str, number: str) -> Step | Note:
    alias = state.alias(name)
    if alias is None or (config.function.publish and name == config.published_alias):
        if alias and alias["FunctionVersion"] == number and not weights(alias):
            return Note("unchanged", f"alias {name}: version {number}")
        return point(config, alias, name, number)
    return Note("exists", f"alias {name}: version {alias['FunctionVersion']}")


def point(config: Config, alias: Mapping[str, Any] | None, name: str, number: str) -> Step:
    """Create the alias or move it to a version; without a number, to the one just published.

    It is moved only from where it was read. All calls then go to this version: the share of
    another version ends, which the message names.
    """
    if alias is None:
        return _create(config, name, number)
    params: dict[str, Any] = {"FunctionName": config.function.name, "Name": name}
    if number:
        params["FunctionVersion"] = number
    current, shares = alias["FunctionVersion"], weights(alias)
    before: dict[str, Any] = {"FunctionVersion": current}
    message = f"alias {name}: version {current} -> {number or '(new)'}"
    if shares:
        params["RoutingConfig"] = {"AdditionalVersionWeights": {}}
        before["RoutingConfig"] = {"AdditionalVersionWeights": shares}
        other = ", ".join(f"{share:.0%} to version {version}" for version, share in shares.items())
        message += f", with all calls (before: {other})"
    if "RevisionId" in alias:
        params["RevisionId"] = alias["RevisionId"]
    return Step(
        "lambda",
        "update_alias",
        params,
        "updated",
        message,
        takes={} if number else {"FunctionVersion": "Version"},
        fills={"(new)": "FunctionVersion"},
        before=before,
        guard=conflicts.guard_alias(config, alias),
    )


def _create(config: Config, name: str, number: str) -> Step:
    function = {"FunctionName": config.function.name}
    version = {"FunctionVersion": number} if number else {}
    return Step(
        "lambda",
        "create_alias",
        {**function, "Name": name, **version},
        "created",
        f"alias {name}: version {number or '(new)'}",
        takes={} if number else {"FunctionVersion": "Version"},
        fills={"(new)": "FunctionVersion"},
        recheck=Recheck("list_aliases", function, _exists),
        conflict_hint="Another deploy has just made it for another version: "
        "run the same command again.",
    )


def _exists(answer: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether such an alias exists. Listing needs no right that a deploy does not have."""
    return any(
        all(alias[key] == params[key] for key in ("Name", "FunctionVersion")) and not weights(alias)
        for alias in answer["Aliases"]
    )
