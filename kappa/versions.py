"""Versions and aliases: read them, plan publishing, moving the alias, removing old versions.

Owns when a version is as the function is now. A version never changes and its number is never
used again; only AWS knows the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kappa.aws import Aws
from kappa.errors import NotFound
from kappa.settings import Config
from kappa.steps import BUSY, Already, Plan, Step, Wait

# A snapshot for SnapStart takes some minutes.
# Source: AWS Lambda guide, "Activating and managing Lambda SnapStart".
_PUBLISH_DEADLINE_S = 600.0
# What every version has its own of, though it is like another.
_OWN = frozenset(
    {
        "ConfigSha256",
        "Description",
        "FunctionArn",
        "LastModified",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "MasterArn",
        "RevisionId",
        "RuntimeVersionConfig",
        "SnapStart",
        "State",
        "StateReason",
        "StateReasonCode",
        "Version",
    }
)


@dataclass(frozen=True)
class VersionsState:
    """What Lambda lists: $LATEST, the versions (oldest first) and the aliases."""

    latest: Mapping[str, Any] | None = None
    versions: tuple[Mapping[str, Any], ...] = ()
    aliases: tuple[Mapping[str, Any], ...] = ()

    @property
    def numbers(self) -> list[int]:
        """The versions' numbers, oldest first."""
        return [int(one["Version"]) for one in self.versions]

    def alias(self, name: str) -> Mapping[str, Any] | None:
        """One alias, if it is there."""
        return next((one for one in self.aliases if one["Name"] == name), None)

    @property
    def current(self) -> int | None:
        """The newest version's number, if that version is as the function is now."""
        if self.latest is None or not self.versions:
            return None
        newest = self.versions[-1]
        return self.numbers[-1] if _content(newest) == _content(self.latest) else None


def _content(settings: Mapping[str, Any]) -> dict[str, Any]:
    content = {key: value for key, value in settings.items() if key not in _OWN and value}
    return {**content, "snap": settings.get("SnapStart", {}).get("ApplyOn", "None")}


def read(aws: Aws, name: str) -> VersionsState:
    """Read a function's versions and aliases; nothing of a function that is not there."""
    function = {"FunctionName": name}
    with ThreadPoolExecutor(2) as pool:
        found = pool.submit(
            aws.pages,
            "lambda",
            "list_versions_by_function",
            f"reading the versions of {name}",
            "Versions",
            function,
        )
        aliases = pool.submit(
            aws.pages,
            "lambda",
            "list_aliases",
            f"reading the aliases of {name}",
            "Aliases",
            function,
        )
        try:
            all_ = found.result()
            numbered = sorted(
                (one for one in all_ if one["Version"].isdigit()),
                key=lambda one: int(one["Version"]),
            )
            latest = next((one for one in all_ if one["Version"] == "$LATEST"), None)
            return VersionsState(latest, tuple(numbered), tuple(aliases.result()))
        except NotFound:
            return VersionsState()


def plan(config: Config, state: VersionsState, will_change: bool) -> Plan:
    """Plan the version that `publish` wants and the alias; an alias needs a version to begin with.

    `will_change` says that steps before change what would be published.
    """
    function = config.function
    alias = state.alias(function.alias)
    if not function.publish and not function.alias:
        return []
    if not function.publish and alias is not None:
        number = alias["FunctionVersion"]
        return [Already("exists", f"alias {function.alias}: version {number}")]
    current = None if will_change else state.current
    number = str(current) if current else ""
    settled = alias is not None and alias["FunctionVersion"] == number and not _weights(alias)
    if number and (settled or not function.alias):
        items: list[Step | Already] = [
            Already("unchanged", f"version {number} of {function.name}"),
            *([Already("unchanged", f"alias {function.alias}: version {number}")] if alias else []),
        ]
    else:
        items = [_publish(config, number)]
        if function.alias:
            items.append(_point(config, function.alias, alias, number))
    return [*items, *_prune(config, state, current)]


def _publish(config: Config, number: str) -> Step:
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
        retry=BUSY,
        tells={"(new)": "Version"},
    )


