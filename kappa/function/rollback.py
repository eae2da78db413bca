"""Plan a rollback: choose the version that an alias goes back to, and move it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.errors import AwsError, NotFound
from kappa.function import aliases, health
from kappa.function.version_state import VersionsState, latest_of, weights
from kappa.plan.step import Note, Plan


def version_before(state: VersionsState, alias: Mapping[str, Any]) -> str:
    """The version that an alias was on before its current one; "" if none is known.

    Only versions that the alias has been on count. A function's only alias may have been on any.
    """
    name, current = alias["Name"], alias["FunctionVersion"]
    if not current.isdigit():
        return ""
    older = [number for number in aliases.own_versions(state, name) if number < int(current)]
    if not older and not aliases.has_others(state, name):
        older = [number for number in state.numbers if number < int(current)]
    return str(older[-1]) if older else ""


def target(config: Config, state: VersionsState, alias: str = "", to: str = "") -> str:
    """The version to move an alias to: `to`, or the one before its current one.

    Raises: NotFound, if the alias or the version does not exist.
    """
    current = _alias_of(config, state, alias or config.function.alias)
    number = to or _version_before(config, state, current)
    if number not in map(str, state.numbers):
        raise NotFound(f"{config.function.name} has no version {number}.", _hint(config))
    return number


def plan(config: Config, state: VersionsState, alias: str = "", to: str = "") -> Plan:
    """Plan the move of an alias to a version, or to the one before its current one.

    Raises: NotFound, if the alias or the version does not exist; AwsError, if the version failed.
    """
    number = target(config, state, alias, to)
    current = _alias_of(config, state, alias or config.function.alias)
    if state.has_failed(number):
        reason = health.reason(state.checked[number])
        raise AwsError(
            f"Version {number} of {config.function.name} failed: {reason}",
            f"Name another one with --to. {_hint(config)}",
        )
    if number == current["FunctionVersion"] and not weights(current):
        return [Note("unchanged", f"alias {current['Name']}: version {number}")]
    return [aliases.point(config, state, current["Name"], number)]


def _alias_of(config: Config, state: VersionsState, name: str) -> Mapping[str, Any]:
    function = config.function.name
    latest_of(config, state)
    names = [alias["Name"] for alias in state.aliases]
    if not name and len(names) == 1:
        name = names[0]
    alias = state.alias(name)
    if alias is not None:
        return alias
    if name or not names:
        problem = f"{function} has no alias {name}".rstrip() + "."
        raise NotFound(problem, f"Make it: {config.command('deploy --publish --alias NAME')}")
    raise NotFound(f"{function} has the aliases {', '.join(names)}.", "Name one: --alias NAME")


def _version_before(config: Config, state: VersionsState, alias: Mapping[str, Any]) -> str:
    name, current, function = alias["Name"], alias["FunctionVersion"], config.function.name
    number = version_before(state, alias)
    if number:
        return number
    older = current.isdigit() and any(version < int(current) for version in state.numbers)
    if older and aliases.has_others(state, name):
        raise NotFound(
            f"kappa cannot tell which version the alias {name} of {function} was on before "
            f"{current}: the older ones may belong to other aliases.",
            f"Name the version with --to. {_hint(config)}",
        )
    raise NotFound(
        f"There is no version before {current}, which the alias {name} of {function} points to.",
        _hint(config),
    )


def _hint(config: Config) -> str:
    return f"List the versions: {config.command('versions')}"
