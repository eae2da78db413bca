"""The commands that show what is there: status and log."""

from __future__ import annotations

import json
import time

import click

from kappa.command import command
from kappa.console import as_json, bold, progress, result
from kappa.errors import NotFound
from kappa.options import Ago, Options


@command
def status(options: Options) -> None:
    """Show policy, role, function and event sources.

    Shows permissions too. Changes nothing.

    Example:
      kappa config.yml status --json
    """
    from kappa.commands import read_status
    from kappa.report import padded, status_data, status_table

    session = options.open()
    now = read_status(session)
    data = status_data(session.config, now.iam, now.function, now.sources)
    if options.json:
        result(as_json(data))
        return
    for what, name, state, detail in padded(status_table(data, session.config)):
        colour = "magenta" if state.strip() == "missing" else "green"
        result(f"{what}  {bold(name)}  {click.style(state, fg=colour)}  {detail}".rstrip())


@command
@click.option("--since", default="10m", show_default=True, type=Ago(), help="How far back.")
@click.option("--follow", "-f", is_flag=True, help="Go on with each new line until Ctrl-C.")
def tail(options: Options, since: int, follow: bool) -> None:
    """Print the function's log, oldest line first.

    Changes nothing. Lines take some seconds to reach the log.

    Example:
      kappa config.yml tail --since 1h --follow
    """
    from kappa.logs import follow_events, group_name, read_events

    session = options.open()
    name = session.config.function.name
    since_ms = int((time.time() - since) * 1000)
    read = follow_events if follow else read_events
    try:
        for event in read(session.aws, name, since_ms):
            line = {"time": event.time, "message": event.message}
            text = f"{click.style(event.time, dim=True)} {event.message}"
            result(json.dumps(line, ensure_ascii=False) if options.json else text)
    except NotFound:
        progress(f"No logs yet: {group_name(name)} does not exist.")
    except KeyboardInterrupt:
        # Ctrl-C is how following ends: there is nothing that it leaves undone.
        if not follow:
            raise
