"""The JSON files of the data folder: read them, and replace them unless somebody else has.

Owns every call to S3. It must not know what a file holds.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

# Without s3:ListBucket, S3 answers 403 for a key that does not exist; HEAD has no body for a name.
# Source: Amazon S3 API reference, GetObject and HeadObject, "Permissions".
MISSING = frozenset({"NoSuchKey", "AccessDenied", "404", "403"})
# Somebody else wrote first. Source: Amazon S3 user guide, "Conditional writes".
OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})


class Folder:
    """The folder `prefix` of a bucket. Names have no `.json`; the ETag of a missing file is "".

    A file that may not be read looks like a missing one, but creating it then fails. So a denial
    can never empty it.
    """

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:  # noqa: ANN401
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix

    def etag(self, name: str) -> str:
        """Return a file's ETag."""
        try:
            return str(self._s3.head_object(**self._at(name))["ETag"])
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return ""
            raise

    def read(self, name: str) -> tuple[bytes, str]:
        """Return a file's content and ETag."""
        try:
            answer = self._s3.get_object(**self._at(name))
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return b"", ""
            raise
        return answer["Body"].read(), answer["ETag"]

    def write(self, name: str, content: bytes, replaced: str) -> str:
        """Replace the file that has the ETag `replaced`, or create it if that is "".

        Returns: the new ETag; "" if somebody else wrote first and nothing was written.
        """
        try:
            written = self._s3.put_object(
                **self._at(name),
                Body=content,
                ContentType="application/json",
                CacheControl="no-cache",
                **({"IfMatch": replaced} if replaced else {"IfNoneMatch": "*"}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in OVERTAKEN:
                return ""
            raise
        return str(written["ETag"])

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{name}.json"}
