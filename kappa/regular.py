"""Read a file that a config names; a pipe or a device would block, or never end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_bytes(file: Path) -> bytes:
    """Read a regular file.

    Raises: OSError, if it cannot be read or is something else.
    """
    opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    with open(opened, "rb") as stream:  # noqa: PTH123 - it is open already
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(file))
        return stream.read()
