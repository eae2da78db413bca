"""Deleting many objects of a bucket, or all of them with their versions.

The caller knows whose bucket it is. It must not print.
"""

from __future__ import annotations

from kappa.aws.client import Aws, translated
from kappa.errors import AwsError, NotFound


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

    Raises: AwsError, naming the first object that S3 did not delete.
    """
    for start in range(0, len(objects), 1000):
        batch = {"Objects": objects[start : start + 1000], "Quiet": True}
        with translated(f"deleting objects of the bucket {bucket}"):
            answer = aws.client("s3").delete_objects(Bucket=bucket, Delete=batch)
        if errors := answer.get("Errors"):
            first = errors[0]
            raise AwsError(
                f"AWS did not delete {first['Key']} in {bucket}: {first.get('Message', '')}",
                code=first.get("Code", ""),
            )
