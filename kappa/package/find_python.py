"""Which Python a runtime names, and where this machine has it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import uv

_DEADLINE_S = 30


def python_minor(runtime: str) -> int | None:
    """The minor version of a runtime of Python 3; None for other runtimes."""
    match = re.fullmatch(r"python3\.(\d{1,3})", runtime, re.ASCII)
    return int(match[1]) if match else None


def find_python(minor: int) -> str | None:
    """Find a version of Python 3: kappa's own, on the PATH, or one that uv has installed.

    On the PATH can be a version manager's launcher, which is slow, and refuses a version that is
    installed but not selected: the Python behind it names itself.
    """
    if minor == sys.version_info.minor:
        return sys.executable
    on_path = shutil.which(f"python3.{minor}")
    itself = ("-ISc", "import sys; print(sys.executable)")
    managed = ("python", "find", "--managed-python", "--no-python-downloads", "--no-project")
    return (on_path and _output(on_path, *itself)) or _output(
        uv.find_uv_bin(), *managed, f"3.{minor}"
    )


def _output(*command: str) -> str | None:
    """What a program prints; None if it fails, or prints nothing."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=_DEADLINE_S
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
