"""Read versions and aliases from Lambda, and what invokes a version by its number.

It also decides whether the newest version equals the function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from msgspec.structs import replace

from kappa.arn import mapping_names, qualifier
from kappa.aws import Aws
from kappa.config.model import Config
from kappa.errors import Denied, NotFound
from kappa.function import health
from kappa.function.params import function_params
from kappa.function.permissions import read_statements

_MAX_THREADS = 8
# Settings that differ between versions of the same content. For Description see _same().
_IGNORED = frozenset(
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


class VersionsState(msgspec.Struct, frozen=True):
    """What Lambda lists: $LATEST, the versions (oldest first) and the aliases.

    `checked` has the settings with their State, which a list lacks, of the versions that were
    asked for. `users` names what invokes a version by its number.
    """

    latest: Mapping[str, Any] | None = None
    versions: tuple[Mapping[str, Any], ...] = ()
    aliases: tuple[Mapping[str, Any], ...] = ()
    checked: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    users: Mapping[str, str] = msgspec.field(default_factory=dict)

    @property
    def numbers(self) -> list[int]:
        """The versions' numbers, oldest first."""
        return [int(version["Version"]) for version in self.versions]

    def alias(self, name: str) -> Mapping[str, Any] | None:
        """The alias of this name; None if it does not exist."""
        return next((alias for alias in self.aliases if alias["Name"] == name), None)

    def pointing(self, number: str) -> list[str]:
        """The aliases that send all or some of their calls to a version."""
        return [
            alias["Name"]
            for alias in self.aliases
            if number in (alias["FunctionVersion"], *weights(alias))
        ]

    @property
    def newest(self) -> str:
        """The newest version's number; "" if there is none."""
        return str(self.versions[-1]["Version"]) if self.versions else ""

    @property
    def current(self) -> int | None:
        """The newest version's number if that version equals the function, else None."""
        if self.latest is None or not self.versions:
            return None
        return int(self.newest) if _same(self.latest, self.versions[-1]) else None

    def has_failed(self, number: str) -> bool:
        """Whether AWS failed to make a version, so that it never runs."""
        return health.has_failed(self.checked.get(number, {}))


def _same(latest: Mapping[str, Any], version: Mapping[str, Any]) -> bool:
    """Whether PublishVersion would return this version instead of a new one.

    If the descriptions differ or the variables are unreadable, the time of the last change
    decides.
    """
    if _content(latest) != _content(version):
        return False
    unclear = latest.get("Description", "") != version.get("Description", "") or any(
        settings.get("Environment", {}).get("Error") for settings in (latest, version)
    )
    return not unclear or latest.get("LastModified", "") <= version.get("LastModified", "")


def _content(settings: Mapping[str, Any]) -> dict[str, Any]:
    content = {key: value for key, value in settings.items() if key not in _IGNORED and value}
    return {**content, "snap": settings.get("SnapStart", {}).get("ApplyOn", "None")}


def read(aws: Aws, name: str) -> VersionsState:
    """Read a function's versions and aliases; both are empty if it does not exist."""
    function = {"FunctionName": name}
    with ThreadPoolExecutor(2) as pool:
        versions = pool.submit(
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
            listed = versions.result()
            numbered = sorted(
                (version for version in listed if version["Version"].isdigit()),
                key=lambda version: int(version["Version"]),
            )
            latest = next((version for version in listed if version["Version"] == "$LATEST"), None)
            return VersionsState(latest, tuple(numbered), tuple(aliases.result()))
        except NotFound:
            return VersionsState()


def read_health(aws: Aws, name: str, state: VersionsState, number: str) -> VersionsState:
    """Add the settings of one version, with its State; an empty number adds nothing."""
    if not number:
        return state
    params = function_params(name, number)
    doing = f"reading version {number} of {name}"
    try:
        settings = aws.call("lambda", "get_function_configuration", doing, params)
    except NotFound:
        return state
    return replace(state, checked={**state.checked, number: settings})


def read_users(aws: Aws, name: str, numbers: Sequence[str]) -> dict[str, str]:
    """Read what may invoke each of these versions by its number; such a version must stay.

    A version has mappings and a policy of its own; other event sources need a permission in that
    policy. If AWS refuses to show them, the version stays too. Only the function and its aliases
    have URLs.
    Source: AWS Lambda API reference, "CreateFunctionUrlConfig", Qualifier.
    """
    if not numbers:
        return {}
    with ThreadPoolExecutor(_MAX_THREADS) as pool:
        users = pool.map(lambda number: _user(aws, name, number), numbers)
        return {number: user for number, user in zip(numbers, users, strict=True) if user}


def _user(aws: Aws, name: str, number: str) -> str:
    try:
        return _mapping(aws, name, number) or _permission(aws, name, number)
    except Denied as error:
        return f"what invokes it cannot be seen: {error.message}"


def _mapping(aws: Aws, name: str, number: str) -> str:
    doing = f"listing the event sources of version {number} of {name}"
    operation, key = "list_event_source_mappings", "EventSourceMappings"
    try:
        listed = aws.pages("lambda", operation, doing, key, {"FunctionName": f"{name}:{number}"})
    except NotFound:
        return ""
    own = [mapping for mapping in listed if qualifier(mapping["FunctionArn"]) == number]
    return f"event source {' '.join(mapping_names(own[0]))} invokes it" if own else ""


def _permission(aws: Aws, name: str, number: str) -> str:
    statements = read_statements(aws, name, number)
    if not statements:
        return ""
    return f"permission {statements[0].statement_id} for {statements[0].principal}"


def weights(alias: Mapping[str, Any]) -> dict[str, float]:
    """The additional versions of an alias, with their share of its calls."""
    return dict(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))


def latest_of(config: Config, state: VersionsState) -> Mapping[str, Any]:
    """The settings of $LATEST.

    Raises: NotFound, if the function does not exist.
    """
    if state.latest is None:
        problem = f"The function {config.function.name} does not exist."
        raise NotFound(problem, f"Make it: {config.command('deploy')}")
    return state.latest
