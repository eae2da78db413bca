"""The commands for event sources alone: each reads what it needs and plans what to do."""

from __future__ import annotations

from collections.abc import Sequence

from kappa.aws import Aws
from kappa.commands.session import Session
from kappa.config.function_rules import check_regions
from kappa.config.model import Config
from kappa.errors import NotFound
from kappa.function.permissions import Statement
from kappa.plan.step import Plan
from kappa.sources.plan import (
    plan_sources_add,
    plan_sources_remove,
    plan_sources_switch,
    plan_sources_update,
)
from kappa.sources.read import read_sources
from kappa.sources.selection import select
from kappa.sources.state import SourcesState


def plan_add_event_sources(session: Session) -> Plan:
    """Plan the event sources that are not there yet.

    Raises: NotFound, if the function, a topic or a bucket does not exist.
    """
    config, statements, state = _read(session)
    return plan_sources_add(config, session.place, state, statements)


def plan_update_event_sources(session: Session) -> Plan:
    """Plan what differs of the event sources that are there."""
    config, statements, state = _read(session)
    return plan_sources_update(config, session.place, state, statements)


def plan_switch_event_sources(session: Session, names: Sequence[str], enabled: bool) -> Plan:
    """Plan the start or the stop of the named event sources; of all, if none is named.

    Raises: ConfigError, if the config does not have one; NotFound.
    """
    select(session.config, names)
    config, statements, state = _read(session, ending=not enabled)
    chosen = select(config, names)
    return plan_sources_switch(chosen, session.place, state, statements, enabled)


def plan_remove_event_sources(session: Session, names: Sequence[str]) -> Plan:
    """Plan the removal of the named event sources; of all, if none is named.

    Raises: ConfigError, if the config does not have one.
    """
    select(session.config, names)
    config, statements, state = _read(session, needed=False, tolerant=True)
    return plan_sources_remove(select(config, names), session.place, state, statements)


def read_sources_status(session: Session) -> tuple[Config, SourcesState]:
    """Read the event sources alone."""
    config, aws = session.config, session.aws
    check_regions(config, aws.region)
    return config, read_sources(aws, config, session.place, everywhere=True, tolerant=True)


def _read(
    session: Session, *, needed: bool = True, ending: bool = False, tolerant: bool = False
) -> tuple[Config, tuple[Statement, ...], SourcesState]:
    config, aws = session.config, session.aws
    check_regions(config, aws.region)
    if needed:
        _check_function(aws, config)
    state = read_sources(aws, config, session.place, tolerant=tolerant, ending=ending)
    return config, state.statements.get(config.function.alias, ()), state


def _check_function(aws: Aws, config: Config) -> None:
    name = config.function.name
    params = {"FunctionName": name}
    doing = f"reading the function {name}"
    try:
        settings = aws.call("lambda", "get_function_configuration", doing, params)
    except NotFound as error:
        raise NotFound(
            f"The function {name} does not exist.", f"Make it: {config.command('deploy')}"
        ) from error
    aws.remember_account(settings["FunctionArn"])
