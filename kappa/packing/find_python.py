"""Find a version of Python that is installed. It is not run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path


def find_python(name: str) -> str | None:
    """Find a Python, bypassing the launchers that version managers put on the PATH.

    A launcher is a shell script. It takes several times as long to start as Python, and refuses a
    version that is installed but not selected.
    Sources: pyenv, "Understanding shims"; asdf, "Core configuration"; mise, "Shims".
    """
    path = shutil.which(name)
    if path is None or Path(path).parent.name != "shims":
        return path
    root = Path(path).parents[1]
    pythons = (*root.glob(f"versions/*/bin/{name}"), *root.glob(f"installs/python/*/bin/{name}"))
    return newest(pythons) or path


def python_minor(runtime: str) -> int | None:
    """The minor version of a runtime of Python 3; None if it is another runtime."""
    match = re.fullmatch(r"python3\.(\d{1,3})", runtime)
    return int(match[1]) if match else None


def newest(paths: Iterable[Path]) -> str | None:
    """Choose the program of the latest release, which a folder of its path names, as in v22.10.0.

    A virtual environment or a variant, such as 3.13.0t, is chosen only where no release is as new.
    """
    path = max(paths, key=_release, default=None)
    return None if path is None else str(path)


def _release(path: Path) -> tuple[list[int], bool]:
    """The version, and whether the folder's name is nothing else."""
    versions = (re.match(r"v?(\d+(?:\.\d+)+)(.*)", part) for part in reversed(path.parts))
    version = next(filter(None, versions), None)
    if version is None:
        return [], False
    return [int(number) for number in version[1].split(".")], not version[2]
