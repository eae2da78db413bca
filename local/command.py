"""Run the command of `python -m local run`, and end every process that it started.

It must not know about the chat: it gets an environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from kappa.errors import KappaError
from local.emulator import STOP_DEADLINE_S

# SIGINT too: a shell starts background commands with SIGINT ignored
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_command(command: list[str], env: dict[str, str]) -> int:
    """Run a command in an environment; return its exit code (128 + n for signal n).

    Raises: KappaError, if the command cannot be started.
    """
    # Without a terminal, the command gets its own process group, so we can end all its children.
    # With one, it stays in ours: there it can read keys, and Ctrl-C reaches all of it.
    group = None if sys.stdin.isatty() else 0
    with _deferred_interrupts() as release:
        try:
            process = subprocess.Popen(command, env=env, process_group=group)
        except OSError as error:
            raise KappaError(f"`{command[0]}` cannot be run: {error.strerror}") from error
        try:
            release()
            code = process.wait()
        except BaseException:
            _end(process, own_group=group is not None)
            raise
        finally:
            process.kill()
            if group is not None:
                _signal_group(process, signal.SIGKILL)
    sys.stdout.flush()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _deferred_interrupts() -> Iterator[Callable[[], None]]:
    """Defer interrupts until the block calls the function it is given, which passes them on.

    An interrupt during a process's start would leave that process running.
    """
    arrived: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    former = {number: signal.signal(number, note) for number in ENDINGS}

    def restore() -> None:
        for number, handler in former.items():
            # a former handler that has run since may have set another, to protect the clean-up
            if signal.getsignal(number) is note:
                signal.signal(number, handler)

    def release() -> None:
        restore()
        if arrived:
            signal.raise_signal(arrived[0])

    try:
        yield release
    finally:
        restore()


def _end(process: subprocess.Popen[bytes], *, own_group: bool) -> None:
    """Ask a command to end, and wait up to STOP_DEADLINE_S for it."""
    process.terminate()
    if own_group:
        _signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_DEADLINE_S)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
