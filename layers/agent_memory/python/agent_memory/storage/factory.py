"""Opens clients and stores. Modules are imported and connections made only for the stores that are used."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import InvalidInput
from agent_memory.core.extras import needs_extra
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.evidence import EvidenceStore
from agent_memory.ports.short_term import ShortTermStore
from agent_memory.ports.stores import Stores

if TYPE_CHECKING:
    from redis import Redis

DEFAULT_PREFIX = "agent-memory"
# A cache that does not respond delays a request by 0.2 s instead of redis-py's default of several seconds.
_REDIS_TIMEOUT_SECONDS = 0.2
# Prefixes of connection settings that redis-py's pool adds for itself.
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
    """The stores of a deployment on AWS, or at the endpoint that the environment's AWS settings name.

    Missing clients are created from the environment, as boto3 does. The defaults of the names are the variables
    `AGENT_MEMORY_TABLE_PREFIX` (or `agent-memory`), `AGENT_MEMORY_ARCHIVE_BUCKET` and `AGENT_MEMORY_REDIS_ENDPOINT`.
    Without a bucket there is no archive, and without a Redis client or endpoint no short-term memory. A Redis client is
    used for its connection settings only; its timeouts and retries do not apply, see `with_short_timeouts`.
    """
    table_prefix = table_prefix or os.environ.get("AGENT_MEMORY_TABLE_PREFIX", DEFAULT_PREFIX)
    archive_bucket = archive_bucket or os.environ.get("AGENT_MEMORY_ARCHIVE_BUCKET")
    redis_endpoint = redis_endpoint or os.environ.get("AGENT_MEMORY_REDIS_ENDPOINT")
    with needs_extra("aws"):
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
        clock=clock or SystemClock(),
    )


def with_short_term(stores: Stores, clock: Clock | None = None) -> Stores:
    """The same stores; if they have no cache, with short-term memory in this process."""
    if stores.short_term is not None:
        return stores
    from agent_memory.storage.in_memory.short_term import InMemoryShortTerm  # noqa: PLC0415

    return replace(stores, short_term=InMemoryShortTerm(clock))


def in_memory_stores(clock: Clock | None = None) -> Stores:
    """Stores that keep everything in memory."""
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
        clock=clock,
    )


def aws_client(service: str, *, region: str | None = None) -> Any:
    """A boto3 client with connections for concurrent requests and botocore's standard retries.

    botocore does not validate parameters: the encoding of items has done so, and doing it twice would be a third of the
    time for writing a batch.
    """
    with needs_extra("aws"):
        import boto3  # noqa: PLC0415  takes 200 ms, and stores in memory do not need it
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
    """A Redis client with short timeouts and without retries.

    Raises:
        InvalidInput: the endpoint is not `host:port`.
    """
    with needs_extra("aws"):
        from redis import Redis  # noqa: PLC0415

    host, _, port = endpoint.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidInput("redis_endpoint", f"{endpoint!r:.80} is invalid; write host:port")
    return Redis(host=host, port=int(port), ssl=tls, credential_provider=credential_provider, **_short_timeouts())


def with_short_timeouts(client: "Redis") -> "Redis":
    """A client to the same server with short timeouts and without retries, on separate connections.

    A client with another pool than redis-py's default, such as Sentinel's, is returned unchanged.
    """
    from redis import ConnectionPool, Redis  # noqa: PLC0415

    pool = client.connection_pool
    if type(pool) is not ConnectionPool:
        return client
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
        "decode_responses": False,  # stored values are decoded from bytes
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
