"""All keys below a prefix in Redis at once, whatever their types: to hand them out, and to erase them."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis import Redis

_KEYS_A_ROUND = 500
_GLOB_SIGNS = "*?[]\\^-"


def dump_keys(client: "Redis", prefix: str) -> Iterator[tuple[str, Any]]:
    """Every key with its value as JSON has it: text, lists, maps of hashes, members of sorted sets with scores."""
    untyped: Any = client  # redis-py types every answer as one that may be awaited
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"string": lambda key: _json(untyped.get(key)),
        b"list": lambda key: [_json(one) for one in untyped.lrange(key, 0, -1)],
        b"zset": lambda key: [[_json(one), score] for one, score in untyped.zrange(key, 0, -1, withscores=True)],
        b"hash": lambda key: {name.decode(): _json(one) for name, one in untyped.hgetall(key).items()},
        b"set": lambda key: sorted(_json(one) for one in untyped.smembers(key)),
    }
    for key in _keys(client, prefix):
        reader = readers.get(untyped.type(key))
        if reader is not None:  # else it has vanished meanwhile
            yield key.decode(), reader(key)


def count_keys(client: "Redis", prefix: str) -> int:
    """How many keys lie below a prefix."""
    return len(_keys(client, prefix))


def erase_keys(client: "Redis", prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
    """Erase the keys below a prefix whose rest matches a glob pattern, or only count them; returns how many.

    They are found by SCAN and unlinked, which holds nobody up; no pattern reaches beyond the prefix.
    """
    keys = list(_keys(client, prefix, pattern))
    if not dry_run:
        for start in range(0, len(keys), _KEYS_A_ROUND):
            client.unlink(*keys[start : start + _KEYS_A_ROUND])
    return len(keys)


def _keys(client: "Redis", prefix: str, pattern: str = "*") -> set[bytes]:
    literal = "".join(f"\\{sign}" if sign in _GLOB_SIGNS else sign for sign in prefix)
    return set(client.scan_iter(match=f"{literal}{pattern}", count=1000))  # a scan may show a key twice


def _json(value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return json.loads(value)
    except ValueError:
        return value.decode(errors="replace")
