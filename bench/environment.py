"""The environment of a benchmark: the emulator's, without the user's AWS settings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

REGION = "us-east-1"


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


def emulated(endpoint_url: str) -> dict[str, str]:
    """A complete environment that uses the emulator, as the account's root user."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return inherited | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
