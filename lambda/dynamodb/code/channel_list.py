"""The list of channels, data/channels.json, kept without ever scanning the table.

Owns that object: read, add what is new, write on condition that nobody wrote in between.
It must not know what a transcript is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from contract import CHANNEL
from folder import Folder
from transcripts import compact, iso_at

ATTEMPTS = 5
NAME = "channels"


class ChannelListBusy(Exception):
    """The list kept changing under us, or exists and may not be read."""


class ChannelList:
    """Adds channels to the list; asks S3 only when this container has not seen one in it."""

    def __init__(self, folder: Folder, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._seen: frozenset[str] = frozenset()

    def unseen(self, channels: Iterable[str]) -> frozenset[str]:
        """Return those of the channels that this container has not seen in the list."""
        return frozenset(channels) - self._seen

    def add(self, channels: Iterable[str]) -> None:
        """Make sure that the list holds these channels; it only ever grows.

        Raises: ChannelListBusy; botocore's exceptions for faults of AWS.
        """
        wanted = self.unseen(channels)
        for _ in range(ATTEMPTS if wanted else 0):
            content, etag = self._folder.read(NAME)
            listed = read_names(content)
            if wanted <= listed or self._write(listed | wanted, etag):
                self._seen |= listed | wanted
                return
        if wanted:
            raise ChannelListBusy("the list of channels could not be brought up to date")

    def _write(self, channels: frozenset[str], etag: str) -> bool:
        content = {
            "channels": sorted(channels),
            "generated_at": iso_at(round(self._clock() * 1000)),
        }
        return bool(self._folder.write(NAME, compact(content), etag))


def read_names(content: bytes) -> frozenset[str]:
    """Return the valid channel names of a list; a list that is broken or missing holds none."""
    try:
        names = json.loads(content)["channels"]
        return frozenset(name for name in names if CHANNEL.fullmatch(name))
    except (ValueError, TypeError, KeyError, RecursionError):
        return frozenset()
