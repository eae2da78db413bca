"""Follow both functions' logs with `kappa CONFIG tail --follow`, each in its own colour."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO

from lambda_chat.config import ROOT

COLOURS = ("36", "35")
RESET = "\033[0m"
# Runs a command until it ends, or until standard input does: this process has then ended.
WATCHED = """
exec 3<&0
"$@" </dev/null 3<&- &
command=$!
{ cat <&3; kill $command; } >/dev/null 2>&1 &
exec 3<&-
{ wait $command; kill $!; } 2>/dev/null
"""


def follow(env: dict[str, str], configs: Sequence[str]) -> None:
    """Print each function's log lines to stderr, prefixed with its name, until interrupted."""
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    with contextlib.ExitStack() as stack:
        readers = []
        for config, code in zip(configs, COLOURS, strict=True):
            process = subprocess.Popen(
                ["sh", "-c", WATCHED, "sh", "kappa", config, "tail", "--follow", "--since", "0s"],
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                # Ctrl-C must not reach these commands, which would each report it
                process_group=0,
            )
            label = f"{config.split('/')[1]:>8} | "
            label = f"\033[{code}m{label}{RESET}" if colour else label
            reader = threading.Thread(target=_copy, args=(process.stdout, label), daemon=True)
            # Before the reader starts: a Ctrl-C in between must still end the command.
            stack.callback(_end, process, reader)
            reader.start()
            readers.append(reader)
        for reader in readers:
            reader.join()


def _end(process: subprocess.Popen[str], reader: threading.Thread) -> None:
    """End the command by closing its input; wait until its output has been read."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    if reader.ident is not None:
        reader.join()


def _copy(lines: IO[str] | None, label: str) -> None:
    """Copy lines to stderr until they end.

    Only this function closes them: after a Ctrl-C during a reader's start, nobody waits for it.
    """
    assert lines is not None
    with lines:
        for line in lines:
            print(f"{label}{line.rstrip()}", file=sys.stderr, flush=True)
