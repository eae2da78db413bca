"""Plan the publishing of versions and the removal of old ones. Pure.

A version never changes, its number is never used again, and only AWS knows the next number.
aliases.py moves an alias; rollback.py chooses the version that it goes back to.
"""

from __future__ import annotations

from typing import Any

from kappa.config.model import Config
from kappa.function import aliases
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
    """
    function = config.function
    if not function.publish and not aliases.missing(config, state):
        return aliases.plan(config, state, "")
    current = None if will_change else state.current
    number = str(current) if current else ""
    failed = state.newest if state.has_failed(state.newest) else ""
    if failed and failed == number:
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
    if not aliases.missing(config, state) and (not config.function.publish or state.versions):
        return []
    return [item for item in plan(config, state, False, guard) if not deletes_version(item)]


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
    """List the versions beyond the newest keep_versions, oldest first.

    A failed version does not count, since no rollback can use it. AWS keeps those that an alias
    points to; the config's own alias is on the newest one by then.
    """
    if config.function.keep_versions is None:
        return []
    numbers = [str(number) for number in state.numbers if str(number) != failed]
    count = len(numbers) + (0 if current else 1) - config.function.keep_versions
    own = {config.published_alias}
    return [number for number in numbers[: max(count, 0)] if set(state.pointing(number)) <= own]


def _prune(config: Config, state: VersionsState, current: int | None, failed: str) -> Plan:
    """Plan the removal of old versions; one that is invoked by its number stays and is noted."""
    name = config.function.name
    return [
        Note("kept", f"version {number} of {name} ({state.users[number]})")
        if number in state.users
        else _remove(config, number)
        for number in _old(config, state, current, failed)
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
