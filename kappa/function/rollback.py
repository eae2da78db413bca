"""Moving an alias back to a version that was published before. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.errors import AwsError, NotFound
from kappa.function import aliases as versionowner
from kappa.function import health
from kappa.function.version_state import VersionsState, latest_of, weights
from kappa.function.versions import point
from kappa.plan.step import Already, Plan


def target(config: Config, state: VersionsState, alias: str = "", to: str = "") -> str:
    """The version that an alias is to be moved to: `to`, or the one before its own.

    Raises: NotFound, if there is no such alias or version.
    """
    has = _alias_of(config, state, alias or config.function.alias)
    number = to or _before(config, state, has)
    if number not in map(str, state.numbers):
        raise NotFound(f"{config.function.name} has no version {number}.", _hint(config))
    return number


def plan_rollback(config: Config, state: VersionsState, alias: str = "", to: str = "") -> Plan:
    """Plan moving an alias to a version, or to the one before its own.

    Raises: NotFound, if there is no such alias or version; AwsError, if the version failed.
    """
    number = target(config, state, alias, to)
    has = _alias_of(config, state, alias or config.function.alias)
    if state.has_failed(number):
        reason = health.reason(state.checked[number])
        raise AwsError(
            f"Version {number} of {config.function.name} failed: {reason}",
            f"Name another one with --to. {_hint(config)}",
        )
    if number == has["FunctionVersion"] and not weights(has):
        return [Already("unchanged", f"alias {has['Name']}: version {number}")]
    return [point(config, state, has["Name"], number)]


def _alias_of(config: Config, state: VersionsState, name: str) -> Mapping[str, Any]:
    function = config.function.name
    latest_of(config, state)
    names = [one["Name"] for one in state.aliases]
    if not name and len(names) == 1:
        name = names[0]
    alias = state.alias(name)
    if alias is not None:
        return alias
    if name or not names:
        problem = f"{function} has no alias {name}".rstrip() + "."
        raise NotFound(problem, f"Make it: {config.command('deploy --publish --alias NAME')}")
    raise NotFound(f"{function} has the aliases {', '.join(names)}.", "Name one: --alias NAME")


def _before(config: Config, state: VersionsState, alias: Mapping[str, Any]) -> str:
    name, has, function = alias["Name"], alias["FunctionVersion"], config.function.name
    number = versionowner.before(state, alias)
    if number:
        return number
    older = has.isdigit() and any(one < int(has) for one in state.numbers)
    if older and versionowner.has_others(state, name):
        raise NotFound(
            f"kappa cannot tell which version the alias {name} of {function} was on before {has}: "
            "the older ones may be of its other aliases.",
            f"Name the version with --to. {_hint(config)}",
        )
    raise NotFound(
        f"There is no version before {has}, which the alias {name} of {function} points to.",
        _hint(config),
    )


def _hint(config: Config) -> str:
    return f"See which there are: {config.command('versions')}"
