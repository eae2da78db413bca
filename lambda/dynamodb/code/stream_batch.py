"""A batch of the table's stream: its channels and rows, its new messages, how long it has waited.

Pure: records of any shape go in, and none makes it raise. It must not call AWS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, NotRequired, TypedDict

from contract import AFTER_MESSAGES, CHANNEL, RESERVED_CHANNELS, dig
from stats import NewMessage, read_new_message

MAX_TIME_S = 1e11  # far beyond any clock; excludes NaN and infinity too


class Change(TypedDict):
    """Records[].dynamodb. Values are in DynamoDB's notation, {"S": "..."}."""

    Keys: dict[str, dict[str, str]]
    SequenceNumber: NotRequired[str]
    ApproximateCreationDateTime: NotRequired[float]
    NewImage: NotRequired[dict[str, Any]]


class Record(TypedDict):
    """Records[]: one change of one row."""

    eventName: str
    dynamodb: Change


class Event(TypedDict):
    """The event that Lambda passes. Source: AWS Lambda guide, "Using Lambda with DynamoDB"."""

    Records: list[Record]


class BatchRows(NamedTuple):
    """The ids of a channel's rows in a batch, by what happened to them.

    `changes` has the inserted rows that announce a change, with the ids of the messages that they
    change. `complete` is false if a record has no id or an unknown kind, as those of republish.py.
    """

    inserted: frozenset[str] = frozenset()
    modified: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    changes: frozenset[tuple[str, str]] = frozenset()
    complete: bool = True

    @property
    def only_new(self) -> bool:
        """Tell whether all of them are new messages."""
        return self.complete and not (self.modified or self.removed or self.changes)


def settled(records: Sequence[object], failed: Sequence[int]) -> Sequence[object]:
    """Return the records that Lambda does not send again: those before the first failed one.

    If a failed record has no sequence number, there are none: Lambda takes "" as the whole batch.
    """
    if not all(sequence(records[place]) for place in failed):
        return []
    return records[: min(failed, default=len(records))]


def iterator_ages_ms(records: Sequence[object], now_s: float) -> list[int]:
    """Return how long the oldest record has waited; nothing if no record has a time.

    DynamoDB's times are whole seconds.
    """
    times = [dig(record, "dynamodb", "ApproximateCreationDateTime") for record in records]
    seconds = [time for time in times if isinstance(time, int | float) and 0 <= time <= MAX_TIME_S]
    return [age_ms(round(min(seconds) * 1000), now_s)] if seconds else []


def age_ms(then_ms: int, now_s: float) -> int:
    """Return how long ago a time was; 0 for a future one."""
    return max(0, round(now_s * 1000) - then_ms)


def read_inserts(records: Sequence[object], now_s: float) -> list[NewMessage]:
    """Return the new messages that the statistics count."""
    inserts = [record for record in records if dig(record, "eventName") == "INSERT"]
    rows = [(read_channel(record), dig(record, "dynamodb", "NewImage")) for record in inserts]
    messages = [
        read_new_message(channel, image, now_s)
        for channel, image in rows
        if channel and channel not in RESERVED_CHANNELS and isinstance(image, dict)
    ]
    return [message for message in messages if message]


def read_channel(record: object) -> str | None:
    """Return the channel that a record names, None without a valid one."""
    channel = dig(record, "dynamodb", "Keys", "channel", "S")
    return channel if isinstance(channel, str) and CHANNEL.fullmatch(channel) else None


def read_rows(records: Sequence[object]) -> dict[str, BatchRows]:
    """Return the rows of each channel that the records name."""
    records_of: dict[str, list[object]] = {}
    for record in records:
        if channel := read_channel(record):
            records_of.setdefault(channel, []).append(record)
    return {channel: _rows_in(listed) for channel, listed in records_of.items()}


def _rows_in(records: Sequence[object]) -> BatchRows:
    ids: dict[str, set[str]] = {"INSERT": set(), "MODIFY": set(), "REMOVE": set()}
    changes: set[tuple[str, str]] = set()
    complete = True
    for record in records:
        kind, row_id = dig(record, "eventName"), dig(record, "dynamodb", "Keys", "id", "S")
        if not isinstance(row_id, str) or not isinstance(kind, str) or kind not in ids:
            complete = False
        elif kind == "INSERT" and row_id.startswith(AFTER_MESSAGES):
            target = dig(record, "dynamodb", "NewImage", "target", "S")
            changes.add((row_id, target if isinstance(target, str) else ""))
        else:
            ids[kind].add(row_id)
    inserted, modified, removed = map(frozenset, ids.values())
    return BatchRows(inserted, modified, removed, frozenset(changes), complete)


def sequence(record: object) -> str:
    """Return a record's sequence number, "" without one."""
    return str(dig(record, "dynamodb", "SequenceNumber") or "")
