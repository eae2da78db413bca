"""What the command line says of versions and aliases wins over the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_type_hints

import msgspec

from kappa.commands.deploy import Session
from kappa.config.convert import allowed as words
from kappa.config.model import Function
from kappa.errors import ConfigError


def publishing_as(session: Session, given: Mapping[str, Any]) -> Session:
    """Let the command line's publish, alias and keep_versions win over the config's.

    Raises: ConfigError.
    """
    said = {key: value for key, value in given.items() if value is not None}
    if not said:
        return session
    allowed = get_type_hints(Function, include_extras=True)
    for key, value in said.items():
        try:
            msgspec.convert(value, allowed[key])
        except msgspec.ValidationError as error:
            option = f"--{key.replace('_', '-')}"
            problem = f"{option} {value!r} cannot be."
            raise ConfigError(problem, f"Allowed: {words(allowed[key])}.") from error
    changed = msgspec.structs.replace(session.config.function, **said)
    return replace(session, config=msgspec.structs.replace(session.config, function=changed))
