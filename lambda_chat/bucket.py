"""Deleting many objects of a bucket, or all of them with their versions.

The caller knows whose bucket it is. It must not print.
"""

from __future__ import annotations

import re

from kappa.aws import Aws, translated
from kappa.errors import AwsError, NotFound

CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def empty_bucket(aws: Aws, bucket: str) -> int:
    """Delete every version and delete marker of every object; return how many there were."""
    s3 = aws.client("s3")
    count = 0
    try:
        with translated(f"emptying the bucket {bucket}"):
            pages = s3.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=bucket, PaginationConfig={"PageSize": 1000}):
                versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                delete_objects(
                    aws,
                    bucket,
                    [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions],
                )
                count += len(versions)
    except NotFound:
        return count
    return count


def delete_objects(aws: Aws, bucket: str, objects: list[dict[str, str]]) -> None:
    """Delete objects, a thousand for each call, S3's limit.

    XML cannot express control characters, so a key that has one takes a call of its own.
    Source: S3 user guide, "Naming Amazon S3 objects".
    Raises: AwsError, naming the first object that S3 did not delete.
    """
    alone = [item for item in objects if CONTROL.search(item["Key"])]
    together = [item for item in objects if not CONTROL.search(item["Key"])]
    for item in alone:
        with translated(f"deleting an object of the bucket {bucket}"):
            aws.client("s3").delete_object(Bucket=bucket, **item)
    for start in range(0, len(together), 1000):
        batch = {"Objects": together[start : start + 1000], "Quiet": True}
        with translated(f"deleting objects of the bucket {bucket}"):
            answer = aws.client("s3").delete_objects(Bucket=bucket, Delete=batch)
        if errors := answer.get("Errors"):
            first = errors[0]
            raise AwsError(
                f"AWS did not delete {first['Key']} in {bucket}: {first.get('Message', '')}",
                code=first.get("Code", ""),
            )
