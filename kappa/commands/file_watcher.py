"""Notice that a config's files have changed. For commands that go on: serve and watch."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kappa.config.inputs import Inputs, read_again
from kappa.plan.step import Clock


class Pace(msgspec.Struct, frozen=True):
    """How often files are looked at, and when a save is complete.

    The pause after a look is `pause_s`, or with many files `rests` times as long as the look took,
    so that looking takes a small share of a processor. Editors write a file in several steps, and
    git many files: what has been still for `quiet_s` is complete. A file that never is, such as a
    log, is waited for `max_wait_s` at most.
    """

    pause_s: float
    rests: int
    quiet_s: float
    max_wait_s: float


class FileWatcher:
    """Looks at files at a pace."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace, self._clock = pace, clock
        self._pause_s = self._next_look_s = 0.0

    def is_due(self) -> bool:
        """Whether the pause after the last look is over."""
        return self._clock.now() >= self._next_look_s

    def look(self, all_inputs: Sequence[Inputs]) -> list[Inputs]:
        """Return all as they are now."""
        started_s = self._clock.now()
        now = [read_again(inputs) for inputs in all_inputs]
        ended_s = self._clock.now()
        self._pause_s = max(self._pace.pause_s, self._pace.rests * (ended_s - started_s))
        self._next_look_s = ended_s + self._pause_s
        return now

    def await_change(self, all_inputs: Sequence[Inputs]) -> list[Inputs]:
        """Wait until a file differs, and then until all are still; return all as they are now."""
        while (now := self.look(all_inputs)) == list(all_inputs):
            self._clock.sleep(self._pause_s)
        return self.await_quiet(now)

    def await_quiet(self, now: list[Inputs]) -> list[Inputs]:
        """Wait until all files are still; return all as they are then."""
        deadline_s = self._clock.now() + self._pace.max_wait_s
        while self._clock.now() < deadline_s:
            self._clock.sleep(self._pace.quiet_s)
            again = [read_again(inputs) for inputs in now]
            if again == now:
                break
            now = again
        return now
