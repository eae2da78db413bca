"""How the growth curves reach the emulator, and what stops them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from kappa.errors import KappaError


@contextlib.contextmanager
def aws_settings(endpoint_url: str, account: str = "test") -> Iterator[None]:
    """The environment of the emulator's root, or of an account's, for this process."""
    kept = dict(os.environ)
    os.environ.update(environment(endpoint_url) | {"AWS_ACCESS_KEY_ID": account})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def environment(endpoint_url: str) -> dict[str, str]:
    """Only the emulator, and none of the user's settings."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def require(holds: bool, otherwise: str) -> None:
    """Stop with an error where a count is not what it must be.

    Raises: KappaError.
    """
    if not holds:
        raise KappaError(f"Not as it must be: {otherwise}.")
