"""Objects in the archive bucket."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from agent_memory.core.errors import Conflict, InColdStorage, Unavailable
from agent_memory.core.forks import fork_safe_lock
from agent_memory.core.retention import RESTORED_DAYS
from agent_memory.ports.blobs import Blob, ByteRange
from agent_memory.storage.aws_errors import error_code, translated_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_NOTHING_TO_RESTORE = frozenset({"RestoreAlreadyInProgress", "InvalidObjectState", "NoSuchKey"})


class S3Blobs:
    """`BlobStore` on one S3 bucket; without a client, one is opened with the first request."""

    def __init__(
        self, client: "S3Client | None", bucket: str, *, open_client: "Callable[[], S3Client] | None" = None
    ) -> None:
        self._given = client
        self._open_client = open_client
        self._bucket = bucket
        self._lock = fork_safe_lock()

    @property
    def _client(self) -> "S3Client":
        with self._lock:
            if self._given is None:
                if self._open_client is None:
                    raise TypeError("there is neither a client nor a way to open one")
                self._given = self._open_client()
            return self._given

    def read(self, key: str) -> bytes | None:
        """The bytes of an object, or None if there is none; `InColdStorage` if it has to be restored first."""
        stored = self.read_tagged(key)
        return None if stored is None else stored.body

    def read_tagged(self, key: str) -> Blob | None:
        """The object, or None if there is none; `InColdStorage` if it has to be restored first."""
        response = self._get(key)
        return None if response is None else Blob(_body(response), response["ETag"])

    def read_range(self, key: str, start: int, end: int | None = None) -> ByteRange | None:
        """The bytes from `start` up to, not including, `end`; None if there is no object."""
        positions = f"{start}" if start < 0 else f"{start}-{'' if end is None else end - 1}"
        response = self._get(key, Range=f"bytes={positions}")
        if response is None:
            return None
        first, size = _RANGE.fullmatch(response["ContentRange"]).groups()  # type: ignore[union-attr]
        return ByteRange(_body(response), int(first), int(size), response["ETag"])

    def restore(self, key: str) -> None:
        """Request that an object in cold storage be readable for a week; does nothing for other objects."""
        request: Any = {"Days": RESTORED_DAYS, "GlacierJobParameters": {"Tier": "Standard"}}
        try:
            with translated_errors("S3", self._bucket):
                self._client.restore_object(Bucket=self._bucket, Key=key, RestoreRequest=request)
        except Unavailable as error:
            if _cause_code(error) not in _NOTHING_TO_RESTORE:
                raise

    def write(self, key: str, body: bytes) -> None:
        """Write an object, replacing an earlier one."""
        with translated_errors("S3", self._bucket):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def replace(self, key: str, body: bytes, *, tag: str | None) -> str:
        """Write an object if the stored one has this tag; for None, if there is none."""
        condition: Any = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            with translated_errors("S3", self._bucket):
                return self._client.put_object(Bucket=self._bucket, Key=key, Body=body, **condition)["ETag"]
        except Unavailable as error:
            if _cause_code(error) == "NoSuchKey":
                raise Conflict(f"{key} was removed meanwhile; read again") from error
            raise

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        with translated_errors("S3", self._bucket):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects with a prefix, sorted."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with translated_errors("S3", self._bucket):
            return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, sorted, each ending in '/'."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        with translated_errors("S3", self._bucket):
            return [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase the objects with a prefix and all their versions, or only count them; returns how many."""
        erased = 0
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        with translated_errors("S3", self._bucket):
            for page in pages:
                versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                erased += len(versions)
                if versions and not dry_run:
                    self._delete([{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions])
        return erased

    def _get(self, key: str, **options: str) -> Any:
        """S3's response, or None if there is no such object."""
        try:
            with translated_errors("S3", self._bucket):
                return self._client.get_object(Bucket=self._bucket, Key=key, **options)  # type: ignore[arg-type]
        except Unavailable as error:
            match _cause_code(error):
                case "NoSuchKey":
                    return None
                case "InvalidObjectState":
                    raise InColdStorage(f"{key} is in cold storage") from error
            raise

    def _delete(self, objects: Any) -> None:
        response = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
        errors = response.get("Errors", [])
        if errors:
            raise Unavailable(f"S3 refused to delete {errors[0].get('Key')}: {errors[0].get('Code')}")


def _cause_code(error: Unavailable) -> str | None:
    cause = error.__cause__
    return error_code(cause) if isinstance(cause, ClientError) else None


def _body(response: Any) -> bytes:
    with translated_errors("S3"):
        body: bytes = response["Body"].read()
    return body
