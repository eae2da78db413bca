"""data/stats.json, updated with the new messages of a batch.

Owns that file: it is read once in a container and written on condition that nobody else has written
meanwhile. It must not know what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s3_folder import Folder
from stats import NewMessage, counted

ATTEMPTS = 5
MAX_WAITING = 1_000
NAME = "stats"


class StatsBusy(Exception):
    """Others kept changing the file, or it exists and may not be read."""


class StatsFile:
    """Remembers what it wrote last, so that a batch costs one write and no read."""

    def __init__(self, folder: Folder, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._last: tuple[bytes, str] | None = None  # content and ETag
        self._waiting: list[NewMessage] = []

    def add(self, new: Sequence[NewMessage]) -> None:
        """Count messages. After StatsBusy they wait for the next call.

        Raises: StatsBusy; botocore's exceptions for errors of AWS, after which the messages may or
        may not have been counted, and are not counted again.
        """
        if not new:
            return
        new, self._waiting = [*self._waiting, *new], []
        tried = None
        for _ in range(ATTEMPTS):
            content, etag = self._last or self._folder.read(NAME)
            self._last = None
            if content == tried:
                # The SDK retried our own successful write, whose answer was lost.
                self._last = content, etag
                return
            tried = counted(content, new, round(self._clock() * 1000))
            if written := self._folder.write(NAME, tried, etag):
                self._last = tried, written
                return
        self._waiting = new[-MAX_WAITING:]
        raise StatsBusy("the statistics could not be updated")
