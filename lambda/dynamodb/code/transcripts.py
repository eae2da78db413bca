"""Which of a channel's newest rows make its transcript, and how the transcript is written.

Pure: rows in DynamoDB's notation go in, a decision or bytes come out. It must not call AWS.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from contract import iso_ms

MAX_ROWS = 200  # as many as one transcript may hold, and as many rows as one may cost
LIVELY_MS = 5_000

Row = Mapping[str, Mapping[str, str]]


class Form(NamedTuple):
    """The attributes of a kind of row that a transcript shows."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()


MESSAGE = Form(
    ("id", "name", "message", "user", "sent_at", "kind"),
    ("picture", "client_id", "edited_at", "deleted_at"),
)
# Rows that tell what became of another row, `target`; they are no messages.
CHANGES = {
    "edit": Form(("id", "target", "kind", "message", "sent_at")),
    "delete": Form(("id", "target", "kind", "sent_at")),
}


class Page(NamedTuple):
    """What to read next: `limit` more rows, none whose id is before `since`."""

    limit: int
    since: str


class Entry(NamedTuple):
    """A row that can be shown: the time at which it stands in its channel, as its id says, and when
    it was sent, which is earlier if it came late. All copies of a sending have one `copy_of`.
    """

    stands_ms: int
    sent_ms: int
    copy_of: tuple[str, str]
    shown: dict[str, str]

    @property
    def is_message(self) -> bool:
        """Tell whether it is a message, not a change of one."""
        return self.shown["kind"] not in CHANGES


class Window(NamedTuple):
    """What a transcript shows, newest first."""

    messages: list[Entry]
    changes: list[Entry]


def next_page(rows: Sequence[Row], history: int, now_s: float) -> Page | None:
    """Decide what to read after these rows, newest first; None when they are enough.

    They are enough when `history` can be shown and everything of the last 5 s is read, or when
    they are 200. So a quiet channel costs one read, whatever its length.
    """
    left = MAX_ROWS - len(rows)
    if left <= 0:
        return None
    shown = window(rows, history, now_s).messages
    if len(shown) < history:
        return Page(min(max(history, len(rows)), left), "")  # twice as far each time: few reads
    since = iso_at(shown[0].stands_ms - LIVELY_MS + 1)
    return Page(left, since) if rows[-1]["id"]["S"] >= since else None


def window(rows: Sequence[Row], history: int, now_s: float) -> Window:
    """Choose what is shown: `history` messages and all of the last 5 s, at most 200.

    Of several copies of one sending the first sent is kept. "Now" is the newest message's time:
    a transcript does not depend on when it is built, but for rows that have expired.
    Changes are those that came after the oldest message shown: a page that knows any of the
    messages has seen the earlier ones.
    """
    entries = [entry for row in reversed(rows) if (entry := read_entry(row, now_s))]
    firsts: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        firsts.setdefault(entry.copy_of, entry)
    newest_first = list(firsts.values())[::-1]
    kept = [entry for entry in newest_first if entry.is_message][:MAX_ROWS]
    messages = [
        entry
        for place, entry in enumerate(kept)
        if place < history or kept[0].stands_ms - entry.stands_ms < LIVELY_MS
    ]
    oldest = messages[-1].shown["id"] if messages else ""
    changes = [one for one in newest_first if not one.is_message and one.shown["id"] > oldest]
    return Window(messages, changes)


def read_entry(row: Row, now_s: float) -> Entry | None:
    """Return what a row shows; None when it has expired or was not written by store_message."""
    try:
        if "expires_at" in row and int(row["expires_at"]["N"]) <= now_s:
            return None
        if "S" in row.get("deleted_at", {}):
            row = {**row, "message": {"S": ""}}
        form = CHANGES.get(row["kind"]["S"], MESSAGE)
        shown = {key: row[key]["S"] for key in form.needed}
        shown |= {key: row[key]["S"] for key in form.optional if "S" in row.get(key, {})}
        stands_at, _, client_id = shown["id"].partition("#")
        copy_of = (row["user"]["S"], client_id)
        return Entry(epoch_ms(stands_at), epoch_ms(shown["sent_at"]), copy_of, shown)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
        return None


def transcript(channel: str, shown: Window, now_s: float) -> bytes:
    """Write a transcript as compact JSON, the oldest first."""
    content = {
        "channel": channel,
        "generated_at": iso_at(round(now_s * 1000)),
        "messages": [entry.shown for entry in reversed(shown.messages)],
        "changes": [entry.shown for entry in reversed(shown.changes)],
    }
    return compact(content)


def compact(content: object) -> bytes:
    """Write JSON as UTF-8 without a needless byte."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def epoch_ms(iso: str) -> int:
    """Return an ISO 8601 time in ms since the epoch.

    Raises: ValueError.
    """
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def iso_at(epoch_ms: int) -> str:
    """Return a time as rows carry it."""
    return iso_ms(datetime.fromtimestamp(epoch_ms / 1000, UTC))
