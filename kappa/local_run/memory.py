"""How much memory the function's process and those below it use.

On Linux, /proc shows it. Elsewhere ps shows it for one process only, so nothing is limited there.

Lambda counts the whole environment. A limit of the address space would be no measure: Node.js
reserves far more than it uses, so Lambda's limit is compared with what is resident.
Source: Linux, proc(5): status (VmHWM, VmRSS), smaps_rollup (Pss), task/TID/children.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PEAK = re.compile(rb"^VmHWM:\s+(\d+) kB", re.M)
_SHARE = re.compile(rb"^Pss:\s+(\d+) kB", re.M)
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


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
    import subprocess

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
