"""Give this process another environment for a while."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def settings(env: Mapping[str, str]) -> Iterator[None]:
    """Replace this process's whole environment; restore the old one after."""
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
