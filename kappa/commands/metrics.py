"""The command metrics: how often and how long the function ran."""

from __future__ import annotations

import sys
import time

import click

from kappa.commands.argument_types import Moment
from kappa.commands.console import as_json, bold, result, style
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.uses import FUNCTION


@command(uses=FUNCTION)
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
    from kappa.commands.cloudwatch import metrics_data, metrics_table, read_metrics, window
    from kappa.commands.numbers import duration

    session = options.open()
    name = session.config.function.name
    over = window(since_ms / 1000, time.time())
    numbers = metrics_data(name, over, read_metrics(session.aws, name, over))
    if options.json:
        result(as_json(numbers))
        return
    each = duration(over.period_s * 1000)
    result(f"{bold(name)}  {numbers['since']} to {numbers['until']}, {each} a bar")
    for label, value, bars in metrics_table(numbers, sys.stdout.encoding or "ascii"):
        bad = label in ("errors", "throttles") and value not in ("0", "-")
        colour = "red" if bad else "cyan"
        result(f"{label:12} {value:>12}  {style(bars, fg=colour)}".rstrip())
