"""The commands that show what is there and how it does: status and metrics."""

from __future__ import annotations

import sys
import time

import click

from kappa.cli.console import as_json, bold, result, style, width
from kappa.cli.group import command
from kappa.cli.options import Moment, Options


@command
def status(options: Options) -> None:
    """Show the state of everything in the config.

    Lists policy, role, function, alias, permissions, asynchronous settings and event sources.
    Problems, such as what is missing or has failed, follow after a "!". Changes nothing.

    Example:
      kappa config.yml status --json
    """
    from kappa.commands.deploy import read_status
    from kappa.commands.status import padded, status_data, status_table

    session = options.open()
    now = read_status(session)
    data = status_data(now.config, now.iam, now.function, now.sources)
    if options.json:
        result(as_json(data))
        return
    for what, name, state, detail in padded(status_table(data, session.config), width()):
        line = f"{what}  {bold(name)}  {_coloured(state)}"
        result(f"{line}  {style(detail, dim=True)}" if detail else line)
    for problem in data["problems"]:
        result(f"{style('!', fg='red', bold=True)} {problem}")


def _coloured(state: str) -> str:
    word = state.strip()
    if word in ("missing", "topic is gone", "no target") or "Failed" in word:
        return style(state, fg="red")
    is_well = word in ("Active", "Enabled", "Notifying", "Subscribed", "there")
    return style(state, fg="green" if is_well else "yellow")


@command
@click.option(
    "--since",
    "since_ms",
    default="1h",
    show_default=True,
    type=Moment(),
    help="Start: 30m, 6h, 7d ago, or ISO 8601 (UTC).",
)
def metrics(options: Options, since_ms: int) -> None:
    """Show invocations, errors and durations.

    Also shows throttles, peak concurrency and how far streams lag, as numbers and bars. The data
    is CloudWatch's, a minute or two late. Changes nothing.

    Example:
      kappa config.yml metrics --since 6h
    """
    from kappa.commands import metrics as numbers
    from kappa.commands.humanize import duration

    session = options.open()
    name = session.config.function.name
    over = numbers.window(since_ms / 1000, time.time())
    found = numbers.data(name, over, numbers.read(session.aws, name, over))
    if options.json:
        result(as_json(found))
        return
    each = duration(over.period_s * 1000)
    result(f"{bold(name)}  {found['since']} to {found['until']}, {each} a bar")
    for label, value, bars in numbers.table(found, sys.stdout.encoding or "ascii"):
        bad = label in ("errors", "throttles") and value not in ("0", "-")
        colour = "red" if bad else "cyan"
        result(f"{label:12} {value:>12}  {style(bars, fg=colour)}".rstrip())
