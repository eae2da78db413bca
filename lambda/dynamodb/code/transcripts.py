"""Which of a channel's newest rows make its transcript, and how the transcript is written.

Pure: rows in DynamoDB's notation go in, a decision or bytes come out. It must not call AWS.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

MAX_ROWS = 200  # as many as one transcript may hold, and as many rows as one may cost
LIVELY_MS = 5_000

Row = Mapping[str, Mapping[str, str]]


class Page(NamedTuple):
    """What to read next: `limit` more rows, none whose id is before `since`."""

    limit: int
    since: str


class Entry(NamedTuple):
    """A row that can be shown. `copy_of` is equal for all copies of one sending."""

    sent_ms: int
    copy_of: tuple[str, str]
    shown: dict[str, str]


def next_page(rows: Sequence[Row], history: int, now_s: float) -> Page | None:
    """Decide what to read after these rows, newest first; None when they are enough.

    They are enough when `history` can be shown and everything of the last 5 s is read, or when
    they are 200. So a quiet channel costs one read, whatever its length.
    """
    left = MAX_ROWS - len(rows)
    if left <= 0:
        return None
    shown = window(rows, history, now_s)
    if len(shown) < history:
        return Page(min(history, left), "")
    since = iso_ms(shown[0].sent_ms - LIVELY_MS + 1)
    return Page(left, since) if rows[-1]["id"]["S"] >= since else None


def window(rows: Sequence[Row], history: int, now_s: float) -> list[Entry]:
    """Choose what is shown, newest first: `history` messages and all of the last 5 s, at most 200.

    Of several copies of one sending the first sent is kept. "Now" is the newest message's time:
    a transcript does not depend on when it is built, but for rows that have expired.
    """
    entries = [entry for row in reversed(rows) if (entry := read_entry(row, now_s))]
    firsts: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        firsts.setdefault(entry.copy_of, entry)
    kept = list(firsts.values())[::-1][:MAX_ROWS]
    return [
        entry
        for place, entry in enumerate(kept)
        if place < history or kept[0].sent_ms - entry.sent_ms < LIVELY_MS
    ]


def read_entry(row: Row, now_s: float) -> Entry | None:
    """Return what a row shows; None when it has expired or was not written by store_message."""
    try:
        if "expires_at" in row and int(row["expires_at"]["N"]) <= now_s:
            return None
        keys = ("id", "name", "message", "user", "sent_at", "kind")
        shown = {key: row[key]["S"] for key in keys}
        sent_at = datetime.fromisoformat(shown["id"].partition("#")[0])
        sent_ms = round(sent_at.timestamp() * 1000)
    except (KeyError, ValueError, OverflowError):
        return None
    shown |= {key: row[key]["S"] for key in ("picture", "client_id") if "S" in row.get(key, {})}
    return Entry(sent_ms, (shown["user"], shown["id"].partition("#")[2]), shown)


def transcript(channel: str, entries: Sequence[Entry], now_s: float) -> bytes:
    """Write a transcript as compact JSON, oldest message first, from entries newest first."""
    content = {
        "channel": channel,
        "generated_at": iso_ms(round(now_s * 1000)),
        "messages": [entry.shown for entry in reversed(entries)],
    }
    return compact(content)


def compact(content: object) -> bytes:
    """Write JSON as UTF-8 without a needless byte."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def iso_ms(epoch_ms: int) -> str:
    """Return a time as items carry it: ISO 8601 UTC with milliseconds and Z."""
    moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
