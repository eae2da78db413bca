"""The transcript of a channel, data/<channel>.json, updated from the table.

Owns the order ETag -> Query -> PUT, so that an older transcript never replaces a newer one. It must
not decide what a transcript shows.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from contract import AFTER_MESSAGES
from s3_folder import Folder
from transcripts import (
    MAX_CHANGES,
    Changes,
    Page,
    Row,
    changes_since,
    next_page,
    read_changes,
    transcript,
    window,
)

ATTEMPTS = 5
MAX_KEPT = 1_000


class TranscriptBusy(Exception):
    """Others kept changing the transcript, or it exists and may not be read."""


class TranscriptFiles:
    """Writes transcripts; remembers each channel's ETag and the changes that it wrote last.

    Different channels may be published at the same time.
    """

    def __init__(
        self,
        dynamodb: Any,  # noqa: ANN401 - botocore makes its clients at run time
        table: str,
        folder: Folder,
        history: int,
        clock: Callable[[], float],
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._folder = folder
        self._history = history
        self._clock = clock
        # the least recently written first
        self._written: dict[str, tuple[str, Changes]] = {}
        self._remembering = Lock()

    def publish(self, channel: str, only_new: bool = False) -> bytes:
        """Read a channel's newest messages and changes, and write its transcript; return it.

        The ETag is taken before the Queries, so they see at least what the writer of that file saw,
        and only that file is replaced. `only_new`: the batch has only new messages, so the changes
        that we wrote last are still complete; a batch with another change reads them again.
        Raises: TranscriptBusy; botocore's exceptions for errors of AWS.
        """
        for _ in range(ATTEMPTS):
            now_s = self._clock()
            etag, changes = self._forget(channel) or (self._folder.etag(channel), None)
            if changes is None or not only_new:
                changes = self._changes(channel, now_s)
            content = self._transcript(channel, changes, now_s)
            if written := self._folder.write(channel, content, etag):
                self._remember(channel, written, changes)
                return content
        raise TranscriptBusy("a transcript could not be updated")

    def _forget(self, channel: str) -> tuple[str, Changes] | None:
        with self._remembering:
            return self._written.pop(channel, None)

    def _remember(self, channel: str, etag: str, changes: Changes) -> None:
        with self._remembering:
            if len(self._written) >= MAX_KEPT:
                del self._written[next(iter(self._written))]
            self._written[channel] = etag, changes

    def _transcript(self, channel: str, changes: Changes, now_s: float) -> bytes:
        rows, all_read = self._rows(channel, now_s)
        return transcript(channel, window(rows, self._history, now_s), changes, all_read, now_s)

    def _rows(self, channel: str, now_s: float) -> tuple[list[Row], bool]:
        """Return the newest rows, newest first, and whether the channel has no others.

        One Query, and more only if next_page asks for them. The reads are consistent, so they
        include the row that woke the function.
        """
        rows: list[Row] = []
        page: Page | None = Page(self._history, "")
        start: dict[str, Any] = {}
        while page:
            answer = self._dynamodb.query(**query(self._table, channel, page, start))
            rows += answer["Items"]
            start = answer.get("LastEvaluatedKey", {})
            all_read = not start and not page.since
            page = next_page(rows, self._history, now_s) if start else None
        return rows, all_read

    def _changes(self, channel: str, now_s: float) -> Changes:
        """Return the newest changes: one Query."""
        since = changes_since(now_s)
        page = Page(MAX_CHANGES, f"{AFTER_MESSAGES}{since}")
        answer = self._dynamodb.query(**query(self._table, channel, page, {}, AFTER_MESSAGES * 2))
        return read_changes(answer["Items"], "LastEvaluatedKey" not in answer, since, now_s)


def query(
    table: str, channel: str, page: Page, start: dict[str, Any], end: str = AFTER_MESSAGES
) -> dict[str, Any]:
    """Return the arguments of a Query for a page of rows before the id `end`, from `start` on."""
    since = {":since": {"S": page.since}} if page.since else {}
    ids = "id BETWEEN :since AND :end" if since else "id < :end"
    return {
        "TableName": table,
        "KeyConditionExpression": f"channel = :channel AND {ids}",
        "ExpressionAttributeValues": {
            ":channel": {"S": channel},
            ":end": {"S": end},
            **since,
        },
        "ScanIndexForward": False,
        "ConsistentRead": True,
        "Limit": page.limit,
        **({"ExclusiveStartKey": start} if start else {}),
    }
