"""Which versions an alias has been on, so that it moves back to its own ones only. Pure.

Several configs or environments may share a function, each with an alias of its own. Lambda does not
say what an alias pointed to before, so kappa writes it into the alias's description, as long as
nobody else has written one there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kappa.versionstate import VersionsState, weights

_WORDS = "kappa: was on versions"
_MARK = re.compile(rf"{_WORDS}((?: \d+)*)")
# Source: AWS Lambda API reference, "UpdateAlias", Description.
_LONGEST = 256


def own(state: VersionsState, name: str) -> list[int]:
    """The versions that an alias is or was on, as far as is known and as they exist; oldest first.

    Nothing of an alias that is not there.
    """
    alias = state.alias(name)
    if alias is None:
        return []
    known = {*_marked(alias), alias["FunctionVersion"]}
    return [number for number in state.numbers if str(number) in known]


def has_others(state: VersionsState, name: str) -> bool:
    """Whether the function has other aliases: then a version may be one of theirs."""
    return any(one["Name"] != name for one in state.aliases)


def before(state: VersionsState, alias: Mapping[str, Any]) -> str:
    """The version before an alias's own; "" if none is known.

    Of the versions that it was on. A function's only alias may have been on any version.
    """
    name, has = alias["Name"], alias["FunctionVersion"]
    if not has.isdigit():
        return ""
    older = [number for number in own(state, name) if number < int(has)]
    if not older and not has_others(state, name):
        older = [number for number in state.numbers if number < int(has)]
    return str(older[-1]) if older else ""


def others(state: VersionsState, name: str) -> set[int]:
    """The versions that other aliases point to, or may be moved back to."""
    found: set[str] = set()
    for one in state.aliases:
        if one["Name"] != name:
            found |= {one["FunctionVersion"], *weights(one), *_marked(one), before(state, one)}
    return {int(number) for number in found if number.isdigit()}


def remembered(
    state: VersionsState, alias: Mapping[str, Any], to: str, keep: int | None
) -> str | None:
    """Say the description of an alias that is moved; None, if it has one that is not kappa's.

    What `keep` versions no longer have room for is left to the other aliases that were on it: the
    last of them removes it.
    """
    if alias.get("Description") and not _MARK.fullmatch(alias["Description"]):
        return None
    was = [number for number in own(state, alias["Name"]) if str(number) != to]
    if keep is not None:
        left, newest = others(state, alias["Name"]), was[len(was) - min(keep - 1, len(was)) :]
        was = [number for number in was if number in newest or number not in left]
    text = "".join(f" {number}" for number in was)
    while len(_WORDS + text) > _LONGEST:
        text = text[text.index(" ", 1) :]
    return _WORDS + text if text else ""


def _marked(alias: Mapping[str, Any]) -> list[str]:
    mark = _MARK.fullmatch(alias.get("Description") or "")
    return mark[1].split() if mark else []
