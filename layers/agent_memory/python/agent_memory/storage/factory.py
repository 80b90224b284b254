"""Opens clients and stores. Modules are imported and connections made only for the stores that are used."""

import os
import platform
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.extras import needs_extra
from agent_memory.core.forks import call_in_child
from agent_memory.ports.evidence import DEFAULT_ROWS_PER_PART
from agent_memory.ports.stores import Places, Stores
from agent_memory.storage.clients import check_aws_client
from agent_memory.storage.redis.address import FIELD, redis_url, url_from_environment
from agent_memory.storage.redis.connection import check_redis_client, redis_client_for, with_short_timeouts

if TYPE_CHECKING:
    from agent_memory.ports.archive import ArchiveStore
    from agent_memory.ports.blobs import BlobStore
    from agent_memory.ports.evidence import EvidenceStore
    from agent_memory.ports.short_term import ShortTermStore
    from agent_memory.storage.redis.connection import RedisClient

DEFAULT_PREFIX = "agent-memory"


def open_stores(
    *,
    table_prefix: str | None = None,
    archive_bucket: str | None = None,
    anchor_bucket: str | None = None,
    redis_endpoint: str | None = None,
    dynamodb_client: Any = None,
    s3_client: Any = None,
    redis_client: "RedisClient | None" = None,
    region: str | None = None,
    clock: Clock | None = None,
    decisions_per_part: int = DEFAULT_ROWS_PER_PART,
) -> Stores:
    """The stores of a deployment on AWS, or at the endpoint that the environment's AWS settings name.

    Missing clients are created from the environment, as boto3 does, in `region` if it is given. The defaults of the
    names are the variables `AGENT_MEMORY_TABLE_PREFIX` (or `agent-memory`), `AGENT_MEMORY_ARCHIVE_BUCKET`,
    `AGENT_MEMORY_ANCHOR_BUCKET` and `AGENT_MEMORY_REDIS_ENDPOINT`. Without a bucket there is no archive, and without a
    Redis client or endpoint no short-term memory.

    `redis_endpoint` is `host:port` or a URL, see `storage.redis.address`. `redis_client` is a `redis.Redis`, also one
    of Sentinel, or a `redis.RedisCluster`; it is used for its connection settings only, and its timeouts and retries do
    not apply, see `with_short_timeouts`.

    `decisions_per_part` is the most rows that one file of evidence has.

    Raises:
        InvalidInput: names the argument, or the variable to set, as for the AWS region or profile.
    """
    check_aws_client("dynamodb_client", dynamodb_client, "dynamodb", "put_item")
    check_aws_client("s3_client", s3_client, "s3", "put_object")
    short_term = _open_short_term(redis_client, redis_endpoint)
    table_prefix = table_prefix or os.environ.get("AGENT_MEMORY_TABLE_PREFIX", DEFAULT_PREFIX)
    archive_bucket = archive_bucket or os.environ.get("AGENT_MEMORY_ARCHIVE_BUCKET")
    anchor_bucket = anchor_bucket or os.environ.get("AGENT_MEMORY_ANCHOR_BUCKET")
    with needs_extra("aws"):
        from agent_memory.storage.dynamodb.answers import take_items_from_json  # noqa: PLC0415
        from agent_memory.storage.dynamodb.bodies import write_bodies_from_parameters  # noqa: PLC0415
        from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions  # noqa: PLC0415
        from agent_memory.storage.dynamodb.memories import DynamoDBMemories  # noqa: PLC0415
        from agent_memory.storage.dynamodb.states import DynamoDBStates  # noqa: PLC0415

    dynamodb = dynamodb_client or aws_client("dynamodb", region=region)
    take_items_from_json(dynamodb)
    write_bodies_from_parameters(dynamodb)
    blobs = _open_blobs(archive_bucket, s3_client, region)
    return Stores(
        decisions=DynamoDBDecisions(dynamodb, table_prefix, clock, blobs=blobs),
        memories=DynamoDBMemories(dynamodb, table_prefix),
        states=DynamoDBStates(dynamodb, table_prefix),
        blobs=blobs,
        archive=_open_archive(blobs),
        evidence=_open_evidence(blobs, decisions_per_part),
        short_term=short_term,
        anchors=_open_blobs(anchor_bucket or None, s3_client, region),
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
        places=Places("memory", "memory", "memory"),
    )


