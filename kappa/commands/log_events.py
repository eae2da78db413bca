"""The events of the function's log: read those of a time, the last ones, or follow new ones.

Owns what a log event is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from kappa.aws import Aws
from kappa.errors import NotFound, Unavailable
from kappa.plan.step import Clock

# CloudWatch makes events readable out of order, some seconds late.
LATE_MS = 30_000
POLL_S = 1.0
# How many events of a quiet function are shown, and in how many streams they are looked for.
LAST = 10
_STREAMS = 5


class Event(msgspec.Struct, frozen=True):
    """One line of a log."""

    at_ms: int
    message: str
    stream: str = ""
    key: object = None

    @property
    def time(self) -> str:
        """ISO 8601 UTC with milliseconds."""
        at = datetime.fromtimestamp(self.at_ms / 1000, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Query(msgspec.Struct, frozen=True):
    """Which events. Units: epoch milliseconds. `pattern` is CloudWatch's own filter syntax."""

    group: str
    since_ms: int
    until_ms: int | None = None
    pattern: str = ""


def read_events(aws: Aws, query: Query) -> list[Event]:
    """Read the events of a time, oldest first.

    Raises: NotFound, if the function has never logged; AwsError.
    """
    params: dict[str, Any] = {"logGroupName": query.group, "startTime": query.since_ms}
    if query.until_ms is not None:
        params["endTime"] = query.until_ms
    if query.pattern:
        params["filterPattern"] = query.pattern
    listed = aws.pages(
        "logs", "filter_log_events", f"reading the log group {query.group}", "events", params
    )
    counts: Counter[object] = Counter()
    return sorted((_event(raw, counts) for raw in listed), key=lambda event: event.at_ms)


def _event(raw: Mapping[str, Any], counts: Counter[object]) -> Event:
    stream, at_ms, message = raw.get("logStreamName", ""), raw["timestamp"], raw["message"]
    alike = (stream, at_ms, message)
    counts[alike] += 1
    key = raw.get("eventId") or (*alike, counts[alike])
    return Event(at_ms, message.rstrip("\n"), stream, key)


def read_last(aws: Aws, group: str) -> list[Event]:
    """Read the last events of the newest streams, however old they are, oldest first.

    Raises: NotFound, if the function has never logged; AwsError.
    Source: CloudWatch Logs API reference, "GetLogEvents": it begins at the end unless told.
    """
    name = {"logGroupName": group}
    doing = f"reading the log group {group}"
    newest = {**name, "orderBy": "LastEventTime", "descending": True, "limit": _STREAMS}
    streams = aws.call("logs", "describe_log_streams", doing, newest)["logStreams"]
    events: list[Event] = []
    for stream in streams:
        given = {**name, "logStreamName": stream["logStreamName"], "limit": LAST}
        listed = aws.call("logs", "get_log_events", doing, given)["events"]
        counts: Counter[object] = Counter()
        own = {"logStreamName": stream["logStreamName"]}
        events += [_event({**raw, **own}, counts) for raw in listed]
    return sorted(events, key=lambda event: event.at_ms)[-LAST:]


def follow(
    aws: Aws,
    query: Query,
    clock: Clock,
    waiting: Callable[[], None] = lambda: None,
    lost: Callable[[Unavailable], None] = lambda _: None,
) -> Iterator[list[Event]]:
    """Yield the events since a time and then, without end, what is new, maybe nothing.

    `waiting` is called once while there is no log group yet, `lost` once each time that AWS is
    out of reach after the first reading. Times overlap from one reading to the next, as CloudWatch
    shows events out of order and late; each is yielded once.
    """
    seen: dict[object, int] = {}
    begun, told, is_lost = False, False, False
    while True:
        events: list[Event] = []
        try:
            events = read_events(aws, query)
            begun, is_lost = True, False
        except NotFound:
            if not told:
                waiting()
            begun, told, is_lost = True, True, False
        except Unavailable as error:
            # The quota of FilterLogEvents is small, and the account's: others may read too.
            if not begun and error.code != "ThrottlingException":
                raise
            if not is_lost and error.code != "ThrottlingException":
                lost(error)
                is_lost = True
        fresh = [event for event in events if event.key not in seen]
        seen.update((event.key, event.at_ms) for event in fresh)
        yield fresh
        since_ms = max([query.since_ms, *(at_ms - LATE_MS for at_ms in seen.values())])
        seen = {key: at_ms for key, at_ms in seen.items() if at_ms >= since_ms}
        query = replace(query, since_ms=since_ms)
        clock.sleep(POLL_S)
