"""Commands of short-term memory as Redis commands, in one round trip.

Commands that write are one transaction. Reads alone are none: a server that refuses writes answers them still. All keys
of a call are of one agent, whose hash tag puts them into one slot of a cluster.
"""

import json
import math
from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any, NoReturn

from agent_memory.core.errors import Unreadable
from agent_memory.ports import short_term as stm
from agent_memory.storage.redis.answers import Action, answer_of

if TYPE_CHECKING:
    from agent_memory.storage.redis.connection import RedisClient

Decoder = Callable[[Sequence[Any]], Any]
"""Makes a command's result from the replies to its Redis commands."""

# Prefixes of a counter's two fields in a hash.
_COUNT, _TIME = "n:", "t:"


def run_commands(client: "RedisClient", commands: Sequence[stm.Command]) -> list[Any]:
    """The result of each command, in order. A value that cannot be read is an `Unreadable` in its place.

    Raises:
        TypeError, ValueError: a value is not JSON; nothing was sent. Unreadable: a command that writes found a key of
        another type. RedisError: of redis-py.
    """
    has_writes = not all(isinstance(command, stm.READS) for command in commands)
    pipeline: Any = client.pipeline(transaction=has_writes)
    decoders: list[tuple[int, Decoder]] = []
    for command in commands:
        before = len(pipeline)
        decoder = _queue(command, pipeline)
        decoders.append((len(pipeline) - before, decoder or _no_result))
    replies = iter(pipeline.execute(raise_on_error=False))
    return [
        _result(command, decoder, [next(replies) for _ in range(count)])
        for command, (count, decoder) in zip(commands, decoders, strict=True)
    ]


def encode(value: Any) -> str:
    """A value as JSON text; equal values have equal texts."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)


def decode(text: bytes | str) -> Any:
    """The value of a JSON text; `ValueError` if it is not JSON, as NaN is not."""
    try:
        return json.loads(text, parse_constant=_not_json, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def as_text(value: bytes | str) -> str:
    """A name as text, which a client that decodes responses has made already."""
    return value.decode() if isinstance(value, bytes) else value


def _result(command: stm.Command, decoder: Decoder, replies: Sequence[Any]) -> Any:
    error = next((reply for reply in replies if isinstance(reply, Exception)), None)
    if error is not None:
        answer, _ = answer_of(error)
        if answer.action is not Action.UNREADABLE:
            raise error
        unreadable = Unreadable(command.key, answer.meaning)
        if isinstance(command, stm.READS):
            return unreadable
        raise unreadable from error
    try:
        return decoder(replies)
    except (AttributeError, TypeError, ValueError) as error:  # a reply of another shape, as a proxy may send
        return Unreadable(command.key, f"it is not JSON as this package writes it: {type(error).__name__}")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_json(text)


def _not_json(text: str) -> NoReturn:
    raise ValueError(f"{text:.40} is not JSON")


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
    return lambda replies: None if replies[0] is None else decode(replies[0])


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
    return lambda replies: [decode(one) for one in replies[0]]


@_queue.register
def _(command: stm.AddScored, pipeline: Any) -> None:
    pipeline.zadd(command.key, {encode(command.value): command.score})
    pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: stm.ListScored, pipeline: Any) -> Decoder:
    pipeline.zrevrangebyscore(command.key, "+inf", command.min_score, withscores=True)
    return lambda replies: [(decode(one), float(score)) for one, score in replies[0]]


@_queue.register
def _(command: stm.RemoveScored, pipeline: Any) -> Decoder:
    pipeline.zrem(command.key, encode(command.value))
    return lambda replies: bool(replies[0])


@_queue.register
def _(command: stm.CountInWindow, pipeline: Any) -> Decoder:
    pipeline.set(command.key, 0, ex=command.window_seconds, nx=True)  # EXPIRE has no NX before Redis 7
    pipeline.incr(command.key)
    pipeline.pttl(command.key)
    return lambda replies: (int(replies[1]), int(replies[2]))


@_queue.register
def _(command: stm.SetIfNewer, pipeline: Any) -> None:
    pipeline.zadd(command.key, {encode(command.value): command.version}, gt=True)
    pipeline.zremrangebyrank(command.key, 0, -2)  # all but the highest
    pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: stm.GetVersioned, pipeline: Any) -> Decoder:
    pipeline.zrange(command.key, -1, -1, withscores=True)
    return lambda replies: next(((decode(one), int(version)) for one, version in replies[0]), None)


@_queue.register
def _(command: stm.IncrementCounters, pipeline: Any) -> None:
    for name in command.names:
        pipeline.hincrby(command.key, f"{_COUNT}{name}", 1)
        pipeline.hset(command.key, f"{_TIME}{name}", command.at_ms)
    pipeline.expire(command.key, command.ttl_seconds)


@_queue.register
def _(command: stm.ReadCounters, pipeline: Any) -> Decoder:
    pipeline.hgetall(command.key)
    return lambda replies: _counters({as_text(name): int(one) for name, one in replies[0].items()})


def _counters(fields: dict[str, int]) -> dict[str, tuple[int, int]]:
    names = [field.removeprefix(_COUNT) for field in fields if field.startswith(_COUNT)]
    return {name: (fields[f"{_COUNT}{name}"], fields.get(f"{_TIME}{name}", 0)) for name in names}


def _no_result(_: Sequence[Any]) -> None:
    return None
