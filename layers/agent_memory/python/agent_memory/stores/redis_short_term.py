"""Short-term memory in Redis or Valkey."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agent_memory.errors import Unavailable
from agent_memory.stores.redis_whole import dump_keys, erase_keys

if TYPE_CHECKING:
    from redis import Redis


class RedisShortTerm:
    """`ShortTermStore` on a Redis or Valkey server."""

    def __init__(self, client: "Redis") -> None:
        self._client = client

    def set(self, key: str, value: Any, ttl_seconds: int) -> None:
        """Keep a value for so many seconds."""
        body = json.dumps(value, separators=(",", ":"), allow_nan=False)
        with _unavailable():
            self._client.set(key, body, ex=ttl_seconds)

    def get(self, key: str) -> Any | None:
        """The value, or None once it has vanished."""
        with _unavailable():
            body = self._client.get(key)
        return None if body is None else json.loads(body)

    def count(self, prefix: str) -> int:
        """How many keys begin with this prefix."""
        pattern = "".join(f"\\{sign}" if sign in "*?[]\\^-" else sign for sign in prefix) + "*"
        with _unavailable():
            return sum(1 for _ in self._client.scan_iter(match=pattern, count=1000))

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key below a prefix with its value, in no order."""
        with _unavailable():
            yield from dump_keys(self._client, prefix)

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase every key below a prefix, or only count them; returns how many."""
        with _unavailable():
            return erase_keys(self._client, prefix, dry_run=dry_run)


@contextmanager
def _unavailable() -> Iterator[None]:
    from redis.exceptions import RedisError  # noqa: PLC0415  a table-only caller never pays for this import

    try:
        yield
    except RedisError as error:
        raise Unavailable(f"Redis did not answer: {type(error).__name__}") from error
