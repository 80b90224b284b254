"""Clients of Redis with short timeouts: from the setting, or from a client that the caller has."""

from typing import TYPE_CHECKING, Any

from agent_memory.core.errors import InvalidInput
from agent_memory.core.extras import needs_extra
from agent_memory.storage.redis.address import FIELD, IAM, IAM_SERVERLESS, redis_url
from agent_memory.storage.redis.handshake import in_a_cluster, with_timeouts

if TYPE_CHECKING:
    from redis import Redis, RedisCluster

    RedisClient = Redis | RedisCluster

# A command that is not answered delays a request by 0.2 s instead of redis-py's default of several seconds.
_COMMAND_SECONDS = 0.2
# Of each step of connecting: TCP, TLS, and HELLO with AUTH, for which ElastiCache verifies a token. A new connection of
# a function that starts takes longer than a command, and a connection is used for many.
_CONNECT_SECONDS = 1.0
# Connection settings that redis-py's pools add for themselves, by their prefixes.
_POOL_SETTINGS = ("himport_", "maint_notifications_", "oss_cluster_", "orig_", "event_dispatcher", "connection_pool")
_NOT_IN_A_CLUSTER = ("host", "port", "db", "path", "retry", "retry_on_error", "redis_connect_func", "connection_class")


def redis_client_for(endpoint: str, *, tls: bool = False, credential_provider: Any = None) -> "Redis":
    """A Redis client with short timeouts and without retries; nothing connects before its first use.

    Args:
        endpoint: `host:port` or a URL, see `address`; options in the URL replace the short timeouts.
        tls: whether to use TLS, for `host:port`.
        credential_provider: as redis-py's; by default the URL's user and password, or its IAM user.

    Raises:
        InvalidInput: names the setting and what to write.
    """
    url = redis_url(endpoint, tls=tls)
    with needs_extra("aws"):
        from redis import Connection, ConnectionPool, Redis, RedisError  # noqa: PLC0415
        from redis.connection import parse_url  # noqa: PLC0415

    try:
        settings: dict[str, Any] = with_timeouts({**_short_timeouts(), **parse_url(url), **_fixed_settings()})
        connection_class = settings.pop("connection_class", Connection)
        provider = _iam_provider(settings) or credential_provider
        pool = ConnectionPool(connection_class=connection_class, **settings, credential_provider=provider)
        pool.make_connection()  # makes redis-py check the settings; it does not connect
    except (TypeError, ValueError, RedisError) as error:
        raise InvalidInput(FIELD, f"an option in the URL cannot be used: {error}") from error
    pool.reset()
    return Redis(connection_pool=pool)


def with_short_timeouts(client: "RedisClient") -> "RedisClient":
    """A client to the same server with short timeouts and without retries, on separate connections.

    A client with a pool of a class that redis-py does not have is returned unchanged, as is a `RedisCluster`, which
    `cluster_client` replaces at first use.
    """
    from redis import BlockingConnectionPool, ConnectionPool, Redis  # noqa: PLC0415
    from redis.sentinel import SentinelConnectionPool  # noqa: PLC0415

    pool: Any = getattr(client, "connection_pool", None)
    if type(pool) is SentinelConnectionPool:
        own_pool: Any = SentinelConnectionPool(
            pool.service_name,
            pool.sentinel_manager,
            is_master=pool.is_master,
            check_connection=pool.check_connection,
            **_settings_of(pool),
        )
    elif type(pool) in (ConnectionPool, BlockingConnectionPool):
        own_pool = ConnectionPool(**_settings_of(pool))
    else:
        return client
    return Redis(connection_pool=own_pool)


def cluster_client(client: "RedisClient") -> "RedisCluster":
    """A client of the cluster that another client belongs to, with short timeouts. It connects.

    Raises:
        RedisError, RedisClusterException: of redis-py.
    """
    from redis import RedisCluster, SSLConnection  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.cluster import ClusterNode  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    source: Any = client
    options: dict[str, Any] = {}
    if isinstance(client, RedisCluster):
        settings = source.nodes_manager.connection_kwargs
        nodes = [(node.host, node.port) for node in source.nodes_manager.startup_nodes.values()]
        options = {"address_remap": source.nodes_manager.address_remap}
    else:
        pool = source.connection_pool
        settings = {**pool.connection_kwargs, "connection_class": pool.connection_class}
        nodes = [(settings.get("host", "localhost"), settings.get("port", 6379))]
    has_tls = bool(settings.get("ssl")) or issubclass(settings.get("connection_class", object), SSLConnection)
    patient = with_timeouts(_own_settings(settings))
    own = {name: value for name, value in patient.items() if name not in _NOT_IN_A_CLUSTER}
    return RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in nodes],
        # One repetition, with the cluster's current layout: a node may have been replaced.
        retry=Retry(NoBackoff(), 1),
        reinitialize_steps=1,
        redis_connect_func=in_a_cluster(_COMMAND_SECONDS),
        **options,
        **{**own, "ssl": has_tls},
    )


def check_redis_client(client: object) -> None:
    """Check that this is a client which can be used.

    Raises:
        InvalidInput: says what to pass instead.
    """
    with needs_extra("aws"):
        from redis import Redis, RedisCluster  # noqa: PLC0415

    if isinstance(client, Redis | RedisCluster):
        return
    kind = f"{type(client).__module__}.{type(client).__qualname__}"
    if isinstance(client, str):
        hint = "pass an address as redis_endpoint="
    elif ".asyncio." in kind:
        hint = "pass the client without asyncio, redis.Redis; calls run in threads"
    elif type(client).__name__ == "Sentinel":
        hint = "pass its client, sentinel.master_for(NAME)"
    else:
        hint = "or pass an address as redis_endpoint="
    raise InvalidInput("redis_client", f"expected redis.Redis or redis.RedisCluster, got {kind}; {hint}")


def _settings_of(pool: Any) -> dict[str, Any]:
    own = _own_settings(pool.connection_kwargs)
    # A connection class of another package, as fakeredis', may have no socket whose timeout could be changed later.
    is_of_redis = pool.connection_class.__module__.partition(".")[0] == "redis"
    return {"connection_class": pool.connection_class, **(with_timeouts(own) if is_of_redis else own)}


def _own_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Connection settings without those of the pool that they come from, with short timeouts."""
    given = {name: value for name, value in settings.items() if not name.startswith(_POOL_SETTINGS)}
    return {**given, **_short_timeouts(), **_fixed_settings()}


def _short_timeouts() -> dict[str, Any]:
    return {"socket_timeout": _COMMAND_SECONDS, "socket_connect_timeout": _CONNECT_SECONDS}


def _fixed_settings() -> dict[str, Any]:
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.maint_notifications import MaintNotificationsConfig  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    return {
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": False,  # stored values are decoded from bytes
        # Otherwise a server that announces maintenance makes redis-py wait for ten seconds.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }


def _iam_provider(settings: dict[str, Any]) -> Any:
    """The credential provider that the URL's options ask for, removed from them; None without IAM."""
    cache, serverless = settings.pop(IAM, None), settings.pop(IAM_SERVERLESS, None)
    if not (cache or serverless):
        return None
    from agent_memory.storage.redis.iam_token import ElastiCacheToken  # noqa: PLC0415  not needed without IAM

    return ElastiCacheToken(settings.pop("username"), cache or serverless, serverless=bool(serverless))
