"""The commands for event sources that are there: enable, disable, remove, show."""

from __future__ import annotations

from functools import partial

import click

from kappa.cli.console import as_json, bold, progress, result, style
from kappa.cli.group import carry_out, command
from kappa.cli.options import Options

_some = click.argument("sources", nargs=-1, metavar="[SOURCE]...")


@command
@_some
def enable_event_sources(options: Options, sources: tuple[str, ...]) -> None:
    """Let event sources invoke the function again.

    SOURCE is an ARN or a name from `status`; default: all in the config. Streams and queues
    continue where they stopped. Topics, buckets and shared rules are connected again.

    Example:
      kappa config.yml enable_event_sources news
    """
    from kappa.commands.sources import plan_switch_event_sources

    carry_out(options, partial(plan_switch_event_sources, names=sources, enabled=True))


@command
@_some
def disable_event_sources(options: Options, sources: tuple[str, ...]) -> None:
    """Stop event sources from invoking the function.

    SOURCE is an ARN or a name from `status`; default: all in the config. Streams and queues
    keep their records for their retention time. Topics, buckets and shared rules are
    disconnected. The next deploy restores what `enabled` in the config says.

    Example:
      kappa config.yml disable_event_sources
    """
    from kappa.commands.sources import plan_switch_event_sources

    carry_out(options, partial(plan_switch_event_sources, names=sources, enabled=False))


@command
@_some
def remove_event_sources(options: Options, sources: tuple[str, ...]) -> None:
    """Disconnect event sources from the function.

    SOURCE is an ARN, a name from `status`, or url; default: all in the config, and its URL.
    Deletes mappings, subscriptions, notifications, rules, and the permissions that kappa added
    for them. A deleted URL never gets the same address again.

    Example:
      kappa config.yml remove_event_sources nightly
    """
    from kappa.commands.sources import plan_remove_event_sources

    carry_out(options, partial(plan_remove_event_sources, names=sources))


@command
def event_source_status(options: Options) -> None:
    """Show the event sources and their state.

    Lists those of the config, and other streams and queues that invoke the function.
    Changes nothing.

    Example:
      kappa config.yml event_source_status --json
    """
    from kappa.commands.sources import read_sources_status
    from kappa.commands.status import padded
    from kappa.sources.report import source_row, sources_data

    session = options.open()
    data = sources_data(*read_sources_status(session))
    if options.json:
        result(as_json(data))
        return
    for _, name, state, detail in padded([source_row(one) for one in data]):
        good = state.strip() not in ("missing", "no target", "topic is gone")
        colour = "green" if good else "magenta"
        result(f"{bold(name)}  {style(state, fg=colour)}  {detail}".rstrip())
    for one in data:
        if "problem" in one:
            progress(f"! {one['name']}: {one['problem']}")
    if not data:
        progress("The config names no event source, and AWS has none.")
