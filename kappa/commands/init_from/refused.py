"""Take out of a config what kappa itself would refuse, so that what is written always validates.

Owns the way from plain values to a text that read_config() reads as the same values. It asks
nobody: the reader is kappa's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kappa.commands.init_from.describe import Described
from kappa.config.error_list import ErrorList
from kappa.config.read import read_config
from kappa.config.references import escaped
from kappa.config.show import as_yaml, plain
from kappa.config.tree import dotted, map_texts, without_nulls
from kappa.errors import ConfigError
from kappa.sources.unknown_settings import as_text

# Lists of which kappa leaves alone what is not in the config: one item can be left out.
_OPEN_LISTS = ("event_sources", "permissions")
# Without these there is no function; a config cannot leave them to AWS.
_NEEDED = ("handler", "image", "name", "path", "runtime")


def without_refused(file: str, described: Described, given_iam: Mapping[str, Any]) -> Described:
    """Leave out, and name, what the reader refuses or would change.

    Where it refuses the iam section, `given_iam` takes its place.
    Raises: ConfigError, if what is left could not be the function's config.
    """
    config = map_texts(without_nulls(plain(described.config)), lambda _, text: escaped(text))
    left_out = list(described.left_out)
    while problem := _problem(file, config):
        left_out.append(_leave_out(config, problem, given_iam))
    return Described(config, tuple(left_out))


def _problem(file: str, config: dict[str, Any]) -> ConfigError | None:
    """The first thing that is in the way; its `keys` name the place."""
    try:
        read_config(Path(file), text=as_yaml(config).encode())
    except ConfigError as refused:
        error = refused.parts[0] if isinstance(refused, ErrorList) else refused
        problem = error.message.removeprefix(f"{file}:").lstrip("0123456789").removeprefix(": ")
        return ConfigError(problem, error.hint, error.keys)
    return None


def _leave_out(config: dict[str, Any], problem: ConfigError, given_iam: Mapping[str, Any]) -> str:
    """Take a whole key out, or one item of an open list; return what it was and why."""
    section, *inner = problem.keys or ("",)
    if section == "iam" and config["iam"] != given_iam:
        config["iam"] = dict(given_iam)
        return f"role and policy ({problem.message})"
    function = config["lambda"]
    if section != "lambda" or not inner or inner[0] not in function or inner[0] in _NEEDED:
        raise ConfigError(f"The function cannot be put into a config: {problem.message}")
    key = inner[0]
    if key in _OPEN_LISTS and len(inner) > 1:
        gone = function[key].pop(inner[1])
        if not function[key]:
            del function[key]
        return f"{dotted((key, inner[1]))}: {as_text(gone)} ({problem.message})"
    gone = function.pop(key)
    # Values of variables end up in logs when they are printed.
    words = ", ".join(gone) if key == "environment" else as_text(gone)
    return f"{key}: {words} ({problem.message})"