def sqlite_stores(path: Path | None, clock: Clock | None = None) -> Stores:
    """The stores in a SQLite file; see `storage.sqlite.stores`."""
    from agent_memory.storage.sqlite import stores  # noqa: PLC0415  other stores need no SQLite

    return stores.sqlite_stores(path, clock)


RETRIES: Any = {"mode": "standard", "total_max_attempts": 5}
"""How boto3 repeats a request."""


def aws_client(service: str, *, region: str | None = None) -> Any:
    """A boto3 client with connections for concurrent requests and botocore's standard retries.

    botocore does not validate parameters: the encoding of items has done so, and doing it twice would be a third of the
    time for writing a batch. Nor does it compose the `User-Agent` anew for each request, which would be a fifth of the
    time for writing a decision, unless the environment or the settings name an application in it (`sdk_ua_app_id`).

    Raises:
        InvalidInput: no region, an unknown profile or unusable settings; names the variable to set.
        AccessDenied: incomplete credentials.
    """
    with needs_extra("aws"):
        import boto3  # noqa: PLC0415  takes 200 ms, and stores in memory do not need it
        from botocore.config import Config  # noqa: PLC0415

        from agent_memory.storage.aws_errors import checked_settings  # noqa: PLC0415

    config = Config(
        max_pool_connections=32,
        parameter_validation=False,
        connect_timeout=2,
        read_timeout=10,
        retries=RETRIES,
    )
    session: Any = boto3  # boto3-stubs knows services by literal name only
    with checked_settings():
        client = session.client(service, config=config.merge(Config(user_agent=_user_agent())), region_name=region)
        if client.meta.config.user_agent_appid:
            client = session.client(service, config=config, region_name=region)
    _clients.add(client)
    return client


@cache
def _user_agent() -> str:
    """The versions of the libraries, as botocore names them, and this application."""
    import boto3  # noqa: PLC0415  as `aws_client`
    import botocore  # noqa: PLC0415

    environment = os.environ.get("AWS_EXECUTION_ENV")
    parts = (
        f"Boto3/{boto3.__version__}",
        f"md/Botocore#{botocore.__version__}",
        "ua/2.1",
        f"lang/python#{platform.python_version()}",
        f"exec-env/{environment}" if environment else "",
        "app/agent-memory",
    )
    return " ".join(filter(None, parts))


_clients: WeakSet[Any] = WeakSet()


def _close_inherited() -> None:
    """Close the connections that the child of a fork shares with its parent, which would get answers of each other."""
    for client in list(_clients):
        client.close()


call_in_child(_close_inherited)


def _open_blobs(bucket: str | None, client: Any, region: str | None) -> "BlobStore | None":
    if bucket is None:
        return None
    from agent_memory.storage.s3.blobs import S3Blobs  # noqa: PLC0415

    # Opening a client takes 30 ms, which a function that only reads and writes tables does not need.
    return S3Blobs(client, bucket, open_client=partial(aws_client, "s3", region=region))


def _open_archive(blobs: "BlobStore | None") -> "ArchiveStore | None":
    if blobs is None:
        return None
    from agent_memory.storage.parquet.archive import ParquetArchive  # noqa: PLC0415

    return ParquetArchive(blobs)


def _open_evidence(blobs: "BlobStore | None", rows_per_part: int = DEFAULT_ROWS_PER_PART) -> "EvidenceStore | None":
    if blobs is None:
        return None
    from agent_memory.storage.parquet.evidence import ParquetEvidence  # noqa: PLC0415

    return ParquetEvidence(blobs, rows_per_part=rows_per_part)


def _open_short_term(client: "RedisClient | None", endpoint: str | None) -> "ShortTermStore | None":
    """Short-term memory; redis-py is imported when it is first used, but for options, which redis-py checks."""
    from agent_memory.storage.redis.short_term import RedisShortTerm  # noqa: PLC0415

    if client is not None:
        check_redis_client(client)
        return RedisShortTerm(with_short_timeouts(client), setting="redis_client")
    url = endpoint or url_from_environment(os.environ)
    if not url:
        return None
    setting = f"{FIELD} (AGENT_MEMORY_REDIS_ENDPOINT)"
    has_options = "?" in redis_url(url)
    return RedisShortTerm(redis_client_for(url) if has_options else partial(redis_client_for, url), setting=setting)
