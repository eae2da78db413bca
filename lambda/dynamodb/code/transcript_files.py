"""The transcript of a channel, data/<channel>.json, brought up to date from the table.

Owns the order ETag -> Query -> PUT, by which no older transcript ever replaces a newer one.
It must not decide what a transcript shows.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from folder import Folder
from transcripts import Page, Row, next_page, transcript, window

ATTEMPTS = 5
MAX_ETAGS = 1_000


class TranscriptBusy(Exception):
    """The transcript kept changing under us, or exists and may not be read."""


class TranscriptFiles:
    """Writes transcripts; remembers the ETag of what it wrote last, a channel.

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
        self._etags: dict[str, str] = {}  # the least recently written first
        self._remembering = Lock()

    def publish(self, channel: str) -> None:
        """Read a channel's newest messages and write its transcript.

        The ETag is older than the Query: so the Query sees at least what the writer of the object
        with that ETag saw, and only that object is replaced.
        Raises: TranscriptBusy; botocore's exceptions for faults of AWS.
        """
        for _ in range(ATTEMPTS):
            etag = self._forget(channel)
            if etag is None:
                etag = self._folder.etag(channel)
            if written := self._folder.write(channel, self._transcript(channel), etag):
                self._remember(channel, written)
                return
        raise TranscriptBusy("a transcript could not be brought up to date")

    def _forget(self, channel: str) -> str | None:
        with self._remembering:
            return self._etags.pop(channel, None)

    def _remember(self, channel: str, etag: str) -> None:
        with self._remembering:
            if len(self._etags) >= MAX_ETAGS:
                del self._etags[next(iter(self._etags))]
            self._etags[channel] = etag

    def _transcript(self, channel: str) -> bytes:
        now_s = self._clock()
        return transcript(channel, window(self._rows(channel, now_s), self._history, now_s), now_s)

    def _rows(self, channel: str, now_s: float) -> list[Row]:
        """Return the newest rows, newest first: one Query, and more only as next_page says.

        The reads are consistent, so the row that woke the function is among them.
        """
        rows: list[Row] = []
        page: Page | None = Page(self._history, "")
        start: dict[str, Any] = {}
        while page:
            answer = self._dynamodb.query(**query(self._table, channel, page, start))
            rows += answer["Items"]
            start = answer.get("LastEvaluatedKey", {})
            page = next_page(rows, self._history, now_s) if start else None
        return rows


def query(table: str, channel: str, page: Page, start: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of DynamoDB's Query for a page that comes after the key `start`."""
    since = {":since": {"S": page.since}} if page.since else {}
    return {
        "TableName": table,
        "KeyConditionExpression": "channel = :channel" + (" AND id >= :since" if since else ""),
        "ExpressionAttributeValues": {":channel": {"S": channel}, **since},
        "ScanIndexForward": False,
        "ConsistentRead": True,
        "Limit": page.limit,
        **({"ExclusiveStartKey": start} if start else {}),
    }
