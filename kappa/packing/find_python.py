"""Find a version of Python that is installed. It is not run."""

from __future__ import annotations

import shutil
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
    return str(max(pythons)) if pythons else path
