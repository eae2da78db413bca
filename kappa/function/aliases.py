"""Whose an alias is, and which versions it has been on, so that it moves back to its own. Pure.

Several configs or environments may share a function, each with an alias of its own. Lambda says
neither who made an alias nor what it pointed to before, so kappa writes both into the alias's
description, as long as nobody else has written one there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from kappa.config.model import Config
from kappa.function.version_state import VersionsState, weights

_MARK = re.compile(r"kappa (.+): was on (?:no other version|versions((?: \d+)*))")
# Source: AWS Lambda API reference, "UpdateAlias", Description.
_LONGEST = 256
_LONGEST_NAME = 100


def name(config: Config) -> str:
    """How an alias names its config: the file, and the environment in brackets."""
    file, environment = config.file.name, config.environment
    text = f"{file} ({environment})" if environment else file
    if len(text) <= _LONGEST_NAME and text.isprintable():
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def owner(alias: Mapping[str, Any]) -> str:
    """The config that an alias is of, by its name; "" if kappa has not written it there."""
    mark = _MARK.fullmatch(alias.get("Description") or "")
    return mark[1] if mark else ""


def is_of_another(config: Config, owner: str) -> bool:
    """Whether what hangs on an alias is another config's: another environment's, another file's.

    A config that names no alias may have got another file name since: it follows its sources.
    """
    if not owner or owner in (name(config), config.file.name):
        return False
    same_file = owner.startswith(f"{config.file.name} (")
    return bool(config.environment) if same_file else bool(config.function.alias)


def own(state: VersionsState, alias_name: str) -> list[int]:
    """The versions that an alias is or was on, as far as is known and as they exist; oldest first.

    Nothing of an alias that is not there.
    """
    alias = state.alias(alias_name)
    if alias is None:
        return []
    known = {*_marked(alias), alias["FunctionVersion"]}
    return [number for number in state.numbers if str(number) in known]


def has_others(state: VersionsState, alias_name: str) -> bool:
    """Whether the function has other aliases: then a version may be one of theirs."""
    return any(one["Name"] != alias_name for one in state.aliases)


def before(state: VersionsState, alias: Mapping[str, Any]) -> str:
    """The version before an alias's own; "" if none is known.

    Of the versions that it was on. A function's only alias may have been on any version.
    """
    alias_name, has = alias["Name"], alias["FunctionVersion"]
    if not has.isdigit():
        return ""
    older = [number for number in own(state, alias_name) if number < int(has)]
    if not older and not has_others(state, alias_name):
        older = [number for number in state.numbers if number < int(has)]
    return str(older[-1]) if older else ""


def others(state: VersionsState, alias_name: str) -> set[int]:
    """The versions that other aliases point to, or may be moved back to."""
    found: set[str] = set()
    for one in state.aliases:
        if one["Name"] != alias_name:
            found |= {one["FunctionVersion"], *weights(one), *_marked(one), before(state, one)}
    return {int(number) for number in found if number.isdigit()}


def described(
    config: Config, state: VersionsState, alias: Mapping[str, Any] | None, to: str
) -> str | None:
    """Say the description of an alias that is made or moved; None, if it is not kappa's to write.

    What keep_versions has no room for is left to the other aliases that were on it: the last of
    them removes it.
    """
    if alias is None:
        return f"kappa {name(config)}: was on no other version"
    if alias.get("Description") and not _MARK.fullmatch(alias["Description"]):
        return None
    keep = config.function.keep_versions
    was = [number for number in own(state, alias["Name"]) if str(number) != to]
    if keep is not None:
        left, newest = others(state, alias["Name"]), was[len(was) - min(keep - 1, len(was)) :]
        was = [number for number in was if number in newest or number not in left]
    text = "".join(f" {number}" for number in was)
    start = f"kappa {name(config)}: was on "
    while len(start + "versions" + text) > _LONGEST:
        text = text[text.index(" ", 1) :]
    return f"{start}versions{text}" if text else f"{start}no other version"


def _marked(alias: Mapping[str, Any]) -> list[str]:
    mark = _MARK.fullmatch(alias.get("Description") or "")
    return (mark[2] or "").split() if mark else []
