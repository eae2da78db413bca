"""Set the environment of a benchmark's own process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def settings(env: dict[str, str]) -> Iterator[None]:
    """Set these variables in this process; restore the old ones after."""
    kept = dict(os.environ)
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
