"""The list of channels, data/channels.json, maintained without scanning the table.

Owns that file: it reads the list, adds new names, and writes on condition that nobody else has
written meanwhile. It must not know what a transcript is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from contract import CHANNEL
from s3_folder import Folder
from transcripts import compact, iso_at

ATTEMPTS = 5
MAX_NAMES = 1_000
SEEN_FOR_S = 600
NAME = "channels"


class ChannelListBusy(Exception):
    """Others kept changing the list, or it exists and may not be read."""


class ChannelList:
    """Adds channels to the list; asks S3 only for channels that this container has not seen there.

    The first 1,000 are listed, as many as a page shows, so a flood of channels displaces no other.
    Channels without a place open by their address.
    """

    def __init__(self, folder: Folder, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._seen: frozenset[str] = frozenset()
        self._seen_s = 0.0

    def unseen(self, channels: Iterable[str]) -> frozenset[str]:
        """Return those of the channels that were not in the list when it was last read."""
        return frozenset(channels) - self._seen

    def add(self, channels: Iterable[str]) -> None:
        """Add channels to the list, as far as it has room.

        After ten minutes the list is read again, since an operator may have deleted it.
        Raises: ChannelListBusy; botocore's exceptions for errors of AWS.
        """
        names = tuple(channels)
        stale = self._clock() - self._seen_s > SEEN_FOR_S
        if not names or not (stale or self.unseen(names)):
            return
        for _ in range(ATTEMPTS):
            content, etag = self._folder.read(NAME)
            listed = read_names(content)
            missing = [name for name in dict.fromkeys(names) if name not in listed]
            fitting = frozenset(missing[: max(0, MAX_NAMES - len(listed))])
            if not fitting or self._write(listed | fitting, etag):
                self._seen, self._seen_s = listed | fitting, self._clock()
                return
        raise ChannelListBusy("the list of channels could not be updated")

    def _write(self, channels: frozenset[str], etag: str) -> bool:
        content = {
            "channels": sorted(channels),
            "generated_at": iso_at(round(self._clock() * 1000)),
        }
        return bool(self._folder.write(NAME, compact(content), etag))


def read_names(content: bytes) -> frozenset[str]:
    """Return the valid channel names of a list; none if it is broken or missing."""
    try:
        names = json.loads(content)["channels"]
        return frozenset(name for name in names if CHANNEL.fullmatch(name))
    except (ValueError, TypeError, KeyError, RecursionError):
        return frozenset()
