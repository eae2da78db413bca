"""Run lambda.build before the code is packed: each time, since builders have caches of their own.

It owns the lock that keeps two kappas from building or packing one folder at once, and the process
group of the command, which ends when kappa does, also when kappa is killed. A process that has left
the group, such as a daemon that a build starts for the next one, lives on. The function's own
process needs more: kappa/local_run/process.py.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from kappa.config.files import real_path
from kappa.config.model import Config
from kappa.config.tree import Keys
from kappa.errors import ArchiveError
from kappa.package.build_inputs import watching_inputs
from kappa.package.handler import check_code
from kappa.plan.step import Report

_KEYS: Keys = ("lambda", "build")
_OUT = "KAPPA_OUT"
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


@contextmanager
def built(config: Config, report: Callable[[Report], None]) -> Iterator[None]:
    """Run lambda.build; no other kappa builds here until the code has been packed.

    Raises: ArchiveError, with the output, if the command fails; ConfigError, if it does not make
    what is packed.
    """
    output = str(real_path(config.beside(config.function.path)))
    with _locked(config, output, report):
        report(Report("building", f"code of {config.function.name}"))
        with watching_inputs(config):
            _build(config, output)
        check_code(config)
        yield


@contextmanager
def _locked(config: Config, output: str, report: Callable[[Report], None]) -> Iterator[None]:
    """Lock the config's folder, unless this kappa is part of a build, which has the lock.

    Raises: ConfigError, if this kappa is part of the very build that it would run.
    """
    if os.environ.get(_OUT) == output:
        problem = f"lambda.build runs kappa, which builds the same {config.function.path}."
        raise config.error(_KEYS, problem, "Let the command build the code only.")
    if _OUT in os.environ:
        yield
        return
    try:
        handle = os.open(config.file.parent, os.O_RDONLY)
    except OSError as error:
        raise ArchiveError(f"{config.file.parent}: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(Report("waiting", f"another kappa is building {config.function.path}"))
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _build(config: Config, output: str) -> None:
    function = config.function
    folder = config.file.parent.resolve()
    variables = {
        "KAPPA_RUNTIME": function.runtime,
        "KAPPA_ARCHITECTURE": function.architecture,
        _OUT: output,
    }
    try:
        code, shown = run(function.build or "", folder, variables)
    except (OSError, ValueError) as error:
        raise ArchiveError(f"lambda.build could not be started: {error}.") from error
    if not config.file.exists():
        raise ArchiveError(f"lambda.build removed {config.file}.", "Nothing was packed.")
    if code:
        lines = shown.split("\n") if shown else ()
        message = config.error(_KEYS, f"lambda.build failed with exit code {code}.").message
        raise ArchiveError(
            "\n".join([message, *(f"    {line}".rstrip() for line in lines)]),
            f"It ran in {folder}. Nothing was packed.",
        )


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
