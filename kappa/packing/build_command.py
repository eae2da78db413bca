"""Run lambda.build before the code is packed: each time, since builders have caches of their own.

It owns the lock that keeps two kappas from building or packing one folder at once. build_files.py
selects the files that a watch looks at, build_process.py runs the command.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kappa.config.files import real_path
from kappa.config.model import Config
from kappa.config.tree import Keys
from kappa.errors import ArchiveError
from kappa.packing import build_process
from kappa.packing.build_files import watching_inputs
from kappa.packing.check_handler import check_code
from kappa.plan.step import Report

_KEYS: Keys = ("lambda", "build")
_OUT = "KAPPA_OUT"


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
            _run(config, output)
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


def _run(config: Config, output: str) -> None:
    function = config.function
    folder = config.file.parent.resolve()
    variables = {
        "KAPPA_RUNTIME": function.runtime,
        "KAPPA_ARCHITECTURE": function.architecture,
        _OUT: output,
    }
    try:
        code, shown = build_process.run(function.build or "", folder, variables)
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
