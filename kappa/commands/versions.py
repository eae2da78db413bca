"""The command versions: the function's published versions and their aliases."""

from __future__ import annotations

from typing import Any

from kappa.commands.session import Session
from kappa.function import version_state, versions


def read_versions(session: Session) -> list[dict[str, Any]]:
    """Read the published versions and their aliases, the newest version first.

    Raises: NotFound, if there is no such function.
    """
    return versions.rows(
        session.config, version_state.read(session.aws, session.config.function.name)
    )
