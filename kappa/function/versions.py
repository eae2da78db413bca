"""Plan the publishing of versions and the removal of old ones. Pure.

A version never changes, its number is never used again, and only AWS knows the next number.
aliases.py moves an alias; rollback.py chooses the version that it goes back to.
"""

from __future__ import annotations

from typing import Any

from kappa.config.model import Config
from kappa.errors import AwsError
from kappa.function import aliases, health
from kappa.function.rollback import version_before
from kappa.function.version_state import VersionsState, latest_of
from kappa.plan.step import Guard, Note, Plan, Step, Wait

# A snapshot for SnapStart takes some minutes.
# Source: AWS Lambda guide, "Activating and managing Lambda SnapStart".
_PUBLISH_DEADLINE_S = 600.0


def plan(
    config: Config, state: VersionsState, will_change: bool, guard: Guard | None = None
) -> Plan:
    """Plan a version if the config publishes or needs one for a new alias, then the alias.

    `will_change`: earlier steps change the function. `guard` checks that the function is still the
    one that was compared. A failed version is removed first, otherwise AWS returns it again.
    Raises: AwsError, if an alias points to the failed version, so that it cannot be removed.
    """
    function = config.function
    alias = state.alias(function.alias)
    if not function.publish and not function.alias:
        return []
    if not function.publish and alias is not None:
        number = alias["FunctionVersion"]
        if state.has_failed(number):
            _check_free(config, state, number)
        return [Note("exists", f"alias {function.alias}: version {number}")]
    current = None if will_change else state.current
    number = str(current) if current else ""
    failed = state.newest if state.has_failed(state.newest) else ""
    if failed and failed == number:
        _check_free(config, state, failed)
        number, current = "", None
    settled = bool(number) and state.checked.get(number, {}).get("State") != "Pending"
    return [
        *([_remove(config, failed, failed=True)] if failed and not state.pointing(failed) else []),
        Note("unchanged", f"version {number} of {function.name}")
        if settled
        else _publish(config, number, guard),
        *aliases.plan(config, state, number if settled else ""),
        *_prune(config, state, current, failed),
    ]


def plan_missing(config: Config, state: VersionsState, guard: Guard | None = None) -> Plan:
    """Plan a first version and the alias if they do not exist."""
    if not aliases.is_missing(config, state) and (not config.function.publish or state.versions):
        return []
    return [item for item in plan(config, state, False, guard) if not deletes_version(item)]


def _check_free(config: Config, state: VersionsState, number: str) -> None:
    names = state.pointing(number)
    if names:
        reason = health.reason(state.checked[number])
        raise AwsError(
            f"Version {number} of {config.function.name} failed, and the alias {names[0]} points "
            f"to it: {reason}",
            f"Move the alias first: {config.command(f'rollback --alias {names[0]}')}",
        )


def _publish(config: Config, number: str, guard: Guard | None) -> Step:
    """Publish a version; AWS returns the newest one if the function has not changed since."""
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
        fills={"(new)": "Version"},
        guard=guard,
    )


def deletable(config: Config, state: VersionsState) -> list[str]:
    """List the versions that a deploy may remove if nothing invokes them by their number."""
    return _old(config, state, None, "")


def _old(config: Config, state: VersionsState, current: int | None, failed: str) -> list[str]:
    """List the versions beyond keep_versions, oldest first, except those of other aliases.

    If the function has other aliases, only the versions of the config's alias are candidates. A
    failed version does not count, since no rollback can use it.
    """
    if config.function.keep_versions is None:
        return []
    kept_count = config.function.keep_versions - (0 if current else 1)
    alias = config.function.alias
    known = {*aliases.own_versions(state, alias), *([current] if current else [])}
    numbers = [number for number in state.numbers if str(number) != failed]
    own = [number for number in numbers if number in known]
    shared = bool(alias) and aliases.has_others(state, alias)
    candidates = own if shared else numbers
    kept = {
        *_newest(own, kept_count),
        *_newest(candidates, kept_count),
        *_of_others(state, alias),
    }
    return [str(number) for number in candidates if number not in kept]


def _newest(numbers: list[int], count: int) -> list[int]:
    return numbers[-count:] if count else []


def _of_others(state: VersionsState, alias_name: str) -> set[int]:
    """The versions that other aliases point to, pointed to, or would go back to."""
    before = {
        version_before(state, alias) for alias in state.aliases if alias["Name"] != alias_name
    }
    return aliases.others_versions(state, alias_name) | {int(number) for number in before if number}


def _unknown(config: Config, state: VersionsState) -> list[int]:
    """List the versions that belong to no alias as far as kappa knows, if there are others."""
    alias = config.function.alias
    if config.function.keep_versions is None or not aliases.has_others(state, alias):
        return []
    known = {*aliases.own_versions(state, alias), *_of_others(state, alias)}
    return [number for number in state.numbers[:-1] if alias and number not in known]


def _prune(config: Config, state: VersionsState, current: int | None, failed: str) -> Plan:
    """Plan the removal of old versions; one that is invoked by its number stays and is noted."""
    name = config.function.name
    delete = f"lambda delete-function --function-name {name} --qualifier"
    unknown = [
        Note(
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
            Note("kept", f"version {number} of {name} ({state.users[number]})")
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


def deletes_version(item: Step | Note) -> bool:
    """Whether an item of a plan removes a version that a rollback could use."""
    return isinstance(item, Step) and (
        item.operation == "delete_function" and "Qualifier" in item.params and not item.before
    )


def rows(config: Config, state: VersionsState) -> list[dict[str, Any]]:
    """List the versions for a table or a script: $LATEST, then the others, newest first.

    Shape: {version, date, size, sha256, aliases: [], description}; size in bytes.
    Raises: NotFound, if the function does not exist.
    """
    return [
        {
            "version": version["Version"],
            "date": version.get("LastModified", ""),
            "size": version.get("CodeSize"),
            "sha256": version.get("CodeSha256", ""),
            "aliases": state.pointing(version["Version"]),
            "description": version.get("Description", ""),
        }
        for version in (latest_of(config, state), *reversed(state.versions))
    ]
