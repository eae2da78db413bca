"""Plan a rollback: an alias goes back to the version before, by number. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.errors import AwsError, NotFound
from kappa.function import aliases, health
from kappa.function.version_state import VersionsState, latest_of, weights
from kappa.plan.step import Note, Plan


def target(config: Config, state: VersionsState, alias: str = "", to: str = "") -> str:
    """The version to move an alias to: `to`, or the newest one older than its current one.

    Raises: NotFound, if the alias or the version does not exist, or if several aliases share the
    versions, so that the one before may never have been this alias's.
    """
    current = _alias_of(config, state, alias or config.function.alias)
    number = to or _version_before(config, state, current)
    if number not in map(str, state.numbers):
        raise NotFound(f"{config.function.name} has no version {number}.", _hint(config))
    return number


def plan(config: Config, state: VersionsState, alias: str = "", to: str = "") -> Plan:
    """Plan the move of an alias to a version, or to the one before its current one.

    Raises: as target(); AwsError, if the version failed.
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
    return [aliases.point(config, current, current["Name"], number)]


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
    older = [number for number in state.numbers if current.isdigit() and number < int(current)]
    if not older:
        raise NotFound(
            f"There is no version before {current}, which the alias {name} of {function} points "
            "to.",
            _hint(config),
        )
    if len(state.aliases) > 1:
        names = ", ".join(alias["Name"] for alias in state.aliases)
        raise NotFound(
            f"The version before {current} may not be one of {name}: {function} has the aliases "
            f"{names}.",
            f"Name the version with --to. {_hint(config)}",
        )
    return str(older[-1])


def _hint(config: Config) -> str:
    return f"List the versions: {config.command('versions')}"
