"""Identifiers: checks of the names that callers choose, and decision ids.

A decision id is a UUID that contains the decision's time and type. Layout (RFC 9562, version 8, which leaves the fields
to the application):

    48 bits  milliseconds since the Unix epoch    -> ids sort by time
     4 bits  version, 8
    12 bits  type tag, high part
     2 bits  variant
    12 bits  type tag, low part
     5 bits  shard, the write partition of the decision
    45 bits  random, or a digest of the caller's name for the decision

The type tag is a digest of the decision type's name. A reader that knows which types an agent uses can derive a
decision's key from its id alone, without an index or a lookup table. The shard is chosen when the id is made, so that a
change of `write_shards` never moves a decision.
"""

import hashlib
import re
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import Instant, SystemClock, parse_instant
from agent_memory.core.errors import InvalidInput, shown
from agent_memory.core.forks import call_in_child
from agent_memory.core.json_values import plain_json

MAX_SHARDS = 32

FIRST_ID, LAST_ID = "00000000-0000-8000-8000-000000000000", "ffffffff-ffff-8fff-bfff-ffffffffffff"
"""What sorts before and after the ids of all decisions, in keys with the same time."""

_AGENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")
_TYPE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,62}\Z")
# Names may be symbols as markets write them: BTC/USDT:USDT, ^GSPC, BRK.B, ES=F, $BTC, @ES, M&M.NS, ES1!. No name has a
# character that separates the parts of a key (#), of a glob pattern (*?[]\) or of an encoded name (%~), and none
# consists of dots only, which a path would not keep.
_NAME = re.compile(r"(?!\.+\Z)[A-Za-z0-9./^@$&!][A-Za-z0-9._=+:/^@$&!-]{0,254}\Z")
_STM_KEY = re.compile(r"(?!\.+\Z)[A-Za-z0-9./^@$&!][A-Za-z0-9._:=|+/^@$&!-]{0,254}\Z")
_SOURCE = re.compile(r"(?!\.+\Z)[A-Za-z0-9._:=|+/^@$&!-]{1,255}\Z")
_NAME_CHARACTERS = "1 to 255 letters, digits and '._=+:/^@$&!-', not beginning with one of '_=+:-'"
_STM_KEY_CHARACTERS = "1 to 255 letters, digits and '._:=|+/^@$&!-', not beginning with one of '_:=|+-'"
_HORIZON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}\Z")

_ID_BITS = 128
_RANDOM_BITS = 45
_SHARD_BITS = 5
_TAG_LOW_SHIFT = _RANDOM_BITS + _SHARD_BITS
_TAG_LOW_BITS = 12
_TAG_LOW_MASK = (1 << _TAG_LOW_BITS) - 1
_VERSION = 8
_VARIANT = 0b10
_TAILS_FORMAT = "=64Q"
_tails: list[int] = []
call_in_child(_tails.clear)  # else its ids could be those of its parent
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")

PATTERNS: Mapping[str, re.Pattern[str]] = {
    "agent_id": _AGENT_ID,
    "checkpoint": _NAME,
    "decision_id": _CANONICAL,
    "horizon": _HORIZON,
    "pattern_id": _NAME,
    "source_id": _SOURCE,
    "stm_key": _STM_KEY,
    "type": _TYPE_NAME,
}
"""What each kind of identifier consists of, for documents; the functions below check it."""


# --- names ---------------------------------------------------------------------------------------


def check_agent_id(agent_id: object, field: str = "agent_id") -> str:
    """Return a valid agent id, or raise `InvalidInput`."""
    return _checked(field, agent_id, _AGENT_ID, "1 to 63 lower-case letters, digits, '.', '_', '-'")


def check_pools(pools: object) -> tuple[str, ...]:
    """Return valid names of pools, which are agent ids, each once, or raise `InvalidInput`."""
    names = plain_json(pools, "pools")
    if not isinstance(names, list):
        raise InvalidInput("pools", f"expected a list of agent ids, got {type(pools).__name__}")
    return tuple(dict.fromkeys(check_agent_id(name, f"pools/{index}") for index, name in enumerate(names)))


