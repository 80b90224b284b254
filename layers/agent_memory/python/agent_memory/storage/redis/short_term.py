"""Short-term memory in Redis or Valkey."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agent_memory.core.errors import Unavailable
from agent_memory.ports.short_term import Command
from agent_memory.storage.redis.circuit_breaker import CircuitBreaker
from agent_memory.storage.redis.commands import run_commands
from agent_memory.storage.redis.scan import count_keys, dump_keys, erase_keys

if TYPE_CHECKING:
    from redis import Redis


class RedisShortTerm:
    """`ShortTermStore` on a Redis or Valkey server. A server that does not answer is passed over for a while."""

    def __init__(self, client: "Redis", breaker: CircuitBreaker | None = None) -> None:
        self._client = client
        self._breaker = breaker or CircuitBreaker()

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """What each command answers, in order. They take effect together, in one round trip."""
        with self._answering():
            return run_commands(self._client, commands)

    def count(self, prefix: str) -> int:
        """How many keys begin with this prefix."""
        with self._answering():
            return count_keys(self._client, prefix)

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key below a prefix with its value, in no order."""
        with self._answering():
            yield from dump_keys(self._client, prefix)

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys below a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        with self._answering():
            return erase_keys(self._client, prefix, pattern, dry_run=dry_run)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        from redis.exceptions import ConnectionError as NoConnection  # noqa: PLC0415  not for table-only callers
        from redis.exceptions import RedisError  # noqa: PLC0415
        from redis.exceptions import TimeoutError as TimedOut  # noqa: PLC0415

        if not self._breaker.allow_request():
            raise Unavailable("Redis did not answer lately and is passed over for a moment")
        try:
            yield
        except RedisError as error:
            if isinstance(error, NoConnection | TimedOut):
                self._breaker.record_failure()
            raise Unavailable(f"Redis did not answer: {type(error).__name__}") from error
        self._breaker.record_success()
