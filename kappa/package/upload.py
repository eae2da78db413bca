"""Plan how the zip reaches Lambda: inside the call, or through an S3 bucket if it is large.

It owns the object's key, which depends on the content.
"""

from __future__ import annotations

import base64
from typing import Any

from kappa.config.model import Config
from kappa.package.zip import MAX_ZIPPED_BYTES, Archive
from kappa.plan.step import Plan, Step


def code(
    config: Config, archive: Archive, max_direct_bytes: int = MAX_ZIPPED_BYTES
) -> dict[str, Any]:
    """The location of the code, as parameters of Lambda's calls."""
    if not _through_s3(config, archive, max_direct_bytes):
        return {"ZipFile": archive.data}
    return {"S3Bucket": config.function.s3_bucket, "S3Key": key(config, archive)}


def plan(config: Config, archive: Archive, max_direct_bytes: int = MAX_ZIPPED_BYTES) -> Plan:
    """Plan the upload to S3; nothing if the zip goes inside the call."""
    if not _through_s3(config, archive, max_direct_bytes):
        return []
    bucket, name = config.function.s3_bucket, key(config, archive)
    return [
        Step(
            "s3",
            "put_object",
            # Written even if it exists: what lies under the name may be somebody else's.
            {"Bucket": bucket, "Key": name, "Body": archive.data},
            "created",
            f"zip s3://{bucket}/{name}",
            key=("lambda", "s3_bucket"),
        )
    ]


def expected(
    config: Config, archive: Archive | None, max_direct_bytes: int = MAX_ZIPPED_BYTES
) -> dict[str, Any]:
    """What AWS must answer to a step that sends the code, as fields of a Step.

    Somebody else may have written an object with the zip's name.
    """
    if archive is None or not _through_s3(config, archive, max_direct_bytes):
        return {}
    where = f"s3://{config.function.s3_bucket}/{key(config, archive)}"
    return {
        "expected": {"CodeSha256": archive.sha256},
        "unexpected_hint": f"{where} is not what kappa packed, and $LATEST runs it now. Find out "
        "who wrote it, remove it, and run the same command again.",
    }


def key(config: Config, archive: Archive) -> str:
    """The object's key: the function's name and the SHA-256 of the content."""
    digest = base64.b64decode(archive.sha256).hex()
    prefix = config.function.s3_prefix.strip("/")
    return f"{prefix}/{config.function.name}-{digest}.zip".removeprefix("/")


def _through_s3(config: Config, archive: Archive, max_direct_bytes: int) -> bool:
    return bool(config.function.s3_bucket) and len(archive.data) > max_direct_bytes
