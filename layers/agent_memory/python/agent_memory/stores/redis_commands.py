"""Commands of short-term memory as Redis commands, all in one transaction and one round trip."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.stores.short_term_commands import (
    AddScored,
    Command,
    CountUp,
    GetValue,
    ListScored,
    ListValues,
    PushValues,
    RemoveScored,
    SetValue,
)

if TYPE_CHECKING:
    from redis import Redis

Answer = Callable[[Sequence[Any]], Any]


def run_commands(client: "Redis", commands: Sequence[Command]) -> list[Any]:
    """What each command answers, in order. They take effect together.

    Raises:
        TypeError, ValueError: a value is no JSON; nothing was sent.
    """
    pipeline = client.pipeline(transaction=True)
    readers: list[tuple[int, Answer]] = []
    for command in commands:
        before = len(pipeline)
        reader = _queue(pipeline, command)
        readers.append((len(pipeline) - before, reader))
    told = iter(pipeline.execute())
    return [reader([next(told) for _ in range(count)]) for count, reader in readers]


def encoded(value: Any) -> str:
    """A value as it lies in the cache; equal values are equal texts."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _queue(pipeline: Any, command: Command) -> Answer:
    """Put a command into the pipeline; returns how to read what it is answered with."""
    match command:
        case SetValue(key, value, ttl_seconds):
            pipeline.set(key, encoded(value), ex=ttl_seconds)
        case GetValue(key):
            pipeline.get(key)
            return lambda told: None if told[0] is None else json.loads(told[0])
        case PushValues(key, values, keep, ttl_seconds):
            if values:
                pipeline.lpush(key, *map(encoded, values))
                pipeline.ltrim(key, 0, keep - 1)
                pipeline.expire(key, ttl_seconds)
        case ListValues(key, count):
            pipeline.lrange(key, 0, count - 1)
            return lambda told: [json.loads(one) for one in told[0]]
        case AddScored(key, value, score, ttl_seconds):
            pipeline.zadd(key, {encoded(value): score})
            pipeline.expire(key, ttl_seconds)
        case ListScored(key, least):
            pipeline.zrevrangebyscore(key, "+inf", least, withscores=True)
            return lambda told: [(json.loads(one), float(score)) for one, score in told[0]]
        case RemoveScored(key, value):
            pipeline.zrem(key, encoded(value))
            return lambda told: bool(told[0])
        case CountUp(key, window_seconds):
            pipeline.incr(key)
            pipeline.expire(key, window_seconds, nx=True)
            pipeline.pttl(key)
            return lambda told: (int(told[0]), int(told[2]))
    return lambda _: None
