"""The files of a package's folder that a build sees: without version control, caches, old builds.

pip_guard.py copies just these, so that a build leaves nothing in the folder; pip_cache_key.py makes
them a part of the cache's key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

# Patterns of names, or of paths in the folder. Files of an old build would get into the wheel.
LEFT_OUT = (
    *(".git", ".hg", ".svn", ".venv", "venv", "node_modules", ".tox", ".nox"),
    *("__pycache__", "*.pyc", ".cache", ".*_cache", "*.egg-info", "build/lib*", "build/bdist.*"),
)


def read_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """List the files by their path in the folder, in order; links are followed.

    Raises: OSError, if a folder cannot be read.
    """
    for path, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        inner = Path(path).relative_to(folder)
        folders[:] = sorted(name for name in folders if not _is_left_out(inner / name))
        for name in sorted(names):
            if not _is_left_out(inner / name):
                yield (inner / name).as_posix(), Path(path, name)


def _is_left_out(path: Path) -> bool:
    return any(fnmatch(text, out) for text in (path.name, path.as_posix()) for out in LEFT_OUT)


def _raise(error: OSError) -> None:
    raise error
