"""Run a build's command as a process group that ends when kappa does, also when kappa is killed.

It owns how a text is passed to the shell, and what is shown of the output. It must not know what is
built or why. A process that has left the group, such as a daemon that a build starts for the next
one, lives on. The function's own process needs more: kappa/local_run/process.py.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
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
# A text is no argument, since anyone on this machine sees those, and it may hold a secret. At
# SIGTERM the shell waits for the program that it runs, and runs no further one.
_TEXT = "_KAPPA_BUILD"
_SHELL = ("/bin/sh", "-c", f"trap 'exit 143' TERM; eval \"unset {_TEXT}; ${_TEXT}\"")
# What a program gets to end by itself after Ctrl-C.
_GRACE_S = 2.0
_MAX_BYTES = 64 * 1024
_MAX_LINES = 200
# Colours and other sequences for a terminal.
# Source: ECMA-48, "Control functions for coded character sets", CSI.
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def run(
    command: str | Sequence[str], folder: Path, variables: Mapping[str, str]
) -> tuple[int, str]:
    """Run a command, by the shell if it is a text; return its exit code and its last output.

    It gets no input, and whatever it leaves running in its group is ended. A command that a signal
    ended has 128 more than the signal's number, as in a shell.
    Raises: OSError, if no process can be started; ValueError, if no program can have such an
    argument.
    """
    words, given = command, dict(variables)
    if isinstance(command, str):
        words, given[_TEXT] = _SHELL, command
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            ("/bin/sh", "-c", _WATCHED, "kappa", *words),
            cwd=folder,
            env={**os.environ, **given},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait()
        finally:
            _end(process)
        # Negative: the program ended its whole group.
        return code if code >= 0 else 128 - code, _last_lines(output)


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


def _last_lines(output: IO[bytes]) -> str:
    """The end of an output, as a terminal without colours would show it."""
    start = max(0, output.seek(0, os.SEEK_END) - _MAX_BYTES)
    output.seek(start)
    # A cut line may hold a part of a secret, which the printer would not know.
    data = output.read().partition(b"\n")[2] if start else output.read()
    text = _SEQUENCE.sub("", data.decode("utf-8", "replace")).rstrip()
    # A carriage return begins a line again, as progress bars do.
    lines = [line.rstrip().rpartition("\r")[2] for line in text.split("\n")]
    is_cut = start > 0 or len(lines) > _MAX_LINES
    return "\n".join([*(["..."] if is_cut else []), *lines[-_MAX_LINES:]])