def check_decision_type(decision_type: object) -> str:
    """Return a valid decision type, or raise `InvalidInput`."""
    return _checked("decision_type", decision_type, _TYPE_NAME, "1 to 63 capitals, digits, '_', as in SOURCE_SELECTION")


def check_memory_type(memory_type: object, field: str = "memory_type") -> str:
    """Return a valid memory type, or raise `InvalidInput`."""
    return _checked(field, memory_type, _TYPE_NAME, "1 to 63 capitals, digits, '_', as in PATTERN")


def check_pattern_id(pattern_id: object, field: str = "pattern_id") -> str:
    """Return a valid pattern id, or raise `InvalidInput`."""
    return _checked(field, pattern_id, _NAME, _NAME_CHARACTERS)


def check_stm_key(key: object, field: str = "key") -> str:
    """Return a valid key of short-term memory, or raise `InvalidInput`."""
    return _checked(field, key, _STM_KEY, _STM_KEY_CHARACTERS)


def check_source(source: object, field: str) -> str:
    """Return a valid name of a source or a market, which is a part of a key, or raise `InvalidInput`."""
    return _checked(field, source, _SOURCE, "1 to 255 letters, digits and '._:=|+/^@$&!-'")


def check_checkpoint(name: object) -> str:
    """Return a valid name of a checkpoint, or raise `InvalidInput`."""
    return _checked("name", name, _NAME, _NAME_CHARACTERS)


def check_horizon(horizon: object) -> str:
    """Return a valid name of an outcome's horizon, or raise `InvalidInput`."""
    return _checked("horizon", horizon, _HORIZON, "1 to 63 letters, digits, '.', '_', '+', '-', as in 1h or exit")


# --- names of an agent in AWS -----------------------------------------------------------------------

_ALIAS_PREFIX = "agent-"
_QUALIFIER = 7  # arn:aws:lambda:region:account:function:name:alias
_DOT_IN_ALIAS = "DOT"  # an alias cannot contain a dot, and an agent id no capitals


def alias_of(agent_id: str) -> str:
    """The alias of the API's function by which an agent invokes it directly, as `agent-market-hunter`."""
    return _ALIAS_PREFIX + check_agent_id(agent_id).replace(".", _DOT_IN_ALIAS)


def agent_of_alias(alias: str) -> str | None:
    """The agent of an alias that `alias_of` names; None if it is another one."""
    agent_id = alias.removeprefix(_ALIAS_PREFIX).replace(_DOT_IN_ALIAS, ".")
    return agent_id if alias != agent_id and _AGENT_ID.match(agent_id) and alias_of(agent_id) == alias else None


def agent_of_arn(invoked_function_arn: str) -> str | None:
    """The agent by whose alias a function was invoked; None if it was not an agent's alias."""
    parts = invoked_function_arn.split(":")
    return agent_of_alias(parts[_QUALIFIER]) if len(parts) > _QUALIFIER else None


# --- names in HTTP paths -------------------------------------------------------------------------


def path_name(name: str) -> str:
    """A name as one segment of a path: `/` is written `~1`, as in a JSON Pointer, so that no proxy can split it."""
    return name.replace("/", "~1")


def name_in_path(segment: str) -> str:
    """The name that a segment of a path stands for."""
    return segment.replace("~1", "/")


# --- ids of decisions ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IdParts:
    """The parts of a decision id: the time of the decision, the tag of its type, and its shard."""

    timestamp_ms: int
    type_tag: int
    shard: int


@lru_cache(maxsize=1024)
def type_tag(decision_type: str) -> int:
    """The 24-bit tag of a decision type: the first bits of the SHA-256 of its name."""
    return int.from_bytes(hashlib.sha256(decision_type.encode()).digest()[:3])


