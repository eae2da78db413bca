"""data/stats.json, brought up to date with the new messages of a batch.

Owns that object: read it once a container, write it on condition that nobody wrote in between.
It must not know what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s3_folder import Folder
from stats import NewMessage, counted

ATTEMPTS = 5
MAX_WAITING = 1_000
NAME = "stats"


class StatsBusy(Exception):
    """The object kept changing under us, or exists and may not be read."""


class StatsFile:
    """Remembers what it wrote last, so that a batch costs one write and no read."""

    def __init__(self, folder: Folder, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._last: tuple[bytes, str] | None = None  # content and ETag
        self._waiting: list[NewMessage] = []

    def add(self, new: Sequence[NewMessage]) -> None:
        """Count messages. Those that could not be written for want of a turn wait for the next.

        Raises: StatsBusy; botocore's exceptions for faults of AWS: then it is not known whether
        the messages were counted, and they are not counted again.
        """
        if not new:
            return
        new, self._waiting = [*self._waiting, *new], []
        tried = None
        for _ in range(ATTEMPTS):
            content, etag = self._last or self._folder.read(NAME)
            self._last = None
            if content == tried:
                # The SDK sent the write again, as no answer came: we were overtaken by ourselves.
                self._last = content, etag
                return
            tried = counted(content, new, round(self._clock() * 1000))
            if written := self._folder.write(NAME, tried, etag):
                self._last = tried, written
                return
        self._waiting = new[-MAX_WAITING:]
        raise StatsBusy("the stats could not be brought up to date")
