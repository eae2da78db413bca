"""Versions and aliases: plan publishing, moving the alias, removing old versions. Pure.

A version never changes and its number is never used again; only AWS knows the next one. Moving an
alias back is rollback.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kappa.config.model import Config
from kappa.errors import AwsError
from kappa.function import aliases as versionowner
from kappa.function import conflicts, health
from kappa.function.version_state import VersionsState, latest_of, weights
from kappa.plan.step import Already, Guard, Look, Plan, Step, Wait

# A snapshot for SnapStart takes some minutes.
# Source: AWS Lambda guide, "Activating and managing Lambda SnapStart".
_PUBLISH_DEADLINE_S = 600.0


def plan(
    config: Config, state: VersionsState, will_change: bool, guard: Guard | None = None
) -> Plan:
    """Plan the version that `publish` wants and the alias; an alias needs a version to begin with.

    `will_change` says that steps before change what would be published; `guard`, that it is still
    what was compared. A version that failed is removed first, since AWS would answer it again.
    Raises: AwsError, if an alias points to the version that failed, so it cannot be removed.
    """
    function = config.function
    alias = state.alias(function.alias)
    if not function.publish and not function.alias:
        return []
    if not function.publish and alias is not None:
        number = alias["FunctionVersion"]
        if state.has_failed(number):
            _check_free(config, state, number)
        return [Already("exists", f"alias {function.alias}: version {number}")]
    current = None if will_change else state.current
    number = str(current) if current else ""
    failed = state.newest if state.has_failed(state.newest) else ""
    if failed and failed == number:
        _check_free(config, state, failed)
        number, current = "", None
    settled = bool(number) and state.checked.get(number, {}).get("State") != "Pending"
    return [
        *([_remove(config, failed, failed=True)] if failed and not state.pointing(failed) else []),
        Already("unchanged", f"version {number} of {function.name}")
        if settled
        else _publish(config, number, guard),
        *_pointed(config, state, number if settled else ""),
        *_prune(config, state, current, failed),
    ]


def makes_alias(config: Config, state: VersionsState) -> bool:
    """Whether the config names an alias that is not there."""
    return bool(config.function.alias) and state.alias(config.function.alias) is None


def plan_missing(config: Config, state: VersionsState, guard: Guard | None = None) -> Plan:
    """Plan a first version and the alias where there is none; what exists stays."""
    if not makes_alias(config, state) and (not config.function.publish or state.versions):
        return []
    return [item for item in plan(config, state, False, guard) if not removes(item)]


def _check_free(config: Config, state: VersionsState, number: str) -> None:
    names = state.pointing(number)
    if names:
        reason = health.reason(state.checked[number])
        raise AwsError(
            f"Version {number} of {config.function.name} failed, and the alias {names[0]} points "
            f"to it: {reason}",
            f"Move the alias first: {config.command(f'rollback --alias {names[0]}')}",
        )


def _pointed(config: Config, state: VersionsState, number: str) -> Plan:
    """Plan the alias of the config; without a number it is moved to the version just published."""
    name = config.function.alias
    if not name:
        return []
    alias = state.alias(name)
    if alias is not None and alias["FunctionVersion"] == number and not weights(alias):
        if versionowner.is_of_another(config, versionowner.owner(alias)):
            text = f"alias {name}: of {versionowner.name(config)} now"
            return [replace(point(config, state, name, number), message=text)]
        return [Already("unchanged", f"alias {name}: version {number}")]
    return [point(config, state, name, number)]


def _publish(config: Config, number: str, guard: Guard | None) -> Step:
    """Publish; of a function that has not changed since, AWS answers the version it has."""
    name = {"FunctionName": config.function.name}
    return Step(
        "lambda",
        "publish_version",
        name,
        "published",
        f"version {number or '(new)'} of {config.function.name}",
        wait=Wait(
            "lambda",
            "get_function_configuration",
            name,
            "State",
            until=("Active",),
            failed=("Failed",),
            reason="StateReason",
            deadline_s=_PUBLISH_DEADLINE_S,
            takes={"Qualifier": "Version"},
        ),
        tells={"(new)": "Version"},
        guard=guard,
    )


def point(config: Config, state: VersionsState, name: str, number: str) -> Step:
    """Make the alias, or move it, to a version; without a number to the one just published.

    The alias remembers whose it is and what it was on. It is moved only from where it was read.
    """
    params: dict[str, Any] = {"FunctionName": config.function.name, "Name": name}
    takes = {} if number else {"FunctionVersion": "Version"}
    given: dict[str, Any] = {"FunctionVersion": number} if number else {}
    tells = {"(new)": "FunctionVersion"}
    alias = state.alias(name)
    if alias is None:
        text = f"alias {name}: version {number or '(new)'}"
        made = {**params, **given, "Description": versionowner.described(config, state, None, "")}
        return Step(
            "lambda",
            "create_alias",
            made,
            "created",
            text,
            takes=takes,
            tells=tells,
            look=Look("list_aliases", {"FunctionName": config.function.name}, _is_made),
            conflict_hint="Another deploy made it just now, for another version: "
            "run the same command again.",
        )
    has, before = alias["FunctionVersion"], conflicts.before_move(alias)
    if "RoutingConfig" in before:
        # Calls that a second version gets a share of are all this version's again.
        given["RoutingConfig"] = {"AdditionalVersionWeights": {}}
    description = versionowner.described(config, state, alias, number)
    if description is not None and description != alias.get("Description", ""):
        given["Description"] = description
        before["Description"] = alias.get("Description", "")
    if "RevisionId" in alias:
        given["RevisionId"] = alias["RevisionId"]
    return Step(
        "lambda",
        "update_alias",
        {**params, **given},
        "updated",
        f"alias {name}: version {has} -> {number or '(new)'}",
        takes=takes,
        tells=tells,
        before=before,
        guard=conflicts.of_alias(config, alias),
    )


def may_go(config: Config, state: VersionsState) -> list[str]:
    """Name the versions that a deploy may remove, if nothing invokes them by their number."""
    return _old(config, state, None, "")


def _old(config: Config, state: VersionsState, current: int | None, failed: str) -> list[str]:
    """Name all but the newest versions of the config's alias, but those of other aliases.

    Of a function without other aliases: of all versions. One that failed is none to go back to: it
    does not count.
    """
    if config.function.keep_versions is None:
        return []
    kept = config.function.keep_versions - (0 if current else 1)
    alias = config.function.alias
    known = {*versionowner.own(state, alias), *([current] if current else [])}
    numbers = [number for number in state.numbers if str(number) != failed]
    own = [number for number in numbers if number in known]
    shared = bool(alias) and versionowner.has_others(state, alias)
    may_go = own if shared else numbers
    stays = {*_newest(own, kept), *_newest(may_go, kept), *versionowner.others(state, alias)}
    return [str(number) for number in may_go if number not in stays]


def _newest(numbers: list[int], kept: int) -> list[int]:
    return numbers[-kept:] if kept else []


def _unknown(config: Config, state: VersionsState) -> list[int]:
    """Find versions that are no alias's, as far as is known, of a function with several."""
    alias = config.function.alias
    if config.function.keep_versions is None or not versionowner.has_others(state, alias):
        return []
    known = {*versionowner.own(state, alias), *versionowner.others(state, alias)}
    return [number for number in state.numbers[:-1] if alias and number not in known]


