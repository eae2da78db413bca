"""The `environments:` map of a config: which one is meant, what it changes, and the others.

Owns the choice, the merge, and the aliases of the other environments of one function. Of the other
keys of a config it knows only those that name which function an environment is about.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from kappa.config.convert import suggestion
from kappa.config.fill import Place, Values, evaluate
from kappa.config.tree import Tree
from kappa.errors import ConfigError

# What kappa 0.7 took when no --env was given.
DEFAULT = "dev"
_KEY = "environments"


def choose(tree: Tree, asked: str) -> str:
    """Choose the environment: the `asked` one, else `dev`; "" for a file that has none.

    Raises: ConfigError, if the file has no such environment.
    """
    known = tree.data.get(_KEY)
    if known is None:
        if asked:
            raise ConfigError(f"{tree.file} has no environments.", "Leave --env out.")
        return ""
    if not isinstance(known, dict) or not known:
        raise tree.error((_KEY,), "environments must map names to what differs in each.")
    if (asked or DEFAULT) in known:
        return asked or DEFAULT
    if asked:
        raise tree.error(
            (_KEY,), f"there is no environment {asked}.", suggestion(asked, map(str, known))
        )
    names = ", ".join(map(str, known))
    raise tree.error((_KEY,), "which environment?", f"Name one with --env: {names}.")


def alone(tree: Tree, environment: str) -> Tree:
    """Leave the other environments out: what is missing there is no error here."""
    section = {name: value for name, value in tree.data[_KEY].items() if name == environment}
    data = {key: section if key == _KEY else value for key, value in tree.data.items()}
    return replace(tree, data=data)


def merge(tree: Tree, environment: str) -> Tree:
    """Lay an environment over the rest of the file: mappings key by key, all else replaced.

    Raises: ConfigError, if the environment is no mapping.
    """
    section = tree.data[_KEY][environment]
    if section is not None and not isinstance(section, dict):
        raise tree.error((_KEY, environment), f"environments.{environment} must be a mapping.")
    rest = {key: value for key, value in tree.data.items() if key != _KEY}
    return replace(tree, data=overlaid(rest, section or {}))


def overlaid(below: object, above: object) -> Any:  # noqa: ANN401 - plain values
    """Lay a value over another one: mappings key by key, in the order of the lower one."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    names = {name: name for name in above}
    result: dict[str, Any] = {}
    for key, value in below.items():
        if key not in above:
            result[key] = value
        elif isinstance(value, dict) and isinstance(above[key], dict):
            result[key] = overlaid(value, above[key])
        else:
            # The key too: it has the line.
            result[names[key]] = above[key]
    return result | {key: value for key, value in above.items() if key not in below}


class _Identity(msgspec.Struct, frozen=True):
    """Which function and alias an environment is about; None: not known from the file."""

    function: str | None
    alias: str | None
    region: str | None
    profile: str | None


def other_aliases(
    tree: Tree, environment: str, values: Values, *, is_layout_07: bool
) -> frozenset[str]:
    """Name the aliases of the other environments of one function; "" is the function itself.

    What hangs on them is theirs. An environment that names no alias may still be deployed to an
    alias of its own name. Nothing of it is on the function itself, if region or profile are not the
    same: then that is another function. What is wrong or missing in the others is no error here.
    """
    environments = tree.data.get(_KEY)
    if not environment or not isinstance(environments, dict):
        return frozenset()
    own = _identity(tree, environment, values, is_layout_07)
    aliases: set[str] = set()
    for name in map(str, environments):
        other = _identity(tree, name, values, is_layout_07)
        if name == environment or _differ(own.function, other.function):
            continue
        aliases.add(other.alias or name)
        same_place = (other.region, other.profile) == (own.region, own.profile)
        if other.alias == "" and same_place:
            aliases.add("")
    return frozenset(aliases - {own.alias})


def _differ(a: str | None, b: str | None) -> bool:
    return None not in (a, b) and a != b


def _identity(tree: Tree, environment: str, values: Values, is_layout_07: bool) -> _Identity:
    own_values = values.of_environment(environment)

    def text(*keys: str) -> str | None:
        own = tree.at((_KEY, environment, *keys))
        value = tree.at(keys) if own is None else own
        if value is None:
            return ""
        return (
            evaluate(Place(keys, value, ConfigError), own_values).text
            if isinstance(value, str)
            else None
        )

    region, profile = text("region"), text("profile")
    alias = text("lambda", "alias")
    if is_layout_07:
        # All environments of kappa 0.7 share the function: see layout_07.py.
        return _Identity("", alias or environment, region, profile)
    return _Identity(text("lambda", "name"), alias, region, profile)
