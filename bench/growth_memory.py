"""A table and a bucket in memory, as far as publish_transcript calls them; they count the calls.

The rows of a channel are made when they are read, so that a million cost nothing.
"""

from __future__ import annotations

import bisect
import hashlib
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tests.support.builders import NOW_S, row

NOW = datetime.fromtimestamp(NOW_S, UTC)


class Rows:
    """The rows of a channel, oldest first, made when they are read: a million cost nothing."""

    def __init__(self, count: int, apart_ms: int) -> None:
        self.count = count
        self.apart = timedelta(milliseconds=apart_ms)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> str:
        """The id at a place. The last stays at the same time, whatever the count."""
        if place >= self.count:
            raise IndexError
        at = NOW - (self.count - 1 - place) * self.apart
        return f"{at.isoformat(timespec='milliseconds')[:23]}Z#{place:07}"


class Counted:
    """The table and the bucket, as far as the function calls them, and how often it did."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.calls: Counter[str] = Counter()
        self.rows_read = 0
        self._etags: dict[str, str] = {}
        self._bodies: dict[str, bytes] = {}

    def query(self, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        """Find the page by bisection, as an index does."""
        self.calls["Query"] += 1
        values = given["ExpressionAttributeValues"]
        before = given.get("ExclusiveStartKey", {"id": {"S": "\uffff"}})["id"]["S"]
        end = bisect.bisect_left(self.rows, before)
        start = bisect.bisect_left(self.rows, values.get(":since", {"S": ""})["S"])
        first = max(start, end - given["Limit"])
        channel = values[":channel"]["S"]
        found = [row_of(channel, self.rows[place]) for place in range(end - 1, first - 1, -1)]
        self.rows_read += len(found)
        more = {"channel": found[-1]["channel"], "id": found[-1]["id"]} if first > start else None
        return {"Items": found} | ({"LastEvaluatedKey": more} if more else {})

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """The object's ETag."""
        self.calls["HEAD"] += 1
        if Key not in self._etags:
            raise fault("404")
        return {"ETag": self._etags[Key]}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """The object."""
        self.calls["GET"] += 1
        if Key not in self._etags:
            raise fault("NoSuchKey")
        return {"Body": io.BytesIO(self._bodies[Key]), "ETag": self._etags[Key]}

    def put_object(self, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        """Write on the condition that is asked for."""
        self.calls["PUT"] += 1
        key, known = given["Key"], self._etags.get(given["Key"])
        if given.get("IfMatch", known) != known or ("IfNoneMatch" in given and known):
            raise fault("PreconditionFailed")
        self._bodies[key] = given["Body"]
        self._etags[key] = f'"{hashlib.md5(given["Body"], usedforsecurity=False).hexdigest()}"'
        return {"ETag": self._etags[key]}

    def taken(self) -> tuple[Counter[str], int]:
        """The calls and the rows read since this was asked last."""
        found = self.calls, self.rows_read
        self.calls, self.rows_read = Counter(), 0
        return found


def fault(code: str) -> ClientError:
    """An error as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Any")


def row_of(channel: str, row_id: str) -> dict[str, dict[str, str]]:
    """The row of an id."""
    sent_at, _, client_id = row_id.partition("#")
    text = f"The {client_id}th message, as long as messages are: eighty letters, more or less."
    return row(sent_at, client_id, channel, message=text)


def insert(channel: str, row_id: str) -> dict[str, Any]:
    """What the stream tells of a new row."""
    image = row_of(channel, row_id)
    keys = {"channel": image["channel"], "id": image["id"]}
    change = {"Keys": keys, "SequenceNumber": "1", "NewImage": image}
    return {"eventName": "INSERT", "dynamodb": change}
