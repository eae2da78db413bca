"""The commands that show the function's log: logs, and tail, its name in kappa 0.3."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kappa.command import command
from kappa.console import progress, result
from kappa.errors import NotFound
from kappa.options import Moment, Options

if TYPE_CHECKING:
    from kappa.logs import Event
    from kappa.requestlog import Request

F = TypeVar("F", bound=Callable[..., Any])


def _log_options(function: F) -> F:
    for option in reversed(
        (
            click.option(
                "--since",
                "since_ms",
                default="10m",
                show_default=True,
                type=Moment(),
                help="From when: 30s, 10m, 2h, 1d ago, or ISO 8601 (UTC).",
            ),
            click.option("--until", "until_ms", type=Moment(), help="Until when."),
            click.option("--follow", "-f", is_flag=True, help="Go on with new lines until Ctrl-C."),
            click.option(
                "--filter", "pattern", default="", metavar="PATTERN", help="CloudWatch's syntax."
            ),
            click.option("--errors", is_flag=True, help="Only errors; pretty: failed requests."),
            click.option("--pretty/--plain", default=None, help="Requests together, or lines."),
        )
    ):
        function = option(function)
    return function


@command
@_log_options
def logs(options: Options, pretty: bool | None, **given: Any) -> None:  # noqa: ANN401
    """Show the function's log, request by request.

    Changes nothing. Under a request's time, id, duration and memory stand its lines, errors in
    red. Where the output is no terminal, each line stands as it was written, behind its time.

    Example:
      kappa config.yml logs --since 1h --errors
    """
    _show(options, sys.stdout.isatty() if pretty is None else pretty, **given)


@command
@_log_options
def tail(options: Options, pretty: bool | None, **given: Any) -> None:  # noqa: ANN401
    """Print the function's log, oldest line first.

    The same as logs, but with each line as it was written unless --pretty is given. Changes
    nothing. Lines take some seconds to reach the log.

    Example:
      kappa config.yml tail --since 1h --follow
    """
    _show(options, bool(pretty), **given)


def _show(
    options: Options,
    pretty: bool,
    since_ms: int,
    until_ms: int | None,
    follow: bool,
    pattern: str,
    errors: bool,
) -> None:
    from kappa import logs as log
    from kappa.steps import Clock

    if follow and until_ms is not None:
        raise click.UsageError("--follow has no end: leave --until out.")
    if until_ms is not None and until_ms <= since_ms:
        raise click.UsageError("--until is not after --since.")
    session = options.open()
    group = session.config.function.log_group
    query = log.Query(group, since_ms, until_ms, pattern)
    clock = Clock(now=time.monotonic)
    write = _Writer(clock.now, errors, as_json=options.json, pretty=pretty and not options.json)
    if not follow:
        try:
            write.add(log.read_events(session.aws, query))
        except NotFound:
            progress(f"No logs yet: {group} does not exist.")
        write.rest()
        return
    missing = f"Waiting for the first log: {group} does not exist yet."
    try:
        for events in log.follow(session.aws, query, clock, lambda: progress(missing)):
            write.add(events)
            write.ready()
    except KeyboardInterrupt:
        # Ctrl-C is how following ends: there is nothing that it leaves undone.
        write.rest()


class _Writer:
    """Prints events as the options want them."""

    def __init__(
        self, now: Callable[[], float], errors: bool, *, as_json: bool, pretty: bool
    ) -> None:
        from kappa.requestlog import PATIENCE_S, Owners, Requests

        self._now, self._errors, self._json, self._pretty = now, errors, as_json, pretty
        # Whether a request failed is known at its end only.
        self._requests = Requests(float("inf") if errors else PATIENCE_S)
        self._owners = Owners()

    def add(self, events: Iterable[Event]) -> None:
        """Take new events: print them, or keep them until their request is complete."""
        from kappa.logview import as_object, plain

        entries = [self._owners.entry(event) for event in events]
        if self._pretty:
            self._requests.add(entries, self._now())
            return
        for entry in entries:
            if entry.is_error or not self._errors:
                result(as_object(entry) if self._json else plain(entry.event))

    def ready(self) -> None:
        """Print the requests that are complete, or have been going on for long."""
        self._print(self._requests.take(self._now()))

    def rest(self) -> None:
        """Print all that is left."""
        self._print(self._requests.take())

    def _print(self, requests: Iterable[Request]) -> None:
        from kappa.logview import pretty

        for request in requests:
            if request.failed or not self._errors:
                result(pretty(request))
