"""Reads, counts and erases all keys with a prefix in Redis, whatever their types."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from agent_memory.core.concurrency import chunks

if TYPE_CHECKING:
    from redis import Redis

_KEYS_PER_REQUEST = 500
_GLOB_CHARACTERS = "*?[]\\^-"


def dump_keys(client: "Redis", prefix: str) -> Iterator[tuple[str, Any]]:
    """Every key and its value in terms of JSON: hashes as objects, sorted sets as lists of member and score."""
    untyped: Any = client  # redis-py types every reply as one that may be awaitable
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"string": lambda key: _json(untyped.get(key)),
        b"list": lambda key: [_json(one) for one in untyped.lrange(key, 0, -1)],
        b"zset": lambda key: [[_json(one), score] for one, score in untyped.zrange(key, 0, -1, withscores=True)],
        b"hash": lambda key: {name.decode(): _json(one) for name, one in untyped.hgetall(key).items()},
        b"set": lambda key: sorted(_json(one) for one in untyped.smembers(key)),
    }
    for key in _keys(client, prefix):
        reader = readers.get(untyped.type(key))
        if reader is not None:  # else the key has expired in the meantime
            yield key.decode(), reader(key)


def count_keys(client: "Redis", prefix: str) -> int:
    """The number of keys with a prefix."""
    return len(_keys(client, prefix))


def erase_keys(client: "Redis", prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
    """Erase the keys with a prefix whose rest matches a glob pattern, or only count them; returns how many.

    SCAN and UNLINK do not block the server. No pattern can match keys without the prefix.
    """
    keys = list(_keys(client, prefix, pattern))
    if not dry_run:
        for chunk in chunks(keys, _KEYS_PER_REQUEST):
            client.unlink(*chunk)
    return len(keys)


def _keys(client: "Redis", prefix: str, pattern: str = "*") -> set[bytes]:
    literal = "".join(f"\\{one}" if one in _GLOB_CHARACTERS else one for one in prefix)
    return set(client.scan_iter(match=f"{literal}{pattern}", count=1000))  # SCAN may return a key twice


def _json(value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return json.loads(value)
    except ValueError:
        return value.decode(errors="replace")
