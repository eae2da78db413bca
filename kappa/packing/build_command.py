"""Run lambda.build before packing, if its inputs or its output changed since its last run.

It owns the record of that run, in kappa's cache, and the lock that keeps two kappas from building
or packing one folder at once. A record is removed before the command runs, so that one which fails
or is interrupted never counts as done. build_files.py selects the files, build_process.py runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kappa.config.mask import hide_within, written_texts
from kappa.config.model import Config
from kappa.config.tree import Keys
from kappa.errors import ArchiveError
from kappa.packing import build_process
from kappa.packing.build_files import BuildFiles, difference, output_of, read_build_files
from kappa.packing.cache import cache_error, cache_folder
from kappa.packing.check_handler import check_code
from kappa.plan.step import Report

_KEYS: Keys = ("lambda", "build")
_OUT = "KAPPA_OUT"


class _Record(msgspec.Struct, frozen=True):
    """The last successful run: a digest of the keys, and the files as they were after it.

    `changed` is a file that changed meanwhile, so the build may have read its older content.
    """

    keys: str
    files: BuildFiles
    changed: str = ""


def command_line(config: Config) -> str:
    """The command as one would type it, with ${name} in place of included values."""
    command = config.function.build or ""
    if isinstance(command, str):
        return _hidden(config, command)
    return shlex.join(_hidden(config, word) for word in command)


def why_to_build(config: Config) -> str:
    """Why lambda.build would run now, without running it; "" if it would not.

    Raises: ConfigError, if one of `build_inputs` matches nothing; ArchiveError.
    """
    return _why(config, _read_record(_record_file(config)), read_build_files(config))


@contextmanager
def built(config: Config, report: Callable[[Report], None]) -> Iterator[None]:
    """Run lambda.build if it is due; no other kappa builds until the code has been packed.

    Raises: ArchiveError, with the output, if the command fails; ConfigError, if it does not make
    what is packed.
    """
    file = _record_file(config)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = file.with_suffix(".lock").open("w")
    except OSError as error:
        raise _no_cache(file, error) from error
    with lock:
        _wait_for(lock.fileno(), config, report)
        before = read_build_files(config)
        if why := _why(config, _read_record(file), before):
            report(Report("building", f"code of {config.function.name}: {_short(config)} ({why})"))
            _build(config, file, before)
        yield


def _wait_for(lock: int, config: Config, report: Callable[[Report], None]) -> None:
    """Lock until the file is closed.

    Raises: ConfigError, within the build itself, which would wait forever.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if os.environ.get(_OUT) == str(output_of(config)):
            problem = f"lambda.build runs kappa, which builds the same {config.function.path}."
            raise config.error(_KEYS, problem, "Let the command build the code only.") from None
        report(Report("waiting", f"another kappa is building {config.function.path}"))
        fcntl.flock(lock, fcntl.LOCK_EX)


def _why(config: Config, record: _Record | None, files: BuildFiles) -> str:
    if record is None:
        return "no successful build is recorded"
    if record.keys != _keys(config):
        return "its settings changed"
    if record.changed:
        return f"{record.changed} changed during the last build"
    if changed := difference(record.files.read, files.read):
        return changed
    if config.function.build_inputs:
        gone = sorted(set(record.files.made) - set(files.made))
        return f"{gone[0]} is gone" if gone else ""
    return difference(record.files.made, files.made)


def _build(config: Config, file: Path, before: BuildFiles) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise _no_cache(file, error) from error
    _run(config)
    after = read_build_files(config)
    check_code(config)
    # A new file, such as a lock file, was made by the build; it is an input from now on.
    changed = (name for name, digest in before.read.items() if after.read.get(name) != digest)
    if after.made:
        _write_record(file, _Record(_keys(config), after, next(changed, "")))


def _run(config: Config) -> None:
    function = config.function
    folder = config.file.parent.resolve()
    variables = {
        "KAPPA_RUNTIME": function.runtime,
        "KAPPA_ARCHITECTURE": function.architecture,
        _OUT: str(output_of(config)),
    }
    try:
        code, output = build_process.run(
            function.build or "", folder, variables, lambda text: _hidden(config, text)
        )
    except (OSError, ValueError) as error:
        raise ArchiveError(f"lambda.build could not be started: {error}.") from error
    if code:
        problem = f"lambda.build failed with exit code {code}: {_short(config)}"
        lines = output.split("\n") if output else ()
        shown = "\n".join(f"    {line}".rstrip() for line in lines)
        message = config.error(_KEYS, problem).message
        raise ArchiveError(
            f"{message}\n{shown}" if shown else message,
            f"It ran in {folder}. Nothing was packed.",
        )


def _hidden(config: Config, text: str) -> str:
    """Put ${name} in place of included values: the command, or what it prints, may show them."""
    return hide_within(config.masked(text), written_texts(config))


def _short(config: Config) -> str:
    """The command in one line of a report."""
    line = " ".join(command_line(config).split())
    return line if len(line) <= 100 else f"{line[:97]}..."


def _keys(config: Config) -> str:
    """A digest of the keys that a build depends on, since the command may hold secrets."""
    function = config.function
    parts = [
        function.build,
        function.build_inputs,
        function.runtime,
        function.architecture,
        str(output_of(config)),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _record_file(config: Config) -> Path:
    """The record of what is built into one place, whichever config builds it."""
    digest = hashlib.sha256(str(output_of(config)).encode("utf-8", "surrogateescape")).hexdigest()
    return cache_folder() / "builds" / f"{digest[:32]}.json"


def _read_record(file: Path) -> _Record | None:
    """The record of the last run; None if there is none that can be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Record)
    except (OSError, msgspec.MsgspecError):
        return None


def _write_record(file: Path, record: _Record) -> None:
    """Write the record, whole or not at all."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        # A digest of the command is in it, by which others could try a weak secret.
        temporary.touch(0o600)
        temporary.write_bytes(msgspec.json.encode(record))
        temporary.replace(file)
    except OSError as error:
        raise _no_cache(file, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _no_cache(file: Path, error: OSError) -> ArchiveError:
    return cache_error("The state of the build cannot be kept", file.parent, error)
