"""Download a function's zip from AWS, for a comparison."""

from __future__ import annotations

import io
import zipfile

from kappa.aws import Aws
from kappa.errors import AwsError
from kappa.packing.archive import UNREADABLE
from kappa.packing.limits import MAX_UNZIPPED_BYTES


def read_code(aws: Aws, link: str, function: str) -> bytes | None:
    """Download a function's zip; None if AWS gives no link, as for a container image.

    Source: AWS Lambda API, GetFunction: Code.Location is a link that is valid for ten minutes.
    Raises: AwsError, if the download is incomplete or not a zip.
    """
    if not link.startswith(("https://", "http://")):
        return None
    data = aws.download(link, f"downloading the code of {function}", MAX_UNZIPPED_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)):
            return data
    except UNREADABLE as error:
        raise AwsError(
            f"What AWS gives as the code of {function} is not a zip: {error}.",
            "Does a proxy stand between? Run the same command again.",
        ) from error
