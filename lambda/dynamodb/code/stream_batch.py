"""A batch of the table's stream: its channels, its new messages, how long it has waited.

Pure: records of any shape go in, and none makes it raise. It must not call AWS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

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


def is_new_message(record: object) -> bool:
    """Tell whether a record is of a new message, not of a change."""
    row_id = dig(record, "dynamodb", "Keys", "id", "S")
    new = dig(record, "eventName") == "INSERT" and isinstance(row_id, str)
    return new and not str(row_id).startswith(AFTER_MESSAGES)


def sequence(record: object) -> str:
    """Return a record's sequence number, "" without one."""
    return str(dig(record, "dynamodb", "SequenceNumber") or "")
