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
    """`ShortTermStore` on a Redis or Valkey server. After several failures, calls fail at once for a while."""

    def __init__(self, client: "Redis", breaker: CircuitBreaker | None = None) -> None:
        self._client = client
        self._breaker = breaker or CircuitBreaker()

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """The result of each command, in order. They are one transaction and one round trip."""
        with self._guarded():
            return run_commands(self._client, commands)

    def count(self, prefix: str) -> int:
        """The number of keys with a prefix."""
        with self._guarded():
            return count_keys(self._client, prefix)

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key with a prefix and its value, in no particular order."""
        with self._guarded():
            yield from dump_keys(self._client, prefix)

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys with a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        with self._guarded():
            return erase_keys(self._client, prefix, pattern, dry_run=dry_run)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Translate Redis' errors, and refuse calls while the circuit is open."""
        from redis import exceptions  # noqa: PLC0415  not loaded for callers that use only the table

        if not self._breaker.allow_request():
            raise Unavailable("Redis has failed repeatedly and is not called for a few seconds")
        try:
            yield
        except exceptions.RedisError as error:
            if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError):
                self._breaker.record_failure()
            raise Unavailable(f"Redis did not respond: {type(error).__name__}") from error
        self._breaker.record_success()
