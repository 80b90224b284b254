"""Objects in the archive bucket."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from agent_memory.errors import Unavailable
from agent_memory.stores.aws_errors import error_code, unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Blobs:
    """`BlobStore` on one S3 bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, key: str) -> bytes | None:
        """The object, or None where there is none."""
        try:
            with unavailable("S3"):
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except Unavailable as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and error_code(cause) == "NoSuchKey":
                return None
            raise

    def write(self, key: str, body: bytes) -> None:
        """Write the object, replacing an earlier one."""
        with unavailable("S3"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, in key order, each ending in '/'."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        with unavailable("S3"):
            return [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
