"""Objects in the archive bucket."""

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from agent_memory.core.errors import InColdStorage, Unavailable
from agent_memory.core.retention import RESTORED_DAYS
from agent_memory.ports.blobs import Part
from agent_memory.storage.aws_errors import error_code, unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_NOTHING_TO_RESTORE = frozenset({"RestoreAlreadyInProgress", "InvalidObjectState", "NoSuchKey"})


class S3Blobs:
    """`BlobStore` on one S3 bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, key: str) -> bytes | None:
        """The object, or None where there is none; `InColdStorage` where it has to be restored first."""
        answer = self._get(key)
        return None if answer is None else _body(answer)

    def read_part(self, key: str, start: int, end: int | None = None) -> Part | None:
        """Bytes `start` up to, not including, `end`; a negative start counts from the end. None where there is none."""
        wanted = f"{start}" if start < 0 else f"{start}-{'' if end is None else end - 1}"
        answer = self._get(key, Range=f"bytes={wanted}")
        if answer is None:
            return None
        first, size = _RANGE.fullmatch(answer["ContentRange"]).groups()  # type: ignore[union-attr]
        return Part(_body(answer), int(first), int(size), answer["ETag"])

    def restore(self, key: str) -> None:
        """Ask for an object in cold storage to be readable for a week; nothing happens to others."""
        wanted: Any = {"Days": RESTORED_DAYS, "GlacierJobParameters": {"Tier": "Standard"}}
        try:
            with unavailable("S3"):
                self._client.restore_object(Bucket=self._bucket, Key=key, RestoreRequest=wanted)
        except Unavailable as error:
            if _code_behind(error) not in _NOTHING_TO_RESTORE:
                raise

    def write(self, key: str, body: bytes) -> None:
        """Write the object, replacing an earlier one."""
        with unavailable("S3"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects below a prefix, in key order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with unavailable("S3"):
            return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, in key order, each ending in '/'."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        with unavailable("S3"):
            return [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase the objects below a prefix with all their versions, or only count these; returns how many."""
        erased = 0
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        with unavailable("S3"):
            for page in pages:
                found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                erased += len(found)
                if found and not dry_run:
                    self._delete([{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found])
        return erased

    def _get(self, key: str, **part: str) -> Any:
        """S3's answer, or None where there is no such object."""
        try:
            with unavailable("S3"):
                return self._client.get_object(Bucket=self._bucket, Key=key, **part)  # type: ignore[arg-type]
        except Unavailable as error:
            match _code_behind(error):
                case "NoSuchKey":
                    return None
                case "InvalidObjectState":
                    raise InColdStorage(f"{key} lies in cold storage") from error
            raise

    def _delete(self, objects: Any) -> None:
        refused = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
        errors = refused.get("Errors", [])
        if errors:
            raise Unavailable(f"S3 refused to delete {errors[0].get('Key')}: {errors[0].get('Code')}")


def _code_behind(error: Unavailable) -> str | None:
    cause = error.__cause__
    return error_code(cause) if isinstance(cause, ClientError) else None


def _body(answer: Any) -> bytes:
    with unavailable("S3"):
        body: bytes = answer["Body"].read()
    return body
