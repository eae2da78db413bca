"""The push of a batch to open pages: the part of a channel's transcript that the batch changed.

Pure: a transcript and the rows of a batch go in, bytes come out. It must not know how pages are
reached.
"""

from __future__ import annotations

import json
from typing import Any

from contract import AFTER_MESSAGES
from stream_batch import BatchRows
from transcripts import compact

# What IoT Core bills as one message: payload and topic together.
# Source: AWS IoT Core pricing, "AWS IoT Core additional metering details".
MAX_BYTES = 5 * 1024


def payload(content: bytes, rows: BatchRows, topic: str) -> bytes:
    """Return the push for the rows of a batch and the transcript written after it; b"" for none.

    It is {"channel", "generated_at"} with "messages" and "after", "edited" and "changes" where they
    are not empty. If that is too long beside its topic, or cannot show all that the batch changed,
    it is the notice {"channel", "changed"}: pages then read the transcript.
    """
    transcript = json.loads(content)
    changed = _changed(transcript, rows)
    if changed is None:
        return _notice(transcript)
    if not changed:
        return b""
    about = {key: transcript[key] for key in ("channel", "generated_at")}
    full = compact({**about, **changed})
    return full if len(full) + len(topic) <= MAX_BYTES else _notice(transcript)


def _notice(transcript: dict[str, Any]) -> bytes:
    return compact({"channel": transcript["channel"], "changed": transcript["generated_at"]})


def _changed(transcript: dict[str, Any], rows: BatchRows) -> dict[str, Any] | None:
    """Return the batch's part of a transcript; None if only the whole transcript shows it all.

    Rows older than a transcript that is not complete are in no part of it, so they need no push;
    edits of them are among its changes. A row and the announcement of its change may come in two
    batches, with new messages between: each of them pushes the change.
    """
    messages, listed = transcript["messages"], transcript["changes"]
    places = {message["id"]: place for place, message in enumerate(messages)}
    # "": no row is older than the transcript
    oldest = messages[0]["id"] if messages and not transcript["complete"] else ""
    announced = {change["id"] for change in listed}
    new_places = [places[row_id] for row_id in rows.inserted if row_id in places]
    first = min(new_places, default=len(messages))
    if (
        not rows.complete
        or len(new_places) < len(rows.inserted)
        or (first == 0 and oldest)
        or not all(row_id in places or row_id < oldest for row_id in rows.modified)
        or not all(row_id < oldest or _is_change(row_id) for row_id in rows.removed)
        or not all(row_id in announced or target in places for row_id, target in rows.changes)
    ):
        return None
    changes = dict(rows.changes)
    edited = rows.modified.union(changes.values())
    parts = {
        "messages": messages[first:],
        "edited": [message for message in messages[:first] if message["id"] in edited],
        "changes": [change for change in listed if change["id"] in changes],
    }
    after = {"after": messages[first - 1]["id"] if first else ""} if new_places else {}
    return after | {name: part for name, part in parts.items() if part}


def _is_change(row_id: str) -> bool:
    return row_id.startswith(AFTER_MESSAGES)
