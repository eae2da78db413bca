"""Plan aliases; know the owner of each and the versions that it has been on. Pure.

Several configs or environments may share a function, each with its own alias. Lambda records
neither who made an alias nor what it pointed to before, so kappa writes both into the alias's
description, unless it has one from somebody else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from kappa.config.model import Config
from kappa.function import conflicts
from kappa.function.version_state import VersionsState, weights
from kappa.plan.step import Note, Plan, Recheck, Step

_MARK = re.compile(r"kappa (.+): was on (?:no other version|versions((?: \d+)*))")
# Source: AWS Lambda API reference, "UpdateAlias", Description.
_MAX_LENGTH = 256
_MAX_NAME_LENGTH = 100


def owner_name(config: Config) -> str:
    """The config's name in an alias's description: the file, and the environment in brackets."""
    file, environment = config.file.name, config.environment
    text = f"{file} ({environment})" if environment else file
    if len(text) <= _MAX_NAME_LENGTH and text.isprintable():
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def owner(alias: Mapping[str, Any]) -> str:
    """The name of the config that owns an alias; "" if its description does not tell."""
    mark = _MARK.fullmatch(alias.get("Description") or "")
    return mark[1] if mark else ""


def is_of_another(config: Config, owner: str) -> bool:
    """Whether an alias with this owner belongs to another environment or another file.

    A config that names no alias may have been renamed, so another file name does not count there.
    """
    if not owner or owner in (owner_name(config), config.file.name):
        return False
    same_file = owner.startswith(f"{config.file.name} (")
    return bool(config.environment) if same_file else bool(config.function.alias)


def own_versions(state: VersionsState, name: str) -> list[int]:
    """The existing versions that an alias is or was on, oldest first, as far as kappa knows.

    Empty if the alias does not exist.
    """
    alias = state.alias(name)
    if alias is None:
        return []
    known = {*_remembered(alias), alias["FunctionVersion"]}
    return [number for number in state.numbers if str(number) in known]


def has_others(state: VersionsState, name: str) -> bool:
    """Whether the function has other aliases, which may own some of the versions."""
    return any(alias["Name"] != name for alias in state.aliases)


def others_versions(state: VersionsState, name: str) -> set[int]:
    """The versions that other aliases are or were on, as far as kappa knows."""
    numbers: set[str] = set()
    for alias in state.aliases:
        if alias["Name"] != name:
            numbers |= {alias["FunctionVersion"], *weights(alias), *_remembered(alias)}
    return {int(number) for number in numbers if number.isdigit()}


def description(
    config: Config, state: VersionsState, alias: Mapping[str, Any] | None, to: str
) -> str | None:
    """The description of an alias that is made or moved; None if kappa must not write it.

    A version beyond keep_versions is dropped if another alias was on it too; the last alias that
    remembers a version removes it.
    """
    if alias is None:
        return f"kappa {owner_name(config)}: was on no other version"
    if alias.get("Description") and not _MARK.fullmatch(alias["Description"]):
        return None
    keep = config.function.keep_versions
    past = [number for number in own_versions(state, alias["Name"]) if str(number) != to]
    if keep is not None:
        others = others_versions(state, alias["Name"])
        newest = past[len(past) - min(keep - 1, len(past)) :]
        past = [number for number in past if number in newest or number not in others]
    text = "".join(f" {number}" for number in past)
    start = f"kappa {owner_name(config)}: was on "
    while len(start + "versions" + text) > _MAX_LENGTH:
        text = text[text.index(" ", 1) :]
    return f"{start}versions{text}" if text else f"{start}no other version"


def _remembered(alias: Mapping[str, Any]) -> list[str]:
    mark = _MARK.fullmatch(alias.get("Description") or "")
    return (mark[2] or "").split() if mark else []


def is_missing(config: Config, state: VersionsState) -> bool:
    """Whether the config names an alias that does not exist."""
    return bool(config.function.alias) and state.alias(config.function.alias) is None


def plan(config: Config, state: VersionsState, number: str) -> Plan:
    """Plan the config's alias for a version; without a number, for the one just published."""
    name = config.function.alias
    if not name:
        return []
    alias = state.alias(name)
    if alias is not None and alias["FunctionVersion"] == number and not weights(alias):
        if is_of_another(config, owner(alias)):
            text = f"alias {name}: of {owner_name(config)} now"
            return [replace(point(config, state, name, number), message=text)]
        return [Note("unchanged", f"alias {name}: version {number}")]
    return [point(config, state, name, number)]


def point(config: Config, state: VersionsState, name: str, number: str) -> Step:
    """Create the alias or move it to a version; without a number, to the one just published.

    The description records its owner and its past versions. It is moved only from where it was
    read.
    """
    alias = state.alias(name)
    if alias is None:
        return _create(config, state, name, number)
    params: dict[str, Any] = {"FunctionName": config.function.name, "Name": name}
    if number:
        params["FunctionVersion"] = number
    current = alias["FunctionVersion"]
    before: dict[str, Any] = {"FunctionVersion": current}
    if shares := weights(alias):
        # All calls go to this version, including the share of another version.
        params["RoutingConfig"] = {"AdditionalVersionWeights": {}}
        before["RoutingConfig"] = {"AdditionalVersionWeights": shares}
    text = description(config, state, alias, number)
    if text is not None and text != alias.get("Description", ""):
        params["Description"] = text
        before["Description"] = alias.get("Description", "")
    if "RevisionId" in alias:
        params["RevisionId"] = alias["RevisionId"]
    return Step(
        "lambda",
        "update_alias",
        params,
        "updated",
        f"alias {name}: version {current} -> {number or '(new)'}",
        takes={} if number else {"FunctionVersion": "Version"},
        fills={"(new)": "FunctionVersion"},
        before=before,
        guard=conflicts.guard_alias(config, alias),
    )


def _create(config: Config, state: VersionsState, name: str, number: str) -> Step:
    function = {"FunctionName": config.function.name}
    version = {"FunctionVersion": number} if number else {}
    text = description(config, state, None, "")
    return Step(
        "lambda",
        "create_alias",
        {**function, "Name": name, **version, "Description": text},
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
