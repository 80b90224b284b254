"""Commands of short-term memory as Redis commands, all in one transaction and one round trip."""

import json
from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from agent_memory.ports.short_term import (
    AddScored,
    Command,
    CountInWindow,
    GetValue,
    GetVersioned,
    IncrementCounters,
    ListScored,
    ListValues,
    PushValues,
    ReadCounters,
    RemoveScored,
    SetIfNewer,
    SetValue,
)

if TYPE_CHECKING:
    from redis import Redis

Answer = Callable[[Sequence[Any]], Any]

# A name's two fields in a hash.
_COUNT, _WHEN = "n:", "t:"


def run_commands(client: "Redis", commands: Sequence[Command]) -> list[Any]:
    """What each command answers, in order. They take effect together.

    Raises:
        TypeError, ValueError: a value is no JSON; nothing was sent.
    """
    pipeline = client.pipeline(transaction=True)
    readers: list[tuple[int, Answer]] = []
    for command in commands:
        before = len(pipeline)
        reader = _queue(command, pipeline)
        readers.append((len(pipeline) - before, reader or _nothing))
    told = iter(pipeline.execute())
    return [reader([next(told) for _ in range(count)]) for count, reader in readers]


def encoded(value: Any) -> str:
    """A value as it lies in the cache; equal values are equal texts."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)


@singledispatch
def _queue(command: Command, _: Any) -> Answer | None:
    """Put a command into the pipeline; returns how to read what it is answered with, None where it answers None."""
    raise TypeError(f"{type(command).__name__} is no command of short-term memory")


@_queue.register
def _(command: SetValue, pipeline: Any) -> None:
    pipeline.set(command.key, encoded(command.value), ex=command.ttl_seconds)


@_queue.register
def _(command: GetValue, pipeline: Any) -> Answer:
    pipeline.get(command.key)
    return lambda told: None if told[0] is None else json.loads(told[0])


@_queue.register
def _(command: PushValues, pipeline: Any) -> None:
    values = list(map(encoded, command.values))
    for value in values:
        pipeline.lrem(command.key, 0, value)
    if values:
        pipeline.lpush(command.key, *values)
        pipeline.ltrim(command.key, 0, command.keep - 1)
        pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: ListValues, pipeline: Any) -> Answer:
    pipeline.lrange(command.key, 0, command.count - 1)
    return lambda told: [json.loads(one) for one in told[0]]


@_queue.register
def _(command: AddScored, pipeline: Any) -> None:
    pipeline.zadd(command.key, {encoded(command.value): command.score})
    pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: ListScored, pipeline: Any) -> Answer:
    pipeline.zrevrangebyscore(command.key, "+inf", command.least, withscores=True)
    return lambda told: [(json.loads(one), float(score)) for one, score in told[0]]


@_queue.register
def _(command: RemoveScored, pipeline: Any) -> Answer:
    pipeline.zrem(command.key, encoded(command.value))
    return lambda told: bool(told[0])


@_queue.register
def _(command: CountInWindow, pipeline: Any) -> Answer:
    pipeline.incr(command.key)
    pipeline.expire(command.key, command.window_seconds, nx=True)
    pipeline.pttl(command.key)
    return lambda told: (int(told[0]), int(told[2]))


@_queue.register
def _(command: SetIfNewer, pipeline: Any) -> None:
    pipeline.zadd(command.key, {encoded(command.value): command.version}, gt=True)
    pipeline.zremrangebyrank(command.key, 0, -2)  # all but the highest
    pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: GetVersioned, pipeline: Any) -> Answer:
    pipeline.zrange(command.key, -1, -1, withscores=True)
    return lambda told: next(((json.loads(one), int(version)) for one, version in told[0]), None)


@_queue.register
def _(command: IncrementCounters, pipeline: Any) -> None:
    for name in command.names:
        pipeline.hincrby(command.key, f"{_COUNT}{name}", 1)
        pipeline.hset(command.key, f"{_WHEN}{name}", command.at_ms)
    pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: ReadCounters, pipeline: Any) -> Answer:
    pipeline.hgetall(command.key)
    return lambda told: _counted({name.decode(): int(one) for name, one in told[0].items()})


def _counted(fields: dict[str, int]) -> dict[str, tuple[int, int]]:
    names = [field.removeprefix(_COUNT) for field in fields if field.startswith(_COUNT)]
    return {name: (fields[f"{_COUNT}{name}"], fields[f"{_WHEN}{name}"]) for name in names}


def _nothing(_: Sequence[Any]) -> None:
    return None
