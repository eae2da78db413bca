"""The commands for event sources alone: each reads what it needs and plans what to do."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from kappa import sources, sourcestate
from kappa.aws import Aws
from kappa.commands import Session
from kappa.errors import NotFound
from kappa.functionrules import check_regions
from kappa.permissions import Statement, read_statements
from kappa.settings import Config
from kappa.sourcestate import SourcesState
from kappa.steps import Plan


def plan_add_event_sources(session: Session) -> Plan:
    """Plan the event sources that are not there yet.

    Raises: NotFound, if the function, a topic or a bucket does not exist.
    """
    statements, state = _read(session)
    return sources.plan_add(session.config, session.place, state, statements)


def plan_update_event_sources(session: Session) -> Plan:
    """Plan what differs of the event sources that are there."""
    statements, state = _read(session)
    return sources.plan_update(session.config, session.place, state, statements)


def plan_switch_event_sources(session: Session, names: Sequence[str], enabled: bool) -> Plan:
    """Plan the start or the stop of the named event sources; of all, if none is named.

    Raises: ConfigError, if the config does not have one; NotFound.
    """
    session = Session(sources.only(session.config, names), session.aws)
    statements, state = _read(session)
    return sources.plan_switch(session.config, session.place, state, statements, enabled)


def plan_remove_event_sources(session: Session, names: Sequence[str]) -> Plan:
    """Plan the removal of the named event sources; of all, if none is named.

    Raises: ConfigError, if the config does not have one.
    """
    session = Session(sources.only(session.config, names), session.aws)
    statements, state = _read(session, needed=False)
    return sources.plan_remove(session.config, session.place, state, statements)


def read_sources_status(session: Session) -> SourcesState:
    """Read the event sources alone."""
    check_regions(session.config, session.aws.region)
    return sourcestate.read(session.aws, session.config, session.place)


def _read(session: Session, *, needed: bool = True) -> tuple[tuple[Statement, ...], SourcesState]:
    config, aws = session.config, session.aws
    check_regions(config, aws.region)
    with ThreadPoolExecutor(2) as pool:
        function = config.function
        statements = pool.submit(read_statements, aws, function.name, function.alias)
        if needed:
            _check_function(aws, config)
        state = pool.submit(sourcestate.read, aws, config, session.place)
    return statements.result(), state.result()


def _check_function(aws: Aws, config: Config) -> None:
    name = config.function.name
    params = {"FunctionName": name}
    doing = f"reading the function {name}"
    try:
        found = aws.call("lambda", "get_function_configuration", doing, params)
    except NotFound as error:
        raise NotFound(
            f"The function {name} does not exist.", f"Make it: kappa {config.file} create"
        ) from error
    aws.learn(found["FunctionArn"])
