"""The commands that show the function's log: logs, and tail, its name in kappa 0.3."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from kappa.commands.argument_types import Moment
from kappa.commands.console import progress, result
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.uses import FUNCTION
from kappa.errors import Denied, KappaError, NotFound

if TYPE_CHECKING:
    from kappa.aws import Aws
    from kappa.commands.log_events import Event, Query
    from kappa.commands.log_requests import Request

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
                help="Start: 30s, 10m, 2h, 1d ago, or ISO 8601 (UTC).",
            ),
            click.option("--until", "until_ms", type=Moment(), help="End, written like --since."),
            click.option("--follow", "-f", is_flag=True, help="Print new lines until Ctrl-C."),
            click.option(
                "--filter",
                "pattern",
                default="",
                metavar="PATTERN",
                help="CloudWatch filter pattern.",
            ),
            click.option("--errors", is_flag=True, help="Only failed requests or error lines."),
            click.option(
                "--pretty/--plain", default=None, help="Group lines by request, or do not."
            ),
        )
    ):
        function = option(function)
    return function


@command(uses=FUNCTION)
@_log_options
def logs(options: Options, pretty: bool | None, **given: Any) -> None:  # noqa: ANN401
    """Show the function's log, request by request.

    Each request has a line with its time, id, duration and memory. If the output is not a
    terminal, prints each line as it was written, after its time. Changes nothing.

    Example:
      kappa config.yml logs --since 1h --errors
    """
    _show(options, sys.stdout.isatty() if pretty is None else pretty, **given)


@command(uses=FUNCTION)
@_log_options
def tail(options: Options, pretty: bool | None, **given: Any) -> None:  # noqa: ANN401
    """Print the function's log, line by line.

    Like logs --plain. Without --since, shows the last ten lines, however old, if the last ten
    minutes have none. Lines take some seconds to arrive. Changes nothing.

    Example:
      kappa config.yml tail --since 1h --follow
    """
    source = click.get_current_context().get_parameter_source("since_ms")
    _show(options, bool(pretty), last=source is ParameterSource.DEFAULT, **given)


def _show(
    options: Options,
    pretty: bool,
    since_ms: int,
    until_ms: int | None,
    follow: bool,
    pattern: str,
    errors: bool,
    last: bool = False,
) -> None:
    from kappa.commands.log_events import Query
    from kappa.commands.log_events import follow as follow_events
    from kappa.plan.step import Clock

    if follow and until_ms is not None:
        raise click.UsageError("--follow has no end: leave --until out.")
    if until_ms is not None and until_ms <= since_ms:
        raise click.UsageError("--until is not after --since.")
    session = options.open()
    group = session.config.function.log_group
    query = Query(group, since_ms, until_ms, pattern)
    clock = Clock(now=time.monotonic)
    write = Writer(clock.now, errors, as_json=options.json, pretty=pretty and not options.json)
    last = last and not (pattern or errors or until_ms)
    if not follow:
        _print_once(session.aws, query, write, last)
        return
    missing = f"Waiting for the first log: {group} does not exist yet."
    try:
        for events in follow_events(
            session.aws, query, clock, lambda: progress(missing), report_lost
        ):
            if last and not events:
                _print_last(session.aws, query, write)
            last = False
            write.add(events)
            write.ready()
    except KeyboardInterrupt:
        # Ctrl-C is the normal way to stop following.
        write.rest()


def _print_once(aws: Aws, query: Query, write: Writer, last: bool) -> None:
    from kappa.commands.log_events import Event, read_events

    try:
        events = read_events(aws, query)
        write.add(events)
        if last and not events:
            _print_last(aws, query, write)
        elif not events:
            since = Event(query.since_ms, "").time
            progress(f"No lines since {since}. New ones take some seconds; older ones: --since 1d")
    except NotFound:
        progress(f"No logs yet: {query.group} does not exist.")
        return
    write.rest()
    if events and not write.printed:
        since = Event(query.since_ms, "").time
        progress(f"No errors in the {len(events)} lines since {since}.")


def _print_last(aws: Aws, query: Query, write: Writer) -> None:
    """Print what was logged before a quiet time, with its age."""
    from kappa.commands.log_events import read_last
    from kappa.commands.numbers import age

    try:
        newest = read_last(aws, query.group)
    except NotFound:  # following waits for the group
        return
    except Denied as error:  # only the older lines need this permission
        progress(error.message)
        return
    events = [event for event in newest if event.at_ms < query.since_ms]
    if not events:
        progress(f"No lines in the newest streams of {query.group}.")
        return
    words = age(time.time() * 1000 - events[-1].at_ms)
    progress(f"The last 10 minutes are quiet. The last lines, the newest {words} old:")
    write.add(events)


def report_lost(error: KappaError) -> None:
    """Print that AWS is out of reach, while following goes on."""
    progress(error.message)
    progress("  Following goes on; Ctrl-C stops it.")


class Writer:
    """Prints events as the options want them."""

    def __init__(
        self, now: Callable[[], float], errors: bool, *, as_json: bool, pretty: bool
    ) -> None:
        from kappa.commands.log_requests import PATIENCE_S, Requests, RequestTracker

        self._now, self._errors, self._json, self._pretty = now, errors, as_json, pretty
        # Whether a request failed is known at its end only.
        self._requests = Requests(float("inf") if errors else PATIENCE_S)
        self._tracker = RequestTracker()
        self.printed = 0

    def add(self, events: Iterable[Event]) -> None:
        """Take new events: print them, or keep them until their request is complete."""
        from kappa.commands.log_view import as_object, plain

        entries = [self._tracker.entry(event) for event in events]
        if self._pretty:
            self._requests.add(entries, self._now())
            return
        for entry in entries:
            if entry.is_error or not self._errors:
                self.printed += 1
                result(as_object(entry) if self._json else plain(entry.event))

    def ready(self) -> None:
        """Print the requests that are complete, or have been going on for long."""
        self._print(self._requests.take(self._now()))

    def rest(self) -> None:
        """Print all that is left."""
        self._print(self._requests.take())

    def _print(self, requests: Iterable[Request]) -> None:
        from kappa.commands.log_view import pretty

        for request in requests:
            if request.failed or not self._errors:
                self.printed += 1
                result(pretty(request))
