"""Reads, counts and erases all keys with a prefix in Redis, whatever their types."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from agent_memory.core.concurrency import chunks
from agent_memory.core.errors import Unreadable
from agent_memory.storage.redis.commands import as_text, decode

if TYPE_CHECKING:
    from agent_memory.storage.redis.connection import RedisClient

_KEYS_PER_REQUEST = 500
_GLOB_CHARACTERS = "*?[]\\^-"
_EXPIRED = "none"


def dump_keys(client: "RedisClient", prefix: str) -> Iterator[tuple[str, Any]]:
    """Every key and its value in terms of JSON: hashes as objects, sorted sets as lists of member and score.

    A value that is not JSON, or of a type that is not read here, is an `Unreadable`.
    """
    untyped: Any = client  # redis-py types every reply as one that may be awaitable
    readers: dict[str, Callable[[bytes], Any]] = {
        "string": lambda key: _value(untyped.get(key)),
        "list": lambda key: [decode(one) for one in untyped.lrange(key, 0, -1)],
        "zset": lambda key: [[decode(one), score] for one, score in untyped.zrange(key, 0, -1, withscores=True)],
        "hash": lambda key: {as_text(name): decode(one) for name, one in untyped.hgetall(key).items()},
        "set": lambda key: sorted((decode(one) for one in untyped.smembers(key)), key=str),
    }
    for key in _keys(client, prefix):
        kind, name = as_text(untyped.type(key)), key.decode(errors="replace") if isinstance(key, bytes) else key
        if kind == _EXPIRED:
            continue
        if kind not in readers:
            yield name, Unreadable(name, f"it is of the type {kind}")
            continue
        try:
            yield name, readers[kind](key)
        except ValueError as error:
            yield name, Unreadable(name, f"it is not JSON as this package writes it: {type(error).__name__}")


def count_keys(client: "RedisClient", prefix: str) -> int:
    """The number of keys with a prefix."""
    return len(_keys(client, prefix))


def erase_keys(client: "RedisClient", prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
    """Erase the keys with a prefix whose rest matches a glob pattern, or only count them; returns how many.

    SCAN and UNLINK do not block the server. No pattern can match keys without the prefix.
    """
    keys = list(_keys(client, prefix, pattern))
    if not dry_run:
        for chunk in chunks(keys, _KEYS_PER_REQUEST):
            client.unlink(*chunk)
    return len(keys)


def _keys(client: Any, prefix: str, pattern: str = "*") -> set[bytes]:
    literal = "".join(f"\\{one}" if one in _GLOB_CHARACTERS else one for one in prefix)
    return set(client.scan_iter(match=f"{literal}{pattern}", count=1000))  # SCAN may return a key twice


def _value(text: bytes | None) -> Any:
    return None if text is None else decode(text)
