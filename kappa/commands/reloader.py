"""A value made of a config's files, and made again when they change. For serve."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from kappa.commands.file_watcher import FileWatcher, Pace
from kappa.config.inputs import Inputs, collecting, joined, read_again
from kappa.errors import KappaError
from kappa.plan.step import Clock

T = TypeVar("T")
# A request waits for the value, so each one looks at the files, unless they are many.
_PACE = Pace(pause_s=0.0, rests=5, quiet_s=0.05, max_wait_s=1.0)
# Not every error is in the files: credentials expire, and a package index may not answer.
_RETRY_S = 3.0


class Reloader(Generic[T]):
    """Makes a value with `load`, which gets the previous one, and makes it again after a change.

    After an error it also tries again every few seconds. `failed` gets each error that differs from
    the one before. Safe for threads.
    """

    def __init__(
        self,
        load: Callable[[T | None], T],
        failed: Callable[[KappaError], None],
        clock: Clock,
    ) -> None:
        self._load, self._failed, self._clock = load, failed, clock
        self._watcher = FileWatcher(_PACE, clock)
        self._lock = threading.Lock()
        self._inputs = Inputs()
        self._value: T | None = None
        self._error: KappaError | None = None
        self._retry_s = 0.0

    def start(self) -> T:
        """Make the first value.

        Raises: KappaError.
        """
        value = self.current()
        if isinstance(value, KappaError):
            raise value
        return value

    def current(self) -> T | KappaError:
        """The value of the files as they are now, or why there is none."""
        with self._lock:
            if self._must_load():
                self._load_again()
            if self._error is not None:
                return self._error
            assert self._value is not None
            return self._value

    def last(self) -> T | None:
        """The last value that could be made."""
        return self._value

    def _must_load(self) -> bool:
        if self._value is None and self._error is None:
            return True
        if not self._watcher.is_due():
            return False
        now = self._watcher.look([self._inputs])
        if now == [self._inputs]:
            return self._error is not None and self._clock.now() >= self._retry_s
        (self._inputs,) = self._watcher.await_quiet(now)
        return True

    def _load_again(self) -> None:
        inputs = Inputs()
        first = self._value is None and self._error is None
        try:
            with collecting(inputs):
                self._value = self._load(self._value)
            self._error = None
        except KappaError as error:
            # A correction may be in a file that was not read this time, so these count too: as
            # they are now, since a build that failed has changed what it makes.
            inputs = joined(read_again(self._inputs), inputs)
            before, self._error = self._error, error
            self._retry_s = self._clock.now() + _RETRY_S
            if not first and str(error) != str(before):
                self._failed(error)
        self._inputs = inputs
