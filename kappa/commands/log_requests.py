"""A request's lines together, although the log of a function mixes those of many.

Lambda runs one request at a time in a log stream, and some lines name their request.
It remembers what it was given; it reads nothing and prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kappa.commands.log_events import Event
from kappa.commands.log_lines import Line, Report, parse

# While following, a request that goes on is shown as far as it is after this long.
PATIENCE_S = 3.0
_STREAMS = 1000


class Entry(msgspec.Struct, frozen=True):
    """One event with what its line means and the request that it belongs to."""

    event: Event
    line: Line
    request_id: str
    is_error: bool


class RequestTracker:
    """Finds the request of each line; remembers what each stream is in."""

    def __init__(self) -> None:
        self._streams: dict[str, tuple[str, bool]] = {}

    def entry(self, event: Event) -> Entry:
        """Read an event's line; a line without an id belongs to its stream's request.

        A runtime that logs line by line leaves no level on the lines of a traceback.
        """
        line = parse(event.message)
        request_id, in_traceback = self._streams.pop(event.stream, ("", False))
        request_id = line.request_id or request_id
        in_traceback = line.text.startswith("Traceback (") or (
            in_traceback and line.text.startswith(" ")
        )
        self._streams[event.stream] = (request_id, in_traceback)
        if len(self._streams) > _STREAMS:
            del self._streams[next(iter(self._streams))]
        return Entry(event, line, request_id, line.is_error or in_traceback)


class Request(msgspec.Struct):
    """The lines of one request, as far as they have been read."""

    request_id: str
    entries: list[Entry] = msgspec.field(default_factory=list)
    continued: bool = False
    since_s: float = 0.0

    @property
    def report(self) -> Report | None:
        """Lambda's own words on the request; None while it runs."""
        return next((entry.line.report for entry in self.entries if entry.line.report), None)

    @property
    def failed(self) -> bool:
        """Whether any line, or Lambda, reports a failure."""
        return any(entry.is_error for entry in self.entries)

    @property
    def at_ms(self) -> int:
        """When its first line was written."""
        return self.entries[0].event.at_ms


class Requests:
    """Collects entries by request and gives each request once it is complete."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._open: dict[tuple[str, str], Request] = {}
        self._shown: set[str] = set()

    def add(self, entries: Iterable[Entry], now_s: float = 0.0) -> None:
        """Take new entries, oldest first."""
        for entry in entries:
            key = ("", entry.request_id) if entry.request_id else (entry.event.stream, "")
            request = self._open.setdefault(key, Request(entry.request_id, since_s=now_s))
            if entry.line.kind == "start":
                request.entries += self._beginning(entry.event.stream)
            request.entries.append(entry)

    def _beginning(self, stream: str) -> list[Entry]:
        """Lambda's lines before a stream's first request, such as INIT_START: that one's."""
        early = self._open.get((stream, ""))
        if early is None or any(entry.line.kind != "platform" for entry in early.entries):
            return []
        del self._open[stream, ""]
        return early.entries

    def take(self, now_s: float | None = None) -> list[Request]:
        """Give the requests that are complete or have waited for long; without a time, all."""
        ready = {
            key: request
            for key, request in self._open.items()
            if now_s is None or request.report or now_s - request.since_s >= self._patience_s
        }
        for key, request in ready.items():
            del self._open[key]
            request.continued = request.request_id in self._shown
            if request.request_id and not request.report:
                self._shown.add(request.request_id)
            else:
                self._shown.discard(request.request_id)
        return sorted(ready.values(), key=lambda request: request.at_ms)
