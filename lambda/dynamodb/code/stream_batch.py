"""What a batch of the table's stream holds: channels, new messages, how long it has waited.

Pure: records that may be of any shape go in, and none makes it raise. It must not call AWS.
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
    """What Lambda hands over. Source: AWS Lambda guide, "Using Lambda with DynamoDB"."""

    Records: list[Record]


def settled(records: Sequence[object], failed: Sequence[int]) -> Sequence[object]:
    """Return the records that Lambda does not send again: those before the first that failed.

    None, when one that failed has no sequence number: Lambda takes "" as the whole batch.
    """
    if not all(sequence(records[place]) for place in failed):
        return []
    return records[: min(failed, default=len(records))]


def iterator_ages_ms(records: Sequence[object], now_s: float) -> list[int]:
    """Return how long the oldest record has waited; none when no record tells its time.

    DynamoDB tells whole seconds.
    """
    times = [dig(record, "dynamodb", "ApproximateCreationDateTime") for record in records]
    seconds = [time for time in times if isinstance(time, int | float) and 0 <= time <= MAX_TIME_S]
    return [age_ms(round(min(seconds) * 1000), now_s)] if seconds else []


def age_ms(then_ms: int, now_s: float) -> int:
    """Return how long ago a time was; 0 for one that is ahead of the clock."""
    return max(0, round(now_s * 1000) - then_ms)


def read_inserts(records: Sequence[object], now_s: float) -> list[NewMessage]:
    """Return the new messages, as far as the stats count them."""
    inserts = [record for record in records if dig(record, "eventName") == "INSERT"]
    rows = [(read_channel(record), dig(record, "dynamodb", "NewImage")) for record in inserts]
    messages = [
        read_new_message(channel, image, now_s)
        for channel, image in rows
        if channel and channel not in RESERVED_CHANNELS and isinstance(image, dict)
    ]
    return [message for message in messages if message]


def read_channel(record: object) -> str | None:
    """Return the channel that a record names, None when it names none."""
    channel = dig(record, "dynamodb", "Keys", "channel", "S")
    return channel if isinstance(channel, str) and CHANNEL.fullmatch(channel) else None


def is_new_message(record: object) -> bool:
    """Tell whether a record is of a new row among the messages, and not of a change."""
    row_id = dig(record, "dynamodb", "Keys", "id", "S")
    new = dig(record, "eventName") == "INSERT" and isinstance(row_id, str)
    return new and not str(row_id).startswith(AFTER_MESSAGES)


def sequence(record: object) -> str:
    """Return a record's sequence number, "" when it has none."""
    return str(dig(record, "dynamodb", "SequenceNumber") or "")
