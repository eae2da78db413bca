"""Run a build's command, a text or a list of words.

It owns how a text is passed to the shell, and what is shown of the output. It must not know what is
built or why.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from kappa.packing.child import run_child

# A text is no argument, since anyone on this machine sees those, and it may hold a secret. At
# SIGTERM the shell waits for the program that it runs, and runs no further one.
_TEXT = "_KAPPA_BUILD"
_SHELL = ("/bin/sh", "-c", f"trap 'exit 143' TERM; eval \"unset {_TEXT}; ${_TEXT}\"")
_MAX_BYTES = 64 * 1024
_MAX_LINES = 200
# Source: Secrets Manager guide, "AWS Secrets Manager quotas".
_MAX_SECRET_BYTES = 64 * 1024
# Colours and other sequences for a terminal.
# Source: ECMA-48, "Control functions for coded character sets", CSI.
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def run(
    command: str | Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    hide: Callable[[str], str] = str,
) -> tuple[int, str]:
    """Run a command, by the shell if it is a text; return its exit code and its last output.

    `hide` takes secrets out of the output, before it is cut: what is left of one would be shown.
    A command that a signal ended has 128 more than the signal's number, as in a shell.
    Raises: OSError, if no process can be started; ValueError, if no program can have such an
    argument.
    """
    words, given = command, dict(variables)
    if isinstance(command, str):
        words, given[_TEXT] = _SHELL, command
    with tempfile.TemporaryFile() as output:
        code = run_child(words, folder, {**os.environ, **given}, output)
        return code, _last_lines(output, hide)


def _plain(output: bytes) -> str:
    return _SEQUENCE.sub("", output.decode("utf-8", "replace"))


def _last_lines(output: IO[bytes], hide: Callable[[str], str]) -> str:
    """The end of an output, as a terminal without colours would show it."""
    size_bytes = output.seek(0, os.SEEK_END)
    # A part of a secret may be left before `start`, so what is as long as one is left out.
    start = max(0, size_bytes - _MAX_BYTES)
    output.seek(max(0, start - _MAX_SECRET_BYTES))
    before = _plain(output.read(start - output.tell()))
    text = hide(before + _plain(output.read()))[len(before) :]
    # A carriage return begins a line again, as progress bars do.
    lines = [line.rstrip().rpartition("\r")[2] for line in text.rstrip().split("\n")]
    is_cut = size_bytes > _MAX_BYTES or len(lines) > _MAX_LINES
    return "\n".join([*(["..."] if is_cut else []), *lines[-_MAX_LINES:]])
