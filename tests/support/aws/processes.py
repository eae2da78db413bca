"""The emulator's processes: found by its port, its workers killed."""

import contextlib
import os
import signal
from pathlib import Path

import pytest


def processes():
    """Process id and parent's of all that run here."""
    if not Path("/proc/self/stat").is_file():
        pytest.skip("no /proc: the emulator's processes cannot be found")
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            yield int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[1])


def emulator_at(port):
    """The process id of the emulator that listens on a port."""
    setting = f"GATEWAY_PORT={port}\0"
    for pid, _ in processes():
        with contextlib.suppress(OSError):
            is_it = b"ministack\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
            if is_it and setting in Path(f"/proc/{pid}/environ").read_text() + "\0":
                return pid
    raise AssertionError("the emulator was not found")


def kill_workers(pid):
    """Kill an emulator's children, which run the functions; returns how many they were."""
    killed = 0
    for child, parent in processes():
        if parent == pid:
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(child, signal.SIGKILL)
                killed += 1
    return killed
