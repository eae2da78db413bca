"""The log of a function, followed in a thread of its own while a command does other work."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from kappa.commands.console import Output, prefixed, progress
from kappa.commands.logs import Writer, report_lost
from kappa.errors import KappaError

if TYPE_CHECKING:
    from kappa.commands.session import Session

# How long the end waits for a call that reads the log: it may be cut without harm.
_PATIENCE_S = 1.0


class _Stopped(Exception):
    """The follower is to end."""


class LogFollower:
    """Prints what the function logs from now on, until it is stopped."""

    def __init__(self, session: Session, output: Output, *, as_json: bool) -> None:
        self.place = (session.aws, session.config.function.log_group)
        self._output, self._as_json = output, as_json
        self._since_ms = int(time.time() * 1000)
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._refusal = ""
        self._start()

    def _start(self) -> None:
        # A daemon: a call that hangs must not keep the command from ending.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def resume(self) -> None:
        """Follow the log again from where AWS refused to show it."""
        if not self._thread.is_alive() and self._failure is None:
            self._start()

    def check(self) -> None:
        """Raise what ended the thread, such as a closed output, if it was not an error of AWS."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End, after what has been read is printed."""
        self._stopped.set()
        self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        try:
            with prefixed(self._output):
                self._follow()
        except BaseException as failure:  # noqa: BLE001 - raised again by check()
            self._failure = failure

    def _follow(self) -> None:
        from kappa.commands.log_events import Query, follow
        from kappa.plan.step import Clock

        aws, group = self.place
        clock = Clock(sleep=self._sleep)
        pretty = sys.stdout.isatty() and not self._as_json
        write = Writer(clock.now, errors=False, as_json=self._as_json, pretty=pretty)
        asked_ms = self._since_ms
        try:
            for events in follow(aws, Query(group, self._since_ms), clock, lost=report_lost):
                if not self._stopped.is_set():
                    write.add(events)
                    write.ready()
                asked_ms = int(time.time() * 1000)
        except _Stopped:
            write.rest()
        except KappaError as error:
            write.rest()
            self._since_ms = asked_ms
            if error.message != self._refusal:
                self._refusal = error.message
                progress(
                    f"{error.message}\n  The log is not followed. The next update tries again."
                )

    def _sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise _Stopped
