"""The commands for event sources: add, update, enable, disable, remove, show their status."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from kappa.commands.carry_out import carry_out
from kappa.commands.console import as_json, progress, result, width
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.uses import NAMES
from kappa.errors import NotFound

if TYPE_CHECKING:
    from kappa.commands.session import Session
    from kappa.config.model import Config
    from kappa.function.permissions import Statement
    from kappa.plan.step import Plan
    from kappa.sources.state import SourcesState

_sources = click.argument("sources", nargs=-1, metavar="[SOURCE]...")


@command(several=True)
def add_event_sources(options: Options) -> None:
    """Connect the function to its event sources.

    Creates what is missing: mappings for streams and queues, subscriptions for topics,
    notifications for buckets, EventBridge rules, the function URL, and the permissions that they
    need.

    Example:
      kappa config.yml add_event_sources
    """
    carry_out(options, plan_add_event_sources)


@command(several=True)
def update_event_sources(options: Options) -> None:
    """Update existing event sources.

    Changes the settings that differ, such as batch size, filters and `enabled`. Reports a missing
    source, and does not create it.

    Example:
      kappa config.yml update_event_sources
    """
    carry_out(options, plan_update_event_sources)


@command()
@_sources
def enable_event_sources(options: Options, sources: tuple[str, ...]) -> None:
    """Let event sources invoke the function again.

    SOURCE is an ARN or a name from `status`; default: all in the config. Streams and queues
    continue where they stopped. Topics, buckets and shared rules are connected again.

    Example:
      kappa config.yml enable_event_sources news
    """
    carry_out(options, partial(plan_switch_event_sources, names=sources, enabled=True))


@command(uses=NAMES)
@_sources
def disable_event_sources(options: Options, sources: tuple[str, ...]) -> None:
    """Stop event sources from invoking the function.

    SOURCE is an ARN or a name from `status`; default: all in the config. Streams and queues
    keep their records for their retention time. Topics, buckets and shared rules are
    disconnected. The next deploy applies the config's `enabled` again.

    Example:
      kappa config.yml disable_event_sources
    """
    carry_out(options, partial(plan_switch_event_sources, names=sources, enabled=False))


@command(uses=NAMES)
@_sources
def remove_event_sources(options: Options, sources: tuple[str, ...]) -> None:
    """Disconnect event sources from the function.

    SOURCE is an ARN, a name from `status`, or url; default: all in the config, and its URL.
    Deletes mappings, subscriptions, notifications, rules, and the permissions that kappa added
    for them. A deleted URL never gets the same address again.

    Example:
      kappa config.yml remove_event_sources nightly
    """
    carry_out(options, partial(plan_remove_event_sources, names=sources))


@command(uses=NAMES)
def event_source_status(options: Options) -> None:
    """Show the event sources and their state.

    Lists those of the config, and other streams and queues that invoke the function.
    Changes nothing.

    Example:
      kappa config.yml event_source_status --json
    """
    from kappa.commands.status_table import padded, problem_line, state_line
    from kappa.sources.report import source_row, sources_data

    session = options.open()
    data = sources_data(*read_sources_status(session))
    if options.json:
        result(as_json(data))
        return
    rows = [source_row(source)[1:] for source in data]
    for name, state, detail in padded(rows, width()):
        result(state_line(name, state, detail))
    for source in data:
        if "problem" in source:
            progress(problem_line(f"{source['name']}: {source['problem']}"))
    if not data:
        progress("The config names no event source, and AWS has none.")


def plan_add_event_sources(session: Session) -> Plan:
    """Plan the event sources that are not there yet.

    Raises: NotFound, if the function, a topic or a bucket does not exist.
    """
    from kappa.sources.plan import plan_sources_add

    config, statements, state = _read(session)
    return plan_sources_add(config, session.place, state, statements)


def plan_update_event_sources(session: Session) -> Plan:
    """Plan what differs of the event sources that are there."""
    from kappa.sources.plan import plan_sources_update

    config, statements, state = _read(session)
    return plan_sources_update(config, session.place, state, statements)


def plan_switch_event_sources(session: Session, names: Sequence[str], enabled: bool) -> Plan:
    """Plan the start or the stop of the named event sources; of all, if none is named.

    Raises: ConfigError, if the config does not have one; NotFound.
    """
    from kappa.sources.plan import plan_sources_switch
    from kappa.sources.selection import select

    select(session.config, names)
    config, statements, state = _read(session, ending=not enabled)
    chosen = select(config, names)
    return plan_sources_switch(chosen, session.place, state, statements, enabled)


def plan_remove_event_sources(session: Session, names: Sequence[str]) -> Plan:
    """Plan the removal of the named event sources; of all, if none is named.

    Raises: ConfigError, if the config does not have one.
    """
    from kappa.sources.plan import plan_sources_remove
    from kappa.sources.selection import select

    select(session.config, names)
    config, statements, state = _read(session, needed=False, tolerant=True)
    return plan_sources_remove(select(config, names), session.place, state, statements)


def read_sources_status(session: Session) -> tuple[Config, SourcesState]:
    """Read the event sources alone."""
    from kappa.config.function_rules import check_regions
    from kappa.sources.read import read_sources

    config, aws = session.config, session.aws
    check_regions(config, aws.region)
    return config, read_sources(aws, config, lambda: session.place, everywhere=True, tolerant=True)


def _read(
    session: Session, *, needed: bool = True, ending: bool = False, tolerant: bool = False
) -> tuple[Config, tuple[Statement, ...], SourcesState]:
    from kappa.config.function_rules import check_regions
    from kappa.function.state import check_owned
    from kappa.sources.read import read_sources

    config, aws = session.config, session.aws
    check_regions(config, aws.region)
    exists = check_owned(aws, config, session.owner)
    if needed and not exists:
        name = config.function.name
        hint = f"Make it: {config.command('deploy')}"
        raise NotFound(f"The function {name} does not exist.", hint)
    state = read_sources(aws, config, lambda: session.place, tolerant=tolerant, ending=ending)
    return config, state.statements.get(config.function.alias, ()), state
