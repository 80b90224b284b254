"""Clients and stores, opened as needed: whoever uses only the table never connects to Redis."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import InvalidInput
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.evidence import EvidenceStore
from agent_memory.ports.short_term import ShortTermStore
from agent_memory.ports.stores import Stores

if TYPE_CHECKING:
    from redis import Redis

DEFAULT_PREFIX = "agent-memory"
# A dead cache may cost a fifth of a second, not redis-py's default of many.
_REDIS_TIMEOUT_SECONDS = 0.2
_POOL_SETTINGS = ("himport_", "maint_notifications_", "orig_")


def open_stores(
    *,
    table_prefix: str | None = None,
    archive_bucket: str | None = None,
    redis_endpoint: str | None = None,
    dynamodb_client: Any = None,
    s3_client: Any = None,
    redis_client: "Redis | None" = None,
    clock: Clock | None = None,
) -> Stores:
    """The stores of a deployment on AWS, or on whatever endpoint the environment's AWS settings name.

    Clients that are not given are made from the environment as boto3 does. Names that are not given are those of
    `AGENT_MEMORY_TABLE_PREFIX` (`agent-memory` where that is not set), `AGENT_MEMORY_ARCHIVE_BUCKET` and
    `AGENT_MEMORY_REDIS_ENDPOINT`; without a bucket there is no archive, and without a Redis client or endpoint no
    short-term memory. A Redis client that is given tells where and how to connect; its timeouts and retries do not
    apply, see `with_short_timeouts`.
    """
    table_prefix = table_prefix or os.environ.get("AGENT_MEMORY_TABLE_PREFIX", DEFAULT_PREFIX)
    archive_bucket = archive_bucket or os.environ.get("AGENT_MEMORY_ARCHIVE_BUCKET")
    redis_endpoint = redis_endpoint or os.environ.get("AGENT_MEMORY_REDIS_ENDPOINT")
    from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions  # noqa: PLC0415
    from agent_memory.storage.dynamodb.memories import DynamoDBMemories  # noqa: PLC0415
    from agent_memory.storage.dynamodb.states import DynamoDBStates  # noqa: PLC0415

    dynamodb = dynamodb_client or aws_client("dynamodb")
    blobs = _open_blobs(archive_bucket, s3_client)
    return Stores(
        decisions=DynamoDBDecisions(dynamodb, table_prefix, clock, blobs=blobs),
        memories=DynamoDBMemories(dynamodb, table_prefix),
        states=DynamoDBStates(dynamodb, table_prefix),
        blobs=blobs,
        archive=_open_archive(blobs),
        evidence=_open_evidence(blobs),
        short_term=_open_short_term(redis_client, redis_endpoint),
    )


def with_short_term(stores: Stores, clock: Clock | None = None) -> Stores:
    """The same stores; where they have no cache, short-term memory is kept in this process."""
    if stores.short_term is not None:
        return stores
    from agent_memory.storage.in_memory.short_term import InMemoryShortTerm  # noqa: PLC0415

    return replace(stores, short_term=InMemoryShortTerm(clock))


def in_memory_stores(clock: Clock | None = None) -> Stores:
    """Every store in plain Python."""
    from agent_memory.storage.in_memory.blobs import InMemoryBlobs  # noqa: PLC0415
    from agent_memory.storage.in_memory.decisions import InMemoryDecisions  # noqa: PLC0415
    from agent_memory.storage.in_memory.memories import InMemoryMemories  # noqa: PLC0415
    from agent_memory.storage.in_memory.short_term import InMemoryShortTerm  # noqa: PLC0415
    from agent_memory.storage.in_memory.states import InMemoryStates  # noqa: PLC0415

    clock = clock or SystemClock()
    blobs = InMemoryBlobs()
    return Stores(
        decisions=InMemoryDecisions(clock),
        memories=InMemoryMemories(),
        states=InMemoryStates(),
        blobs=blobs,
        archive=_open_archive(blobs),
        evidence=_open_evidence(blobs),
        short_term=InMemoryShortTerm(clock),
    )


def aws_client(service: str, *, region: str | None = None) -> Any:
    """A boto3 client with enough connections for side-by-side requests and botocore's standard retries.

    botocore does not check parameters: the codec has, and a second look is a third of the cost of writing a batch.
    """
    import boto3  # noqa: PLC0415  200 ms that an in-memory user never pays
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        max_pool_connections=32,
        parameter_validation=False,
        connect_timeout=2,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 5},
    )
    session: Any = boto3  # boto3-stubs knows services by literal name only
    return session.client(service, config=config, region_name=region)


def redis_client_for(endpoint: str, *, tls: bool = False, credential_provider: Any = None) -> "Redis":
    """A Redis client with short timeouts and no retries: the caller falls through instead.

    Raises:
        InvalidInput: the endpoint is not `host:port`.
    """
    from redis import Redis  # noqa: PLC0415

    host, _, port = endpoint.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidInput("redis_endpoint", f"{endpoint!r:.80} is not usable; write host:port")
    return Redis(host=host, port=int(port), ssl=tls, credential_provider=credential_provider, **_short_timeouts())


def with_short_timeouts(client: "Redis") -> "Redis":
    """A client to the same server with short timeouts and no retries, on connections of its own.

    One whose connections come from another pool than redis-py's plain one (Sentinel's, say) is returned as it is.
    """
    from redis import ConnectionPool, Redis  # noqa: PLC0415

    pool = client.connection_pool
    if type(pool) is not ConnectionPool:
        return client
    # What the pool has put there itself belongs to that pool.
    settings = {name: value for name, value in pool.connection_kwargs.items() if not name.startswith(_POOL_SETTINGS)}
    own_pool = ConnectionPool(connection_class=pool.connection_class, **{**settings, **_short_timeouts()})
    return Redis(connection_pool=own_pool)


def _short_timeouts() -> dict[str, Any]:
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    return {
        "socket_timeout": _REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": _REDIS_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": False,  # what is kept is read as bytes
    }


def _open_blobs(bucket: str | None, client: Any) -> BlobStore | None:
    if bucket is None:
        return None
    from agent_memory.storage.s3.blobs import S3Blobs  # noqa: PLC0415

    return S3Blobs(client or aws_client("s3"), bucket)


def _open_archive(blobs: BlobStore | None) -> ArchiveStore | None:
    if blobs is None:
        return None
    from agent_memory.storage.parquet.archive import ParquetArchive  # noqa: PLC0415

    return ParquetArchive(blobs)


def _open_evidence(blobs: BlobStore | None) -> EvidenceStore | None:
    if blobs is None:
        return None
    from agent_memory.storage.parquet.evidence import ParquetEvidence  # noqa: PLC0415

    return ParquetEvidence(blobs)


def _open_short_term(client: "Redis | None", endpoint: str | None) -> ShortTermStore | None:
    if client is None and not endpoint:
        return None
    from agent_memory.storage.redis.short_term import RedisShortTerm  # noqa: PLC0415

    return RedisShortTerm(redis_client_for(str(endpoint)) if client is None else with_short_timeouts(client))
