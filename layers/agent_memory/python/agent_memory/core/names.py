"""Every name that reaches a key is checked here."""

import re
from collections.abc import Sequence

from agent_memory.core.errors import InvalidInput

_AGENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")
_TYPE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,62}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+:-]{0,254}\Z")
_STM_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=|-]{0,254}\Z")
_HORIZON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}\Z")


def check_agent_id(agent_id: object, field: str = "agent_id") -> str:
    """Return a usable agent id, or raise `InvalidInput`."""
    return _checked(field, agent_id, _AGENT_ID, "lower-case letters, digits, '.', '_', '-'; 1 to 63")


def check_pools(pools: object) -> tuple[str, ...]:
    """Return usable names of pools, which are agent ids, or raise `InvalidInput`."""
    if isinstance(pools, str) or not isinstance(pools, Sequence):
        raise InvalidInput("pools", f"expected a list of agent ids, got {type(pools).__name__}")
    return tuple(check_agent_id(pool, f"pools/{place}") for place, pool in enumerate(pools))


def check_decision_type(decision_type: object) -> str:
    """Return a usable decision type, or raise `InvalidInput`."""
    return _checked("decision_type", decision_type, _TYPE_NAME, "capitals, digits, '_'; 1 to 63, as SOURCE_SELECTION")


def check_memory_type(memory_type: object, field: str = "memory_type") -> str:
    """Return a usable memory type, or raise `InvalidInput`."""
    return _checked(field, memory_type, _TYPE_NAME, "capitals, digits, '_'; 1 to 63, as PATTERN")


def check_pattern_id(pattern_id: object) -> str:
    """Return a usable pattern id, or raise `InvalidInput`."""
    return _checked("pattern_id", pattern_id, _NAME, "letters, digits, '.', '_', '=', '+', ':', '-'; 1 to 255")


def check_stm_key(key: object, field: str = "key") -> str:
    """Return a usable short-term memory key, or raise `InvalidInput`."""
    return _checked(field, key, _STM_KEY, "letters, digits, '.', '_', ':', '=', '|', '-'; 1 to 255")


def check_checkpoint(name: object) -> str:
    """Return a usable name of a checkpoint, or raise `InvalidInput`."""
    return _checked("name", name, _NAME, "letters, digits, '.', '_', '=', '+', ':', '-'; 1 to 255")


def check_horizon(horizon: object) -> str:
    """Return a usable name of an outcome's horizon, or raise `InvalidInput`."""
    return _checked("horizon", horizon, _HORIZON, "letters, digits, '.', '_', '+', '-'; 1 to 63, as 1h or exit")


def _checked(field: str, value: object, pattern: re.Pattern[str], allowed: str) -> str:
    if not isinstance(value, str) or not pattern.match(value):
        raise InvalidInput(field, f"{value!r:.80} is not usable; allowed are {allowed} characters")
    return str(value)
