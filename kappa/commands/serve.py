"""The command serve: the function's URL on this machine."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

import click

from kappa.commands.carry_out import print_notes
from kappa.commands.console import (
    as_json,
    bold,
    print_failure,
    print_traceback,
    progress,
    report_line,
    result,
    style,
)
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from kappa.commands.served_url import Access, Callbacks
    from kappa.commands.session import Session
    from kappa.config.model import Function

T = TypeVar("T")
_PORT = 9000
_MAX_PROCESSES = 100
_TICK_S = 0.5
_SHOWN_CHARACTERS = 200


@command()
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port on 127.0.0.1; 0: a free one.",
)
@click.option(
    "--concurrency",
    default=1,
    show_default=True,
    type=click.IntRange(1, _MAX_PROCESSES),
    metavar="N",
    help="Requests to run at once, each in a process.",
)
def serve(options: Options, port: int, concurrency: int) -> None:
    """Serve the function's URL on this machine.

    Answers each request with the code that deploy would upload, which it builds and runs with your
    AWS credentials. When you save a file, the next request runs the new code. Prints the function's
    log. Ctrl-C ends it. Nothing on AWS is changed by kappa itself.

    Example:
      kappa config.yml serve --port 8000
    """
    from kappa.commands.served_url import Service

    screen = _Screen(options)
    service = Service(options.open, port, concurrency, screen.callbacks())
    try:
        function = service.load()
        screen.print_begin(function, service.url)
        service.start()
        screen.follow()
    finally:
        service.close()
        screen.finish()


class _Screen:
    """Prints in the main thread what happens in others."""

    def __init__(self, options: Options) -> None:
        from kappa.commands.logs import Writer

        self._json, self._debug = options.json, options.debug
        pretty = sys.stdout.isatty() and not options.json
        self._log = Writer(time.monotonic, errors=False, as_json=options.json, pretty=pretty)
        self._waiting: SimpleQueue[Callable[[], object]] = SimpleQueue()

    def callbacks(self) -> Callbacks:
        """What the service calls, from any thread."""
        from kappa.commands.local_log import warn
        from kappa.commands.served_url import Callbacks

        return Callbacks(
            log=self._later(lambda event: self._log.add([event])),
            access=self._later(self._print_access),
            loaded=self._loaded,
            note=self._later(lambda text: print_notes([text])),
            warn=self._later(warn),
            failed=self._later(lambda error: print_failure(error, self._debug)),
            crashed=self._later(print_traceback),
        )

    def _later(self, show: Callable[[T], object]) -> Callable[[T], None]:
        return lambda item: self._waiting.put(partial(show, item))

    def print_begin(self, function: Function, url: str) -> None:
        """Print where the function answers, and how that differs from AWS."""
        from kappa.commands.served_url import differences

        self._print_waiting()
        progress(f"{function.name} answers at {bold(url)}")
        progress("  Only this machine can call it. Ctrl-C ends it.")
        print_notes(differences(function))

    def follow(self) -> None:
        """Print what happens until Ctrl-C, which is the normal way to end it."""
        with suppress(KeyboardInterrupt):
            while True:
                with suppress(Empty):
                    self._waiting.get(timeout=_TICK_S)()
                self._log.ready()

    def finish(self) -> None:
        """Print what is left."""
        self._print_waiting()
        self._log.rest()

    def _print_waiting(self) -> None:
        with suppress(Empty):
            while True:
                self._waiting.get_nowait()()

    def _loaded(self, session: Session, notice: str) -> None:
        self._waiting.put(partial(_print_loaded, session, notice))

    def _print_access(self, access: Access) -> None:
        from kappa.commands.numbers import duration, size

        if self._json:
            result(as_json(access.as_object(), indent=None))
            return
        colour = "red" if access.status >= 500 else "yellow" if access.status >= 400 else "green"
        target = one_line(access.target)
        if len(target) > _SHOWN_CHARACTERS:
            target = f"{target[:_SHOWN_CHARACTERS]}..."
        facts = f"{size(access.size_bytes)}  {duration(access.duration_ms)}"
        status = style(str(access.status), fg=colour) if access.status else "no answer"
        progress(f"{access.method} {target}  {status}  {style(facts, dim=True)}")


def _print_loaded(session: Session, notice: str) -> None:
    from kappa.plan.step import Report

    print_notes(session.config.notes)
    if notice:
        print_notes([notice])
    else:
        name = session.config.function.name
        progress(report_line(Report("updated", f"{name}: the next request runs the new code")))
