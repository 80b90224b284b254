"""The server behind a client: its version and kind are checked at first use, and its failures explained."""

from typing import TYPE_CHECKING, Any

from agent_memory.core.errors import CacheUnavailable, Misconfigured, Unavailable
from agent_memory.storage.redis.answers import LEAST_VERSION, Action, Answer, answer_of
from agent_memory.storage.redis.connection import cluster_client
from agent_memory.storage.redis.tls_probe import tls_mismatch

if TYPE_CHECKING:
    from agent_memory.storage.redis.connection import RedisClient


class RedisServer:
    """A server, or a cluster, that a client leads to.

    The client of a single node of a cluster is replaced by one of the whole cluster, as is needed for ElastiCache
    Serverless.

    Args:
        client: of redis-py, with short timeouts.
        setting: what errors name, such as `redis_endpoint`.
    """

    def __init__(self, client: "RedisClient", setting: str) -> None:
        self._given = client
        self._setting = setting
        self._checked: RedisClient | None = None
        self._has_answered = False

    def client(self) -> "RedisClient":
        """The client to use.

        Raises:
            Misconfigured: the server is too old, or a Sentinel. RedisError, RedisClusterException: of redis-py.
        """
        if self._checked is None:  # of two threads that come here together the later one wins, which is harmless
            self._checked = self._check()
            self._has_answered = True
        return self._checked

    def reconnect(self) -> None:
        """Close idle connections, so that the next call resolves the name and asks for the cluster's layout again."""
        self._checked = None
        pool = getattr(self._given, "connection_pool", None)
        if pool is not None:
            pool.disconnect(inuse_connections=False)

    def answer_of(self, error: BaseException) -> tuple[Answer, str]:
        """The row of an error in the table, and its own words."""
        answer, words = answer_of(error, has_answered=self._has_answered)
        if answer.name in ("ConnectionError", "TimeoutError") and not self._has_answered:
            mismatch = tls_mismatch(**self._first_node())
            if mismatch:
                return Answer("TLS", Action.REFUSE, mismatch), words
        return answer, words

    def error(self, answer: Answer, words: str) -> Unavailable:
        """The error to raise for an answer that no repetition helps with."""
        if answer.action is Action.REFUSE:
            return Misconfigured(f"{self._setting}: {answer.meaning} ({answer.name}: {words})")
        return CacheUnavailable(f"Redis: {answer.meaning} ({answer.name}: {words})")

    def _check(self) -> "RedisClient":
        from redis import RedisCluster  # noqa: PLC0415  not loaded for callers that use only the table

        client = self._given
        if isinstance(client, RedisCluster):
            client = cluster_client(client)
            node: Any = client.get_default_node()
            self._check_version(_description(client.get_redis_connection(node)))
            return client
        description = _description(client)
        self._check_version(description)
        match description.get("mode"):
            case "sentinel":
                raise Misconfigured(
                    f"{self._setting}: this is a Sentinel; pass redis_client=Sentinel(…).master_for(NAME)"
                )
            case "cluster":
                return cluster_client(client)
        return client

    def _check_version(self, description: dict[str, str]) -> None:
        version = description.get("version", "")
        numbers = tuple(int(one) for one in version.split(".")[:2] if one.isdigit())
        if description.get("server") == "redis" and numbers and numbers < LEAST_VERSION:
            least = ".".join(map(str, LEAST_VERSION))
            raise Misconfigured(f"{self._setting}: the server is Redis {version}; Redis {least} or Valkey is needed")

    def _first_node(self) -> dict[str, Any]:
        """Host, port and TLS settings of the server, as far as they are known before it answers."""
        given: Any = self._given
        pool = getattr(given, "connection_pool", None)
        if pool is None:
            node = next(iter(given.nodes_manager.startup_nodes.values()))
            settings = {**given.nodes_manager.connection_kwargs, "host": node.host, "port": node.port}
            has_tls = bool(settings.get("ssl"))
        else:
            settings = pool.connection_kwargs
            has_tls = "SSL" in pool.connection_class.__name__
        return {
            "host": settings.get("host"),
            "port": settings.get("port", 6379),
            "has_tls": has_tls,
            "certificate": (settings.get("ssl_certfile"), settings.get("ssl_keyfile")),
            "timeout_seconds": settings.get("socket_connect_timeout") or 1.0,
        }


def _description(client: Any) -> dict[str, str]:
    """What a server says of itself: `server`, `version`, `mode`; empty where it may not be asked."""
    from redis.exceptions import ResponseError  # noqa: PLC0415  as above

    connection = client.connection_pool.get_connection()
    found: Any = getattr(connection, "handshake_metadata", None)
    client.connection_pool.release(connection)
    try:
        found = found or client.execute_command("HELLO")
    except ResponseError:  # a proxy, or Redis before 6.2
        try:
            info = client.info("server")
        except ResponseError:
            return {}
        found = {"server": "redis", "version": info.get("redis_version"), "mode": info.get("redis_mode")}
    pairs = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=False)
    return {_text(name): _text(value) for name, value in pairs}


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
