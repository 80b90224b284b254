"""Short-term memory in Redis or Valkey.

What talks to the server is imported at the first use, which most functions' first event does not have.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from agent_memory.core.errors import CacheUnavailable, Misconfigured, Unreadable
from agent_memory.storage.redis.circuit_breaker import CircuitBreaker

if TYPE_CHECKING:
    from agent_memory.ports.short_term import Command
    from agent_memory.storage.redis.connection import RedisClient
    from agent_memory.storage.redis.server import RedisServer

T = TypeVar("T")


class RedisShortTerm:
    """`ShortTermStore` on a Redis or Valkey server or cluster. After several failures, calls fail at once for a while.

    What becomes of each of the server's errors is in `answers`.

    Args:
        client: of redis-py, with short timeouts; or a function that returns it, which is called at the first use.
        breaker: by default one of its own.
        setting: what errors of the configuration name.
    """

    def __init__(
        self,
        client: "RedisClient | Callable[[], RedisClient]",
        breaker: CircuitBreaker | None = None,
        *,
        setting: str = "redis_client",
    ) -> None:
        self._client = client
        self._setting = setting
        self._breaker = breaker or CircuitBreaker()

    @cached_property
    def _server(self) -> "RedisServer":
        from agent_memory.storage.redis.server import RedisServer  # noqa: PLC0415  see above

        return RedisServer(self._client() if callable(self._client) else self._client, self._setting)

    def run(self, commands: "Sequence[Command]") -> list[Any]:
        """The result of each command, in order, in one round trip; commands that write are one transaction."""
        from agent_memory.storage.redis.commands import run_commands  # noqa: PLC0415  see above

        return self._call(lambda client: run_commands(client, commands))

    def count(self, prefix: str) -> int:
        """The number of keys with a prefix."""
        from agent_memory.storage.redis.scan import count_keys  # noqa: PLC0415  see above

        return self._call(lambda client: count_keys(client, prefix))

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key with a prefix and its value, in no particular order."""
        from agent_memory.storage.redis.scan import dump_keys  # noqa: PLC0415  see above

        return iter(self._call(lambda client: list(dump_keys(client, prefix))))

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys with a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        from agent_memory.storage.redis.scan import erase_keys  # noqa: PLC0415  see above

        return self._call(lambda client: erase_keys(client, prefix, pattern, dry_run=dry_run))

    def _call(self, work: Callable[[Any], T], *, may_reconnect: bool = True) -> T:
        """The result of some work with the client.

        Raises:
            CacheUnavailable: the server did not respond, or the circuit is open. Misconfigured, Unreadable: see there.
        """
        from redis.exceptions import RedisClusterException, RedisError  # noqa: PLC0415  see above

        from agent_memory.storage.redis.answers import Action, is_reply  # noqa: PLC0415  see above

        if not self._breaker.allow_request():
            raise CacheUnavailable("Redis has failed repeatedly and is not called for a few seconds")
        try:
            result = work(self._server.client())
        except (RedisError, RedisClusterException, OSError) as error:
            answer, words = self._server.answer_of(error)
            if answer.action is Action.RECONNECT and may_reconnect:
                self._server.reconnect()
                return self._call(work, may_reconnect=False)
            if is_reply(answer):
                self._breaker.record_success()
            elif answer.action is Action.GO_ON:
                self._breaker.record_failure()
            raise self._server.error(answer, words) from error
        except (Misconfigured, Unreadable):
            self._breaker.record_success()
            raise
        self._breaker.record_success()
        return result
