"""The zip that AWS has of a function. It only reads; diff.py compares with it."""

from __future__ import annotations

import urllib.error
import urllib.request

from kappa.errors import AwsError

_TIMEOUT_S = 60


def read_code(link: str, function: str) -> bytes | None:
    """Download a function's zip; None where AWS gives no link, as of a container image.

    Source: AWS Lambda API, GetFunction: Code.Location is a link that is good for ten minutes.
    Raises: AwsError.
    """
    if not link.startswith(("https://", "http://")):
        return None
    try:
        with urllib.request.urlopen(link, timeout=_TIMEOUT_S) as reply:
            data: bytes = reply.read()
            return data
    except OSError as error:
        # Whoever has the link has the code: it is not printed.
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise AwsError(f"Downloading the code of {function} failed: {reason}.") from error
