"""The log of a function on this machine, as `logs` shows it, line by line while it runs."""

from __future__ import annotations

import time

from kappa.commands.console import current_output, prefixed, progress, style
from kappa.commands.log_events import Event
from kappa.commands.log_requests import RequestTracker
from kappa.commands.log_view import row
from kappa.local_run.process import LogLine


class LocalLog:
    """Prints lines to stderr, behind the time since the last begin()."""

    def __init__(self) -> None:
        self._tracker = RequestTracker()
        # Lines come in a thread that knows no config.
        self._output = current_output()
        self.lines: list[str] = []
        self.begin()

    def begin(self) -> None:
        """Count the time from now on, and forget the lines."""
        self._start_ms = int(time.time() * 1000)
        self.lines = []

    def add(self, line: LogLine) -> None:
        """Print a line."""
        self.lines.append(line.text)
        event = Event(max(line.at_ms, self._start_ms), line.text)
        with prefixed(self._output):
            progress(row(self._tracker.entry(event), self._start_ms))


def warn(text: str) -> None:
    """Print what differs from Lambda."""
    progress(f"{style('warning'.ljust(10), fg='yellow')} {text}")
