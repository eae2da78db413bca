"""The emulator's port and processes: find a free port, find the process, kill its workers."""

import contextlib
import os
import signal
import socket
from pathlib import Path

import pytest

from local.gate import HOST


def free_port():
    """An unused port of the loopback address."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def listening(port):
    """Whether a process listens on a port of the loopback address."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def processes():
    """The id and the parent's id of every process."""
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
            is_emulator = b"ministack\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
            if is_emulator and setting in Path(f"/proc/{pid}/environ").read_text() + "\0":
                return pid
    raise AssertionError("the emulator was not found")


def kill_workers(pid):
    """Kill an emulator's children, which run the functions; return how many there were."""
    killed = 0
    for child, parent in processes():
        if parent == pid:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(child, signal.SIGKILL)
                killed += 1
    return killed
