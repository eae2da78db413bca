"""Which rows of a channel its transcript shows, and how the transcript is written.

Pure: rows in DynamoDB's notation go in, a decision or bytes come out. It must not call AWS.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from contract import AFTER_MESSAGES, iso_ms

MAX_HISTORY = 200
MAX_LIVELY = 200  # messages of the last 5 s
LIVELY_MS = 5_000
MAX_ROWS = 500  # that one transcript may read
MAX_BYTES = 256 * 1024
MAX_CHANGES = 100
# Pages poll at least each minute; one that slept longer reads the table.
CHANGES_MS = 24 * 3_600_000

Row = Mapping[str, Mapping[str, str]]


class Form(NamedTuple):
    """The attributes of a kind of row that a transcript shows."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()


# The page reads the same attributes of a row; a test compares the two.
MESSAGE = Form(
    ("id", "name", "message", "user", "sent_at", "kind"),
    ("picture", "client_id", "edited_at", "deleted_at", "changed_by"),
)
# A row that announces a change of the row `target`; it is not a message.
CHANGE = Form(("id", "target", "kind"))
CHANGE_KINDS = ("edit", "delete")


class Page(NamedTuple):
    """What to read next: `limit` more rows, with ids from `since` on."""

    limit: int
    since: str


class Entry(NamedTuple):
    """A row that can be shown: the time in its id, which orders it, and when it was sent, which is
    earlier if it arrived late. All copies of a sending have the same `copy_of`.
    """

    stands_ms: int
    sent_ms: int
    copy_of: tuple[str, str]
    shown: dict[str, str]

    @property
    def is_message(self) -> bool:
        """Tell whether it is a message, not a change of one."""
        return self.shown["kind"] not in CHANGE_KINDS


class Window(NamedTuple):
    """What a transcript shows, newest first, and whether it shows all of the rows.

    `changes` are those that an earlier version stored among the messages.
    """

    messages: list[Entry]
    changes: list[dict[str, str]]
    whole: bool


class Changes(NamedTuple):
    """The newest changes, newest first, complete since the time `since`."""

    listed: tuple[dict[str, str], ...]
    since: str


def next_page(rows: Sequence[Row], history: int, now_s: float) -> Page | None:
    """Decide what to read after these rows, newest first; None if they are enough.

    They are enough if they show `history` messages with a text and include the last 5 s, or if they
    are 500. So a quiet channel costs one read, whatever its length.
    """
    left = MAX_ROWS - len(rows)
    if left <= 0:
        return None
    shown = window(rows, history, now_s).messages
    if len([entry for entry in shown if not is_deleted(entry)]) < history:
        return Page(min(max(history, len(rows)), left), "")  # twice as far each time: few reads
    since = iso_at(shown[0].stands_ms - LIVELY_MS + 1)
    if len(shown) >= MAX_LIVELY or rows[-1]["id"]["S"] < since:
        return None
    return Page(min(max(history, MAX_LIVELY - len(rows)), left), since)


def window(rows: Sequence[Row], history: int, now_s: float) -> Window:
    """Choose what is shown: `history` messages, and those of the last 5 s, at most 200.

    Deleted messages keep their places but do not count, so the newest texts stay however many an
    operator deletes. Of several copies of one sending, the first is kept. The last 5 s end with the
    newest message, so a transcript does not depend on when it is built, except for expired rows.
    """
    entries = [entry for row in reversed(rows) if (entry := read_entry(row, now_s))]
    firsts: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        firsts.setdefault(entry.copy_of, entry)
    newest_first = list(firsts.values())[::-1]
    shown = [entry for entry in newest_first if entry.is_message]
    messages: list[Entry] = []
    texts = 0
    for entry in shown:
        lively = shown[0].stands_ms - entry.stands_ms < LIVELY_MS and len(messages) < MAX_LIVELY
        if texts >= history and not lively:
            break
        messages.append(entry)
        texts += not is_deleted(entry)
    changes = [entry.shown for entry in newest_first if not entry.is_message]
    return Window(messages, changes, len(messages) == len(shown))


def is_deleted(entry: Entry) -> bool:
    """Tell whether a message was deleted, so that only its place is left."""
    return "deleted_at" in entry.shown


def read_entry(row: Row, now_s: float) -> Entry | None:
    """Return what a row shows; None if it has expired or was not written by store_message."""
    try:
        if has_expired(row, now_s):
            return None
        if "S" in row.get("deleted_at", {}):
            row = {**row, "message": {"S": ""}}
        form = CHANGE if row["kind"]["S"] in CHANGE_KINDS else MESSAGE
        shown = {key: row[key]["S"] for key in form.needed}
        shown |= {key: row[key]["S"] for key in form.optional if "S" in row.get(key, {})}
        stands_at, _, client_id = shown["id"].partition("#")
        copy_of = (row["user"]["S"], client_id)
        return Entry(epoch_ms(stands_at), epoch_ms(row["sent_at"]["S"]), copy_of, shown)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
        return None


def has_expired(row: Row, now_s: float) -> bool:
    """Tell whether a row has expired; DynamoDB deletes it within days.

    Raises: KeyError, ValueError, TypeError, for an invalid time.
    """
    return "expires_at" in row and int(row["expires_at"]["N"]) <= now_s


def changes_since(now_s: float) -> str:
    """Return the time from which a transcript lists changes."""
    return iso_at(round(now_s * 1000) - CHANGES_MS)


def read_changes(rows: Sequence[Row], all_read: bool, since: str, now_s: float) -> Changes:
    """Read rows of changes; `all_read`: they are all that there are since `since`."""
    listed = []
    for row in rows:
        try:
            if not has_expired(row, now_s):
                listed.append({key: row[key]["S"] for key in CHANGE.needed})
        except (KeyError, ValueError, TypeError):
            continue  # not written by store_message
    if not all_read:
        since = rows[-1]["id"]["S"].removeprefix(AFTER_MESSAGES)
    return Changes(tuple(listed), since)


def transcript(
    channel: str, shown: Window, changes: Changes, all_read: bool, now_s: float
) -> bytes:
    """Write a transcript as compact JSON, oldest message first, 256 KB at most.

    The oldest messages are left out if they do not fit. `changes` are of older messages only, since
    the messages in the transcript show their own state. `complete`: nothing comes before the first.
    """
    listed = [*changes.listed, *shown.changes][:MAX_CHANGES]
    about = {
        "channel": channel,
        "generated_at": iso_at(round(now_s * 1000)),
        "changes_since": changes.since,
    }
    left = MAX_BYTES - len(compact({**about, "changes": listed, "complete": False, "messages": []}))
    parts: list[bytes] = []
    for entry in shown.messages:
        part = compact(entry.shown)
        left -= len(part) + 1
        if left < 0:
            break
        parts.append(part)
    oldest = shown.messages[len(parts) - 1].shown["id"] if parts else ""
    older = [change for change in reversed(listed) if not oldest or change["target"] < oldest]
    complete = all_read and shown.whole and len(parts) == len(shown.messages)
    head = compact({**about, "changes": older, "complete": complete})
    return head[:-1] + b',"messages":[' + b",".join(reversed(parts)) + b"]}"


def compact(content: object) -> bytes:
    """Write JSON as compact UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def epoch_ms(iso: str) -> int:
    """Return an ISO 8601 time in ms since the epoch.

    Raises: ValueError.
    """
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def iso_at(epoch_ms: int) -> str:
    """Return a time as rows store it."""
    return iso_ms(datetime.fromtimestamp(epoch_ms / 1000, UTC))
