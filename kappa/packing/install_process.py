"""Run pip or uv as a child process with a deadline; it must not know what they install."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from kappa.errors import ArchiveError
from kappa.packing.child import run_child

DEADLINE_S = 600


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, str, str]:
    """Run a command in a folder; return its exit code, output and errors.

    Raises: ArchiveError, if it does not end in time.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            code = run_child(command, folder, environment, output, errors, DEADLINE_S)
        except subprocess.TimeoutExpired as error:
            raise ArchiveError(f"The packages were not installed within {DEADLINE_S} s.") from error
        return code, _text(output), _text(errors)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