def new_decision_id(decision_type: str, timestamp_ms: int | None = None, *, write_shards: int = 1) -> str:
    """A new id for a decision of this type and time, in a random shard.

    Make it before `log_decision`, so that a call which was cancelled or timed out can be repeated with the same id.

    Args:
        decision_type: the type that the decision will be logged with.
        timestamp_ms: when the decision is made, in milliseconds since the Unix epoch; by default now.
        write_shards: number of partitions (1 to 32) that new decisions are distributed over: `logger.write_shards`.

    Raises:
        InvalidInput: not a decision type, or not a number of shards.
    """
    check_decision_type(decision_type)
    if timestamp_ms is None:
        timestamp_ms = SystemClock().now_ms()
    return random_id(decision_type, timestamp_ms, write_shards=write_shards)


def random_id(decision_type: str, timestamp_ms: int, *, write_shards: int) -> str:
    """`new_decision_id` for a decision type that was checked before."""
    if write_shards != 1:
        check_integer("write_shards", write_shards, minimum=1, maximum=MAX_SHARDS)
    shard = secrets.randbelow(write_shards) if write_shards > 1 else 0
    return _compose(decision_type, timestamp_ms, shard, _random_tail())


def decision_id_for(decision_type: str, at: Instant, name: str, *, write_shards: int = 1) -> str:
    """The same id for the same type, time, name and number of shards, so that a retry logs the same decision."""
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    return _compose(decision_type, parse_instant(at, "at"), digest % write_shards, digest >> (64 - _RANDOM_BITS))


def shard_of(decision_id: str) -> int:
    """The shard in a decision id; 0 if there is only one."""
    return (int(decision_id[19:23], 16) & 0b11) << 3 | int(decision_id[24], 16) >> 1


def timestamp_of(decision_id: str) -> int:
    """The time in a decision id, in milliseconds since the epoch."""
    return int(decision_id[:8] + decision_id[9:13], 16)


def check_decision_id(decision_id: object, field: str = "decision_id") -> str:
    """Return a valid decision id, or raise `InvalidInput`."""
    text = decision_id if type(decision_id) is str else plain_json(decision_id, field)
    if not isinstance(text, str) or not _CANONICAL.match(text):
        raise InvalidInput(field, f"{shown(text, 60)} is not a decision id (a lower-case version 8 UUID)")
    return text


def is_decision_id(text: str) -> bool:
    """Whether a text has the form of a decision id."""
    return _CANONICAL.match(text) is not None


def parse_decision_id(decision_id: object, field: str = "decision_id") -> IdParts:
    """The parts of a decision id.

    Raises:
        InvalidInput: not a decision id.
    """
    text = check_decision_id(decision_id, field)
    return IdParts(timestamp_of(text), tag_of(text), shard_of(text))


def tag_of(decision_id: str) -> int:
    """The tag of a decision id's type."""
    number = int(decision_id.replace("-", ""), 16)
    high = (number >> 64) & 0xFFF
    low = (number >> _TAG_LOW_SHIFT) & _TAG_LOW_MASK
    return high << _TAG_LOW_BITS | low


def _random_tail() -> int:
    """Random bits for an id; drawn for many ids at once, because each draw is a call of the system."""
    while True:
        try:
            return _tails.pop()
        except IndexError:
            drawn = struct.unpack(_TAILS_FORMAT, secrets.token_bytes(struct.calcsize(_TAILS_FORMAT)))
            _tails.extend([one >> (64 - _RANDOM_BITS) for one in drawn])


def _compose(decision_type: str, timestamp_ms: int, shard: int, tail: int) -> str:
    tag = type_tag(decision_type)
    number = (
        timestamp_ms << 80
        | _VERSION << 76
        | (tag >> _TAG_LOW_BITS) << 64
        | _VARIANT << 62
        | (tag & _TAG_LOW_MASK) << _TAG_LOW_SHIFT
        | shard << _RANDOM_BITS
        | tail
    )
    if number >> _ID_BITS:
        raise ValueError(f"a decision id cannot have the time {timestamp_ms} ms; it has 48 bits for it")
    text = f"{number:032x}"  # as `str(uuid.UUID(int=number))`, in a third of the time
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _checked(field: str, value: object, pattern: re.Pattern[str], allowed: str) -> str:
    name = value if type(value) is str else plain_json(value, field)
    if not isinstance(name, str) or not pattern.match(name):
        raise InvalidInput(field, f"{shown(name, 80)} is invalid; use {allowed}")
    return name
