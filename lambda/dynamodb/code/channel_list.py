"""The list of channels, data/channels.json, kept without ever scanning the table.

Owns that object: read, add what is new, write on condition that nobody wrote in between.
It must not know what a transcript is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from transcripts import compact, iso_ms

ATTEMPTS = 5
CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# Without s3:ListBucket, S3 answers 403 for a key that does not exist.
# Source: Amazon S3 API reference, GetObject, "Permissions".
MISSING = frozenset({"NoSuchKey", "AccessDenied"})
# Somebody else wrote first. Source: Amazon S3 user guide, "Conditional writes".
OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})


class ChannelListBusy(Exception):
    """The list kept changing under us, or exists and may not be read."""


class ChannelList:
    """Adds channels to the list; asks S3 only when this container has not seen one in it."""

    def __init__(self, s3: Any, bucket: str, key: str, clock: Callable[[], float]) -> None:  # noqa: ANN401
        self._s3 = s3
        self._bucket = bucket
        self._key = key
        self._clock = clock
        self._seen: frozenset[str] = frozenset()

    def unseen(self, channels: Iterable[str]) -> frozenset[str]:
        """Return those of the channels that this container has not seen in the list."""
        return frozenset(channels) - self._seen

    def add(self, channels: Iterable[str]) -> None:
        """Make sure that the list holds these channels; it only ever grows.

        A list that may not be read looks like one that is not there, but creating it then fails,
        so a denial can never empty it.
        Raises: ChannelListBusy; botocore's exceptions for faults of AWS.
        """
        wanted = self.unseen(channels)
        for _ in range(ATTEMPTS if wanted else 0):
            listed, etag = self._read()
            if wanted <= listed or self._write(listed | wanted, etag):
                self._seen |= listed | wanted
                return
        if wanted:
            raise ChannelListBusy(f"{self._key} could not be brought up to date")

    def _read(self) -> tuple[frozenset[str], str]:
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=self._key)
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return frozenset(), ""
            raise
        return read_names(found["Body"].read()), found["ETag"]

    def _write(self, channels: frozenset[str], etag: str) -> bool:
        content = {
            "channels": sorted(channels),
            "generated_at": iso_ms(round(self._clock() * 1000)),
        }
        try:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=self._key,
                Body=compact(content),
                ContentType="application/json",
                CacheControl="no-cache",
                **({"IfMatch": etag} if etag else {"IfNoneMatch": "*"}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in OVERTAKEN:
                return False
            raise
        return True


def read_names(content: bytes) -> frozenset[str]:
    """Return the valid channel names of a list; a list that is broken holds none."""
    try:
        names = json.loads(content)["channels"]
        return frozenset(name for name in names if CHANNEL.fullmatch(name))
    except (ValueError, TypeError, KeyError, RecursionError):
        return frozenset()
