"""The command event: a sample event that fits the config."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from kappa.commands.console import as_json, progress, result, style
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.uses import NAMES


@command(uses=NAMES)
@click.argument("kind", default="", metavar="[KIND]")
@click.option("--body", default="", metavar="TEXT", help="Body of sqs, sns, kinesis and url.")
def event(options: Options, kind: str, body: str) -> None:
    """Print a sample event that fits the config.

    KIND is sqs, sns, s3, dynamodb, kinesis, schedule, rule or url, or the name of an event source;
    default: the config's only source. The event has the source's ARN, and passes its filter.
    Changes nothing.

    Example:
      kappa config.yml event sqs | kappa config.yml invoke --data -
    """
    from kappa.commands.sample_event import make

    config = options.open().config
    sample = make(config, kind, options.region, datetime.now(UTC), body)
    if sample.note:
        progress(f"{style('note'.ljust(10), dim=True)} {sample.note}")
    result(as_json(sample.event))