def _is_made(answer: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Whether there is such an alias; no call is needed that a deploy has not made before."""
    return any(
        all(one[key] == made[key] for key in ("Name", "FunctionVersion")) and not weights(one)
        for one in answer["Aliases"]
    )


def _prune(config: Config, state: VersionsState, current: int | None, failed: str) -> Plan:
    """Remove old versions; one that something invokes by its number is named and stays."""
    name = config.function.name
    delete = f"lambda delete-function --function-name {name} --qualifier"
    unknown = [
        Already(
            "kept",
            f"version {number} of {name} (kappa cannot tell which alias it was published for; to "
            f"remove it: {config.aws(f'{delete} {number}')})",
        )
        for number in _unknown(config, state)
        if number != current
    ]
    return [
        *unknown,
        *(
            Already("kept", f"version {number} of {name} ({state.users[number]})")
            if number in state.users
            else _remove(config, number)
            for number in _old(config, state, current, failed)
        ),
    ]


def _remove(config: Config, number: str, *, failed: bool = False) -> Step:
    name = config.function.name
    return Step(
        "lambda",
        "delete_function",
        {"FunctionName": name, "Qualifier": number},
        "removed",
        f"version {number} of {name}{', which failed' if failed else ''}",
        settled=("ResourceNotFoundException",),
        before={"State": "Failed"} if failed else {},
    )


def removes(item: Step | Already) -> bool:
    """Tell whether an item of a plan removes a version that one could go back to."""
    return isinstance(item, Step) and (
        item.operation == "delete_function" and "Qualifier" in item.params and not item.before
    )


def rows(config: Config, state: VersionsState) -> list[dict[str, Any]]:
    """Say what there is for a table or a script, $LATEST first, then the newest version first.

    Shape: {version, date, size, sha256, aliases: [], description}.
    Raises: NotFound, if there is no such function.
    """
    return [
        {
            "version": one["Version"],
            "date": one.get("LastModified", ""),
            "size": one.get("CodeSize"),
            "sha256": one.get("CodeSha256", ""),
            "aliases": state.pointing(one["Version"]),
            "description": one.get("Description", ""),
        }
        for one in (latest_of(config, state), *reversed(state.versions))
    ]
