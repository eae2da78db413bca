"""The `environments:` map of a config: which one is meant, and what it changes."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kappa.config.convert import suggestion
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
