"""The function's process: how it starts, what it writes and uses, and that nothing of it survives.

It and whatever it starts are one process group, whose leader is a shell, the guard. When kappa
closes a pipe to it, or ends in any way, the guard ends the group and removes the temporary folder.
A process that has left the group is found by its environment, where the system shows it.

On Linux, /proc shows the memory that the process and those below it use. Elsewhere ps shows it for
one process only, so nothing is limited there. Lambda counts the whole environment. A limit of the
address space would be no measure: Node.js reserves far more than it uses, so Lambda's limit is
compared with what is resident.
Source: Linux, proc(5): status (VmHWM, VmRSS), smaps_rollup (Pss), task/TID/children.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from kappa.local_run.interpreter import CannotRun

_BLOCK_BYTES = 1 << 16
# A longer line is shown in parts. Source: CloudWatch Logs guide, "CloudWatch Logs quotas".
_MAX_LINE_BYTES = 256 * 1024
_LOOK_MS = 200
_PROC = Path("/proc")
_PEAK = re.compile(rb"^VmHWM:\s+(\d+) kB", re.M)
_SHARE = re.compile(rb"^Pss:\s+(\d+) kB", re.M)
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
# Arguments: the mark in the environment, and the temporary folder. `read` ends with kappa. The
# trap keeps a signal for the group from ending the guard first. It searches three times: a program
# shows its environment only once it has started, and may have started others meanwhile. Kappa waits
# for a line, which follows the first search.
_GUARD = """
trap '' INT TERM HUP QUIT PIPE
read -r _
for search in 1 2 3; do
    for file in $(grep -lsF "$1" /proc/[0-9]*/environ); do
        process=${file#/proc/}
        kill -KILL "${process%/environ}"
    done
    echo
    [ -d /proc/$$ ] && sleep 0.1
done
rm -rf "$2"
kill -KILL 0
"""


class LogLine(msgspec.Struct, frozen=True):
    """A line that the function wrote to stdout or stderr. Units: epoch milliseconds."""

    at_ms: int
    text: str


class Process:
    """A running function. `mark` is a text that its environment alone has."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        temporary: Path,
        mark: str,
        log: Callable[[LogLine], None],
        exited: Callable[[int], None],
    ) -> None:
        self._log = log
        self._guarding = ("/bin/sh", "-c", _GUARD, "kappa", mark, str(temporary))
        self._guard = self._start_guard(subprocess.PIPE)
        try:
            _make_folder(temporary)
            self._child = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=self._guard.pid,
            )
        except BaseException:
            self._release_guard()
            raise
        self.pid = self._child.pid
        assert self._child.stdout is not None
        self._output = self._child.stdout
        os.set_blocking(self._output.fileno(), False)
        self._reading = threading.Lock()
        self._rest = b""
        self._is_closed = False
        self._unread: BrokenPipeError | None = None
        threading.Thread(target=self._follow, daemon=True).start()
        threading.Thread(target=self._await_end, args=(exited,), daemon=True).start()

    def check_log(self) -> None:
        """Raise BrokenPipeError if nobody reads any more what kappa prints."""
        if self._unread is not None:
            raise self._unread

    def drain(self) -> None:
        """Pass on everything that has been written, a line without an end as well."""
        with self._reading:
            if self._is_closed:
                return
            while block := _read(self._output):
                self._split(block)
            if self._rest:
                self._write(self._rest)
                self._rest = b""

    def close(self) -> None:
        """End the process and all that it has started, and remove the temporary folder.

        The guard does the most of it: if this is interrupted, it goes on.
        """
        try:
            self._child.kill()
            self._child.wait()
        finally:
            self._release_guard()
        with suppress(BrokenPipeError):
            self.drain()
        self._is_closed = True
        with self._reading:
            self._output.close()

    def _start_guard(self, stdin: int) -> subprocess.Popen[bytes]:
        guard = subprocess.Popen(
            self._guarding,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        threading.Thread(target=guard.wait, daemon=True).start()
        return guard

    def _release_guard(self) -> None:
        """Have the guard end all processes; wait until it has done so for the first time."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        if not _first_line(self._guard):
            # The function has killed its own group. What has left the group is still to be ended.
            _first_line(self._start_guard(subprocess.DEVNULL))

    def _await_end(self, exited: Callable[[int], None]) -> None:
        exited(self._child.wait())

    def _follow(self) -> None:
        """Pass on lines as they are written, until everybody who may write has ended."""
        poll = select.poll()
        poll.register(self._output.fileno(), select.POLLIN)
        try:
            while not self._is_closed:
                poll.poll(_LOOK_MS)
                with self._reading:
                    if self._is_closed or (block := _read(self._output)) == b"":
                        return
                    self._split(block or b"")
        except BrokenPipeError as error:
            self._unread = error

    def _split(self, block: bytes) -> None:
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            self._write(line)
        while len(self._rest) > _MAX_LINE_BYTES:
            self._write(self._rest[:_MAX_LINE_BYTES])
            self._rest = self._rest[_MAX_LINE_BYTES:]

    def _write(self, line: bytes) -> None:
        self._log(LogLine(int(time.time() * 1000), line.decode("utf-8", "replace")))


def _first_line(guard: subprocess.Popen[bytes]) -> bytes:
    assert guard.stdout is not None
    with guard.stdout as lines:
        return lines.readline()


def _make_folder(temporary: Path) -> None:
    """Make the folder that only this process uses. The guard removes it, so that runs before."""
    try:
        temporary.mkdir(mode=0o700)
    except OSError as error:
        raise CannotRun(
            f"{temporary.parent}: {error.strerror or error}.", "Set TMPDIR to a folder of yours."
        ) from error


def _read(output: IO[bytes]) -> bytes | None:
    """Read what is there: b"" at the end, None if there is nothing yet."""
    try:
        return os.read(output.fileno(), _BLOCK_BYTES)
    except BlockingIOError:
        return None


def peak_kb(pid: int) -> int:
    """The peak of this one process, or with ps its present use; 0 if it has ended."""
    return _field(pid, "status", _PEAK) if (_PROC / "self").exists() else _resident_by_ps(pid)


def used_kb(pid: int, limit_kb: int) -> int:
    """What the process and its descendants use now.

    Forked processes share pages, so where the quick sum exceeds the limit, shared ones are divided.
    """
    pids = [pid, *_descendants(pid)]
    total = sum(map(_resident_kb, pids))
    if len(pids) == 1 or total <= limit_kb:
        return total
    return sum(_field(each, "smaps_rollup", _SHARE) for each in pids)


def _resident_kb(pid: int) -> int:
    with suppress(OSError, IndexError, ValueError):
        return int((_PROC / str(pid) / "statm").read_bytes().split()[1]) * _PAGE_KB
    return 0


def _resident_by_ps(pid: int) -> int:
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    with suppress(OSError, ValueError):
        return int(subprocess.run(command, capture_output=True, check=False).stdout)
    return 0


def _descendants(pid: int) -> list[int]:
    below: list[int] = []
    with suppress(OSError):
        for thread in (_PROC / str(pid) / "task").iterdir():
            for child in (thread / "children").read_bytes().split():
                below += [int(child), *_descendants(int(child))]
    return below


def _field(pid: int, name: str, pattern: re.Pattern[bytes]) -> int:
    with suppress(OSError):
        match = pattern.search((_PROC / str(pid) / name).read_bytes())
        return int(match[1]) if match else 0
    return 0
