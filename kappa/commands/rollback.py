"""The command rollback: an alias goes back to a version before."""

from __future__ import annotations

from kappa.commands.session import Session
from kappa.function import rollback, version_state
from kappa.plan.step import Plan


def plan_rollback(session: Session, alias: str, to: str) -> Plan:
    """Plan moving the alias back; both may be empty."""
    config, aws, name = session.config, session.aws, session.config.function.name
    state = version_state.read(aws, name)
    number = rollback.target(config, state, alias, to)
    state = version_state.read_health(aws, name, state, number)
    return rollback.plan(config, state, alias, to)
