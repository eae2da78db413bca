"""Processes of a function that requests share: each runs one request at a time, as on Lambda."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Worker(Protocol):
    """A process, which is started when it is first needed."""

    def close(self) -> None:
        """End it."""


W = TypeVar("W", bound=Worker)


class Retired(Exception):
    """Newer workers have taken their place, or there will be no more."""


class Workers(Generic[W]):
    """At most `count` processes. A request waits for one that is idle; the first come first.

    The first one is made here, so that what cannot run fails at once.
    """

    def __init__(self, make: Callable[[], W], count: int) -> None:
        self._make, self._count = make, count
        self._changed = threading.Condition()
        self._idle: list[W] = [make()]
        self._busy: list[W] = []
        self._making = 0
        self._is_retired = False

    @contextmanager
    def worker(self) -> Iterator[W]:
        """Have a process to oneself, the one that ran last.

        Raises: Retired.
        """
        worker = self._take()
        try:
            yield worker
        finally:
            self._give_back(worker)

    def retire(self) -> None:
        """End the processes: those that run a request when it is done."""
        with self._changed:
            self._is_retired = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for worker in idle:
            worker.close()

    def close(self) -> None:
        """End the processes at once."""
        self.retire()
        with self._changed:
            busy = list(self._busy)
        for worker in busy:
            worker.close()

    def _take(self) -> W:
        with self._changed:
            while not self._is_retired and not self._idle and self._is_full():
                self._changed.wait()
            if self._is_retired:
                raise Retired
            if self._idle:
                worker = self._idle.pop()
                self._busy.append(worker)
                return worker
            self._making += 1
        made = None
        try:
            made = self._make()
        finally:
            with self._changed:
                self._making -= 1
                if made is not None:
                    self._busy.append(made)
                self._changed.notify()
        if self._is_retired:
            self._give_back(made)
            raise Retired
        return made

    def _is_full(self) -> bool:
        return len(self._busy) + self._making >= self._count

    def _give_back(self, worker: W) -> None:
        with self._changed:
            self._busy.remove(worker)
            is_retired = self._is_retired
            if not is_retired:
                self._idle.append(worker)
            self._changed.notify()
        if is_retired:
            worker.close()
