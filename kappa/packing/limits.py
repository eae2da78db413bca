"""The size limits of a deployment package: the zip of a direct upload, and its content."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kappa.errors import ArchiveError

# AWS Lambda guide, "Lambda quotas": deployment package of a direct upload, and unzipped.
MAX_ZIPPED_BYTES = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
_S3_ADVICE = "Set lambda.s3_bucket: kappa then uploads through this bucket."


class Limits(msgspec.Struct, frozen=True):
    """Lambda's quotas of a deployment package."""

    direct_bytes: int = MAX_ZIPPED_BYTES
    unzipped_bytes: int = MAX_UNZIPPED_BYTES


def check_unzipped(source: Path, size_bytes: int, max_bytes: int, largest: str) -> None:
    """Check the size of the content.

    Raises: ArchiveError.
    """
    if size_bytes > max_bytes:
        raise ArchiveError(
            f"{source} is {megabytes(size_bytes)} unzipped; Lambda takes at most "
            f"{megabytes(max_bytes)}.",
            f"The largest file is {largest}",
        )


def check_zipped(source: Path, size_bytes: int, max_bytes: int, largest: str) -> None:
    """Check the size of the zip.

    Raises: ArchiveError.
    """
    if size_bytes > max_bytes:
        raise ArchiveError(
            f"{source} is {megabytes(size_bytes)} zipped; a direct upload takes at most "
            f"{megabytes(max_bytes)}.",
            f"The largest file is {largest}{_S3_ADVICE}",
        )


def megabytes(size_bytes: int) -> str:
    """Write a size in megabytes."""
    return f"{size_bytes / 1024 / 1024:.1f} MB"
