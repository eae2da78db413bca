"""The counts of data/stats.json: messages in each minute of the last hour, and today (UTC).

Pure: the stored file and new messages go in, the next file comes out. Its size is bounded. It must
not call AWS, and what it writes must not reveal users.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from contract import CHANNEL
from transcripts import compact, iso_at, read_entry

MINUTES = 60
MINUTE_MS = 60_000
MAX_CHANNELS = 50
# One bit a user, 1 KiB. Source: Whang, Vander-Zanden, Taylor, "A Linear-Time Probabilistic Counting
# Algorithm for Database Applications", ACM TODS 15(2), 1990. Standard error: 1 of 100, 1 % at
# 1,000 and 10,000, 4 % at 50,000; it cannot count beyond 73,817.
BITS = 8_192
MAX_COUNT = 2**53 - 1  # the largest that a browser reads exactly
# A stored time further in the future was written by a wrong clock.
MAX_AHEAD_MS = 300_000


class NewMessage(NamedTuple):
    """What counts of a new message. `user` is "" for operators, who are not counted as people."""

    channel: str
    sent_ms: int
    user: str


class Stats(NamedTuple):
    """The stored counts. All but `per_minute` are of the day of `generated_ms`."""

    generated_ms: int
    per_minute: list[int]
    messages: int
    channels: dict[str, int]
    seen: int  # the bitmap


NOTHING = Stats(0, [0] * MINUTES, 0, {}, 0)


def read_new_message(channel: str, image: Mapping[str, Any], now_s: float) -> NewMessage | None:
    """Return what counts of a new row; None if no transcript would show it as a message."""
    entry = read_entry(image, now_s)
    if entry is None or not entry.is_message:
        return None
    user = "" if entry.shown["kind"] == "operator" else entry.shown["user"]
    return NewMessage(channel, entry.sent_ms, user)


def counted(content: bytes, new: Sequence[NewMessage], now_ms: int) -> bytes:
    """Return the next content: the stored `content` (b"" for none) with new messages counted."""
    return write_stats(with_new(at_time(read_stats(content, now_ms), now_ms), new))


def at_time(stats: Stats, now_ms: int) -> Stats:
    """Advance to a time, never back: old minutes leave the hour, a new day starts from zero."""
    now_ms = max(now_ms, stats.generated_ms)
    gone = min(now_ms // MINUTE_MS - stats.generated_ms // MINUTE_MS, MINUTES)
    today = stats if day(now_ms) == day(stats.generated_ms) else NOTHING
    return today._replace(generated_ms=now_ms, per_minute=stats.per_minute[gone:] + [0] * gone)


def with_new(stats: Stats, new: Sequence[NewMessage]) -> Stats:
    """Count messages by their own times; a future time counts as now."""
    now_ms = stats.generated_ms
    per_minute = list(stats.per_minute)
    today = []
    for message in new:
        sent_ms = min(message.sent_ms, now_ms)
        minutes_ago = now_ms // MINUTE_MS - sent_ms // MINUTE_MS
        if minutes_ago < MINUTES:
            per_minute[-1 - minutes_ago] += 1
        if day(sent_ms) == day(now_ms):
            today.append(message)
    seen = stats.seen
    for user in {message.user for message in today} - {""}:
        seen |= 1 << bit_of(user, day(now_ms))
    messages = stats.messages + len(today)
    channels = busiest(stats.channels, Counter(message.channel for message in today))
    return Stats(now_ms, per_minute, messages, channels, seen)


def busiest(channels: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    """Add counts and keep the largest; of equal ones the most recent, so that any channel can rise.

    A channel that drops out starts from zero when it is written to again.
    """
    total = {name: channels.get(name, 0) + count for name, count in new.items()}
    total |= {name: count for name, count in channels.items() if name not in new}
    return dict(sorted(total.items(), key=lambda item: -item[1])[:MAX_CHANNELS])


def bit_of(user: str, date: str) -> int:
    """Return a user's bit of that day. Users share bits, which change daily."""
    digest = hashlib.sha256(f"{date}#{user}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") % BITS


def people(seen: int) -> int:
    """Estimate how many users have set the bits."""
    unset = max(BITS - seen.bit_count(), 1)
    return round(BITS * math.log(BITS / unset))


def write_stats(stats: Stats) -> bytes:
    """Write the content that the page reads; `seen` is for the next write only."""
    content = {
        "generated_at": iso_at(stats.generated_ms),
        "per_minute": stats.per_minute,
        "today": {
            "date": day(stats.generated_ms),
            "messages": stats.messages,
            "channels": stats.channels,
            "people": people(stats.seen),
            "seen": write_seen(stats.seen),
        },
    }
    return compact(content)


def read_stats(content: bytes, now_ms: int) -> Stats:
    """Read stored content; if it is missing or broken, start from zero."""
    try:
        stored = json.loads(content)
        today = stored["today"]
        stats = Stats(
            generated_ms=round(datetime.fromisoformat(stored["generated_at"]).timestamp() * 1000),
            per_minute=[read_count(count) for count in stored["per_minute"]],
            messages=read_count(today["messages"]),
            channels={name: read_count(count) for name, count in today["channels"].items()},
            seen=read_seen(today["seen"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return NOTHING
    sound = (
        0 <= stats.generated_ms <= now_ms + MAX_AHEAD_MS
        and len(stats.per_minute) == MINUTES
        and all(CHANNEL.fullmatch(name) for name in stats.channels)
        and stats.seen.bit_length() <= BITS
        and today["date"] == day(stats.generated_ms)
    )
    return stats if sound else NOTHING


def write_seen(seen: int) -> str:
    """Write the bitmap. Pages load it, and most of its bits are unset, so it is compressed."""
    plain = seen.to_bytes(BITS // 8, "big")
    # the first of two that are equally long: it is read by its length
    return base64.b64encode(min(plain, zlib.compress(plain), key=len)).decode()


def read_seen(text: str) -> int:
    """Read a written bitmap.

    Raises: ValueError or TypeError, if it is none.
    """
    content = base64.b64decode(text, validate=True)
    if len(content) < BITS // 8:
        try:
            content = zlib.decompressobj().decompress(content, BITS // 8 + 1)
        except zlib.error as error:
            raise ValueError("no bitmap") from error
    return int.from_bytes(content, "big")


def read_count(count: object) -> int:
    """Return a valid count.

    Raises: ValueError.
    """
    if type(count) is not int or not 0 <= count <= MAX_COUNT:
        raise ValueError("no count")
    return count


def day(epoch_ms: int) -> str:
    """Return the date in UTC."""
    return iso_at(epoch_ms)[:10]