def _point(config: Config, name: str, alias: Mapping[str, Any] | None, number: str) -> Step:
    """Make the alias, or move it, to a version; without a number to the one just published."""
    params: dict[str, Any] = {"FunctionName": config.function.name, "Name": name}
    takes = {} if number else {"FunctionVersion": "Version"}
    given: dict[str, Any] = {"FunctionVersion": number} if number else {}
    tells = {"(new)": "FunctionVersion"}
    if alias is None:
        text, made = f"alias {name}: version {number or '(new)'}", {**params, **given}
        return Step("lambda", "create_alias", made, "created", text, takes=takes, tells=tells)
    has = alias["FunctionVersion"]
    before: dict[str, Any] = {"FunctionVersion": has}
    weights = _weights(alias)
    if weights:
        # Calls that a second version gets a share of are all this version's again.
        given["RoutingConfig"] = {"AdditionalVersionWeights": {}}
        before["RoutingConfig"] = {"AdditionalVersionWeights": weights}
    return Step(
        "lambda",
        "update_alias",
        {**params, **given},
        "updated",
        f"alias {name}: version {has} -> {number or '(new)'}",
        takes=takes,
        tells=tells,
        retry=BUSY,
        before=before,
    )


def _weights(alias: Mapping[str, Any]) -> dict[str, float]:
    return dict(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))


def _prune(config: Config, state: VersionsState, current: int | None) -> Plan:
    """Remove all but the newest versions, never one that an alias points to."""
    function = config.function
    if function.keep_versions is None:
        return []
    kept = function.keep_versions - (0 if current else 1)
    old = state.numbers[:-kept] if kept else state.numbers
    pointed = {
        number
        for alias in state.aliases
        if alias["Name"] != function.alias
        for number in (alias["FunctionVersion"], *_weights(alias))
    }
    return [
        Step(
            "lambda",
            "delete_function",
            {"FunctionName": function.name, "Qualifier": str(number)},
            "removed",
            f"version {number} of {function.name}",
            retry=BUSY,
            settled=("ResourceNotFoundException",),
        )
        for number in old
        if str(number) not in pointed
    ]


def removes(item: Step | Already) -> bool:
    """Tell whether an item of a plan removes a version, which nothing brings back."""
    return isinstance(item, Step) and (
        item.operation == "delete_function" and "Qualifier" in item.params
    )


def plan_rollback(config: Config, state: VersionsState, alias: str = "", to: str = "") -> Plan:
    """Plan moving an alias to a version, or to the one before its own.

    Raises: NotFound, if there is no such alias or version.
    """
    has = _alias_of(config, state, alias or config.function.alias)
    number = to or _before(config, state, has)
    if number not in map(str, state.numbers):
        raise NotFound(f"{config.function.name} has no version {number}.", _hint(config))
    if number == has["FunctionVersion"] and not _weights(has):
        return [Already("unchanged", f"alias {has['Name']}: version {number}")]
    return [_point(config, has["Name"], has, number)]


def _alias_of(config: Config, state: VersionsState, name: str) -> Mapping[str, Any]:
    function = config.function.name
    _latest(config, state)
    names = [one["Name"] for one in state.aliases]
    if not name and len(names) == 1:
        name = names[0]
    alias = state.alias(name)
    if alias is not None:
        return alias
    if name or not names:
        problem = f"{function} has no alias {name}".rstrip() + "."
        raise NotFound(problem, f"Make it: kappa {config.file} deploy --publish --alias NAME")
    raise NotFound(f"{function} has the aliases {', '.join(names)}.", "Name one: --alias NAME")


def _latest(config: Config, state: VersionsState) -> Mapping[str, Any]:
    if state.latest is None:
        problem = f"The function {config.function.name} does not exist."
        raise NotFound(problem, f"Make it: kappa {config.file} deploy")
    return state.latest


def _before(config: Config, state: VersionsState, alias: Mapping[str, Any]) -> str:
    has = alias["FunctionVersion"]
    older = [number for number in state.numbers if has.isdigit() and number < int(has)]
    if not older:
        raise NotFound(
            f"There is no version before {has}, which the alias {alias['Name']} of "
            f"{config.function.name} points to.",
            _hint(config),
        )
    return str(older[-1])


def _hint(config: Config) -> str:
    return f"See which there are: kappa {config.file} versions"


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
            "aliases": [
                alias["Name"]
                for alias in state.aliases
                if one["Version"] in (alias["FunctionVersion"], *_weights(alias))
            ],
            "description": one.get("Description", ""),
        }
        for one in (_latest(config, state), *reversed(state.versions))
    ]
