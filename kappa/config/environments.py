"""The `environments:` map of a config: which one is meant, and what it changes.

Owns the choice and the merge. It must not know the keys of a kappa config, except this one.
"""

from __future__ import annotations

from dataclasses import replace

from kappa.config.convert import suggestion
from kappa.config.merge import Graft
from kappa.config.tree import Tree
from kappa.errors import ConfigError

# What kappa 0.7 took when no --env was given.
DEFAULT = "dev"
_KEY = "environments"


def choose(tree: Tree, wanted: str) -> str:
    """Say which environment is meant: `wanted`, else `dev`; "" for a file that has none.

    Raises: ConfigError, if the file has no such environment.
    """
    known = tree.data.get(_KEY)
    if known is None:
        if wanted:
            raise ConfigError(f"{tree.file} has no environments.", "Leave --env out.")
        return ""
    if not isinstance(known, dict) or not known:
        raise tree.error((_KEY,), "environments must map names to what differs in each.")
    if (wanted or DEFAULT) in known:
        return wanted or DEFAULT
    if wanted:
        raise tree.error(
            (_KEY,), f"there is no environment {wanted}.", suggestion(wanted, map(str, known))
        )
    names = ", ".join(map(str, known))
    raise tree.error((_KEY,), "which environment?", f"Name one with --env: {names}.")


def alone(tree: Tree, environment: str) -> Tree:
    """Leave the other environments out: what is missing there is no error here."""
    graft = _without_environments(tree)
    graft.put((_KEY, environment), (_KEY, environment))
    return graft.done()


def merge(tree: Tree, environment: str) -> Tree:
    """Merge an environment over the rest of the file: mappings key by key, all else replaced.

    Raises: ConfigError, if the environment is no mapping.
    """
    section = tree.data[_KEY][environment]
    if section is not None and not isinstance(section, dict):
        raise tree.error((_KEY, environment), f"environments.{environment} must be a mapping.")
    graft = _without_environments(tree)
    for key in section or ():
        graft.put((key,), (_KEY, environment, key))
    # A section is now of both places: its keys are called by their own names.
    return replace(graft.done(), origins={})


def _without_environments(tree: Tree) -> Graft:
    graft = Graft(tree)
    for key in tree.data:
        if key != _KEY:
            graft.put((key,), (key,))
    return graft
