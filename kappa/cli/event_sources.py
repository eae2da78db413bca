"""The commands for event sources: add, update, enable, disable, remove, show their status."""

from __future__ import annotations

from functools import partial

import click

from kappa.cli.carry_out import carry_out
from kappa.cli.console import as_json, bold, progress, result, style
from kappa.cli.group import command
from kappa.cli.options import Options

_sources = click.argument("sources", nargs=-1, metavar="[SOURCE]...")


@command(several=True)
def add_event_sources(options: Options) -> None:
    """Connect the function with its event sources.

    Makes a mapping for each DynamoDB or Kinesis stream, a subscription for each SNS topic, a
    notification for each S3 bucket, with the permission that it needs.

    Example:
      kappa config.yml add_event_sources
    """
    from kappa.commands.sources import plan_add_event_sources

    carry_out(options, plan_add_event_sources)


@command(several=True)
def update_event_sources(options: Options) -> None:
    """Bring event sources to what the config says.

    Changes batch size, retries, enabled and the like of the mappings that are there, and the
    events of bucket notifications.

    Example:
      kappa config.yml update_event_sources
    """
    from kappa.commands.sources import plan_update_event_sources

    carry_out(options, plan_update_event_sources)


@command()
@_sources
def enable_event_sources(options: Options, sources: tuple[str, ...]) -> None:
    """Let event sources invoke the function again.

    All of the config's, or each SOURCE: its ARN, its name as `status` shows it. Streams and
    queues go on where they stopped; topics and buckets are subscribed to again.

    Example:
      kappa config.yml enable_event_sources news
    """
    from kappa.commands.sources import plan_switch_event_sources

    carry_out(options, partial(plan_switch_event_sources, names=sources, enabled=True))


@command()
@_sources
def disable_event_sources(options: Options, sources: tuple[str, ...]) -> None:
    """Keep event sources from invoking the function.

    All of the config's, or each SOURCE: its ARN, its name as `status` shows it. Until they are
    enabled, or deployed anew: `enabled: false` in the config is for good. Streams and queues
    keep what arrives, as long as they do; topics and buckets are unsubscribed from.

    Example:
      kappa config.yml disable_event_sources
    """
    from kappa.commands.sources import plan_switch_event_sources

    carry_out(options, partial(plan_switch_event_sources, names=sources, enabled=False))


@command()
@_sources
def remove_event_sources(options: Options, sources: tuple[str, ...]) -> None:
    """Disconnect the function from event sources.

    All of the config's and its URL, or each SOURCE: its ARN, its name as `status` shows it, or
    url. Removes mappings, subscriptions, notifications, rules and the permissions that kappa
    gave for them. A URL's address never comes back.

    Example:
      kappa config.yml remove_event_sources nightly
    """
    from kappa.commands.sources import plan_remove_event_sources

    carry_out(options, partial(plan_remove_event_sources, names=sources))


@command()
def event_source_status(options: Options) -> None:
    """Show event sources and their state.

    Those of the config, and streams and queues that are mapped besides. Changes nothing.

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
    for _, name, state, detail in padded([source_row(source) for source in data]):
        good = state.strip() not in ("missing", "no target", "topic is gone")
        colour = "green" if good else "magenta"
        result(f"{bold(name)}  {style(state, fg=colour)}  {detail}".rstrip())
    for source in data:
        if "problem" in source:
            progress(f"! {source['name']}: {source['problem']}")
    if not data:
        progress("The config names no event source, and AWS has none.")
