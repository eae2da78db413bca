"""Run a program as a process group that ends when kappa does, also when kappa is killed.

A process that has left the group, such as a daemon that a build starts for the next one, lives on.
The function's own process needs more: kappa/local_run/process.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

# The pipe on stdin closes when kappa ends for any reason. Then the watcher, which ignores SIGTERM,
# ends the whole group. $$ is the group's id; `exec` runs no builtin of the shell in its place. The
# first trap keeps the shell until the program has ended; the program itself does not inherit it.
_WATCHED = """\
trap : TERM
exec 3<&0 </dev/null
(trap '' TERM; read -r _ <&3; kill -KILL -$$) &
(exec 3<&- "$@")
"""
# What a program gets to end by itself, after Ctrl-C or at its deadline.
_GRACE_S = 2.0


def run_child(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: IO[bytes],
    errors: IO[bytes] | int = subprocess.STDOUT,
    deadline_s: float | None = None,
) -> int:
    """Run a program without input, write what it prints into files, and return its exit code.

    A program that a signal ended has 128 more than the signal's number, as in a shell. Whatever it
    leaves running in its group is ended.
    Raises: OSError, if no process can be started; ValueError, if no program can have such an
    argument; TimeoutExpired, at the deadline.
    """
    process = subprocess.Popen(
        ("/bin/sh", "-c", _WATCHED, "kappa", *command),
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )
    try:
        code = process.wait(deadline_s)
    finally:
        _end(process)
    # Negative: the program ended its whole group.
    return code if code >= 0 else 128 - code


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the watcher, and whatever is left of the program."""
    with process:  # closes the pipe at last, and then the watcher ends what is left
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
        _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # On macOS a group of processes that have ended refuses a signal.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
