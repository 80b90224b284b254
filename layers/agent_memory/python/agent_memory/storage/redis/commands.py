"""Commands of short-term memory as Redis commands, all in one transaction and one round trip."""

import json
from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from agent_memory.ports import short_term as stm

if TYPE_CHECKING:
    from redis import Redis

Decoder = Callable[[Sequence[Any]], Any]
"""Makes a command's result from the replies to its Redis commands."""

# Prefixes of a counter's two fields in a hash.
_COUNT, _TIME = "n:", "t:"


def run_commands(client: "Redis", commands: Sequence[stm.Command]) -> list[Any]:
    """The result of each command, in order. They are one transaction.

    Raises:
        TypeError, ValueError: a value is not JSON; nothing was sent.
    """
    pipeline = client.pipeline(transaction=True)
    decoders: list[tuple[int, Decoder]] = []
    for command in commands:
        before = len(pipeline)
        decoder = _queue(command, pipeline)
        decoders.append((len(pipeline) - before, decoder or _no_result))
    replies = iter(pipeline.execute())
    return [decoder([next(replies) for _ in range(count)]) for count, decoder in decoders]


def encode(value: Any) -> str:
    """A value as JSON text; equal values have equal texts."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)


@singledispatch
def _queue(command: stm.Command, _: Any) -> Decoder | None:
    """Add a command to the pipeline; returns the decoder of its result, None if it has no result."""
    raise TypeError(f"{type(command).__name__} is not a command of short-term memory")


@_queue.register
def _(command: stm.SetValue, pipeline: Any) -> None:
    pipeline.set(command.key, encode(command.value), ex=command.ttl_seconds)


@_queue.register
def _(command: stm.GetValue, pipeline: Any) -> Decoder:
    pipeline.get(command.key)
    return lambda replies: None if replies[0] is None else json.loads(replies[0])


@_queue.register
def _(command: stm.PushValues, pipeline: Any) -> None:
    values = list(map(encode, command.values))
    for value in values:
        pipeline.lrem(command.key, 0, value)
    if values:
        pipeline.lpush(command.key, *values)
        pipeline.ltrim(command.key, 0, command.max_length - 1)
        pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: stm.ListValues, pipeline: Any) -> Decoder:
    pipeline.lrange(command.key, 0, command.count - 1)
    return lambda replies: [json.loads(one) for one in replies[0]]


@_queue.register
def _(command: stm.AddScored, pipeline: Any) -> None:
    pipeline.zadd(command.key, {encode(command.value): command.score})
    pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: stm.ListScored, pipeline: Any) -> Decoder:
    pipeline.zrevrangebyscore(command.key, "+inf", command.min_score, withscores=True)
    return lambda replies: [(json.loads(one), float(score)) for one, score in replies[0]]


@_queue.register
def _(command: stm.RemoveScored, pipeline: Any) -> Decoder:
    pipeline.zrem(command.key, encode(command.value))
    return lambda replies: bool(replies[0])


@_queue.register
def _(command: stm.CountInWindow, pipeline: Any) -> Decoder:
    pipeline.incr(command.key)
    pipeline.expire(command.key, command.window_seconds, nx=True)
    pipeline.pttl(command.key)
    return lambda replies: (int(replies[0]), int(replies[2]))


@_queue.register
def _(command: stm.SetIfNewer, pipeline: Any) -> None:
    pipeline.zadd(command.key, {encode(command.value): command.version}, gt=True)
    pipeline.zremrangebyrank(command.key, 0, -2)  # all but the highest
    pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: stm.GetVersioned, pipeline: Any) -> Decoder:
    pipeline.zrange(command.key, -1, -1, withscores=True)
    return lambda replies: next(((json.loads(one), int(version)) for one, version in replies[0]), None)


@_queue.register
def _(command: stm.IncrementCounters, pipeline: Any) -> None:
    for name in command.names:
        pipeline.hincrby(command.key, f"{_COUNT}{name}", 1)
        pipeline.hset(command.key, f"{_TIME}{name}", command.at_ms)
    pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: stm.ReadCounters, pipeline: Any) -> Decoder:
    pipeline.hgetall(command.key)
    return lambda replies: _counters({name.decode(): int(one) for name, one in replies[0].items()})


def _counters(fields: dict[str, int]) -> dict[str, tuple[int, int]]:
    names = [field.removeprefix(_COUNT) for field in fields if field.startswith(_COUNT)]
    return {name: (fields[f"{_COUNT}{name}"], fields[f"{_TIME}{name}"]) for name in names}


def _no_result(_: Sequence[Any]) -> None:
    return None
