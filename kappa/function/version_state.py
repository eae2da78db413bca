"""What Lambda has of versions and aliases, and whether the newest version is the function's own.

It must not plan anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from kappa.aws.client import Aws
from kappa.config.model import Config
from kappa.errors import NotFound
from kappa.function import health

# What every version has its own of, though it is like another. For Description see _same().
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
    """What Lambda lists: $LATEST, the versions (oldest first) and the aliases.

    `checked` has the settings, with their State, of the versions that were asked for: a list lacks
    them. `users` says what invokes a version by its number.
    """

    latest: Mapping[str, Any] | None = None
    versions: tuple[Mapping[str, Any], ...] = ()
    aliases: tuple[Mapping[str, Any], ...] = ()
    checked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> list[int]:
        """The versions' numbers, oldest first."""
        return [int(one["Version"]) for one in self.versions]

    def alias(self, name: str) -> Mapping[str, Any] | None:
        """One alias, if it is there."""
        return next((one for one in self.aliases if one["Name"] == name), None)

    def pointing(self, number: str) -> list[str]:
        """The aliases that send calls to a version, all of them or a share."""
        return [
            one["Name"] for one in self.aliases if number in (one["FunctionVersion"], *weights(one))
        ]

    @property
    def newest(self) -> str:
        """The newest version's number; an empty text if there is none."""
        return str(self.versions[-1]["Version"]) if self.versions else ""

    @property
    def current(self) -> int | None:
        """The newest version's number, if that version is as the function is now."""
        if self.latest is None or not self.versions:
            return None
        return int(self.newest) if _same(self.latest, self.versions[-1]) else None

    def has_failed(self, number: str) -> bool:
        """Whether AWS could not make a version, so that it never runs."""
        return health.has_failed(self.checked.get(number, {}))


def _same(latest: Mapping[str, Any], version: Mapping[str, Any]) -> bool:
    """Whether PublishVersion would answer this version instead of a new one.

    A version may have a description of its own, and variables may be unreadable: there the time
    tells whether $LATEST has changed since.
    """
    if _content(latest) != _content(version):
        return False
    unclear = latest.get("Description", "") != version.get("Description", "") or any(
        one.get("Environment", {}).get("Error") for one in (latest, version)
    )
    return not unclear or latest.get("LastModified", "") <= version.get("LastModified", "")


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


def read_health(aws: Aws, name: str, state: VersionsState, number: str) -> VersionsState:
    """Read the state of one version, unless the number is empty."""
    if not number:
        return state
    params = {"FunctionName": name, "Qualifier": number}
    doing = f"reading version {number} of {name}"
    try:
        found = aws.call("lambda", "get_function_configuration", doing, params)
    except NotFound:
        return state
    return replace(state, checked={**state.checked, number: found})


def weights(alias: Mapping[str, Any]) -> dict[str, float]:
    """The versions that get a share of an alias's calls besides its own one."""
    return dict(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))


def latest_of(config: Config, state: VersionsState) -> Mapping[str, Any]:
    """The function as it is now.

    Raises: NotFound, if there is none.
    """
    if state.latest is None:
        problem = f"The function {config.function.name} does not exist."
        raise NotFound(problem, f"Make it: {config.command('deploy')}")
    return state.latest
