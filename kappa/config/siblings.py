"""The aliases of a file's other environments, where they share this one's function.

What hangs on them is theirs. Owns how an environment's function and alias are found without reading
all of it: what is wrong or missing there is no error here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kappa.config.merge import find
from kappa.config.tree import Keys, Tree
from kappa.config.values import fill_text
from kappa.errors import ConfigError

_KEY = "environments"


@dataclass(frozen=True)
class _Place:
    """Where an environment lives, as far as its part of the file tells; None: not known."""

    function: str | None
    alias: str | None
    region: str | None
    profile: str | None


def aliases(
    tree: Tree, environment: str, values: Mapping[str, str], *, later: bool
) -> frozenset[str]:
    """Name the aliases of the other environments of one function; "" is the function itself.

    One that names no alias may still be deployed to an alias of its own name. Nothing of it is on
    the function itself, if region or profile are not the same: then that is another function.
    """
    known = tree.data.get(_KEY)
    if not environment or not isinstance(known, dict):
        return frozenset()
    own = _place(tree, environment, values, later)
    found: set[str] = set()
    for other in known:
        place = _place(tree, str(other), values, later)
        if str(other) == environment or _differ(own.function, place.function):
            continue
        found.add(place.alias or str(other))
        alike = (place.region, place.profile) == (own.region, own.profile)
        if place.alias == "" and alike:
            found.add("")
    return frozenset(found - {own.alias})


def _differ(one: str | None, other: str | None) -> bool:
    return None not in (one, other) and one != other


def _place(tree: Tree, environment: str, values: Mapping[str, str], later: bool) -> _Place:
    def text(*keys: str) -> str | None:
        places: tuple[Keys, ...] = ((_KEY, environment, *keys), keys)
        found = [find(tree.data, at) for at in places]
        value = next((one for one in found if one is not None), "")
        if not isinstance(value, str):
            return None
        try:
            return fill_text(value, {**values, "environment": environment}, ConfigError)
        except ConfigError:
            return None

    region, profile = text("region"), text("profile")
    alias = text("lambda", "alias")
    if later:
        # All environments of kappa 0.7 share the function: see layout_07.py.
        return _Place("", alias or environment, region, profile)
    return _Place(text("lambda", "name"), alias, region, profile)
