"""Read a file that a config names: a regular one only, of a size that can be meant.

A FIFO would wait for a writer, and a device might never end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from kappa.config.inputs import depends_on

_MAX_MB = 16


def read_file(file: Path) -> bytes:
    """Read a regular file.

    Raises: OSError, whose strerror says in words what is wrong.
    """
    depends_on(file)
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    except ValueError as error:
        raise OSError(errno.EINVAL, "No file can have this name") from error
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "Not a regular file")
        with os.fdopen(handle, "rb", closefd=False) as opened:
            content = opened.read(_MAX_MB * 1024 * 1024 + 1)
    finally:
        os.close(handle)
    if len(content) > _MAX_MB * 1024 * 1024:
        raise OSError(errno.EFBIG, f"Larger than {_MAX_MB} MB")
    return content


def exists(file: Path) -> bool:
    """Whether anything is at a path; a path that no file can have leads nowhere."""
    try:
        return file.exists()
    except (OSError, ValueError):
        return False


def expand_home(path: str) -> Path:
    """Turn `~` into the home folder; `~NAME` without such a person is a name like any other."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def real_path(path: Path) -> Path:
    """Follow links; unlike Path.resolve(), accept a link that leads to itself."""
    return Path(os.path.realpath(path))
