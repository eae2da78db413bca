"""Run a script in another Python, which ends with all that it started when kappa ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kappa.errors import ArchiveError

DEADLINE_S = 600
# The pipe closes when kappa ends for any reason, also when it is killed.
_ENDS_WITH_KAPPA = """
import os, signal, sys, threading
kappa = int(sys.argv.pop(1))
end = lambda: (os.read(kappa, 1), os.killpg(0, signal.SIGKILL))
threading.Thread(target=end, daemon=True).start()
"""


def run_child(
    script: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, str, str]:
    """Run a script in a folder; gives its exit code, output and errors.

    Raises: ArchiveError, if it does not end in time.
    """
    reads, writes = os.pipe()
    command = [sys.executable, "-P", "-c", _ENDS_WITH_KAPPA + script, str(reads), *arguments]
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=folder,
            env=environment,
            pass_fds=(reads,),
            start_new_session=True,
        ) as child:
            try:
                output, errors = child.communicate(timeout=DEADLINE_S)
            finally:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
    except subprocess.TimeoutExpired as error:
        raise ArchiveError(f"The packages were not installed within {DEADLINE_S} s.") from error
    finally:
        os.close(reads)
        os.close(writes)
    return child.returncode, output, errors
