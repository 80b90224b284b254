"""Every key of every store is built here, and every name that reaches a key is checked here."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from agent_memory.clock import to_iso
from agent_memory.errors import InvalidInput

_AGENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")
_TYPE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,62}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+:-]{0,254}\Z")
_STM_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=|-]{0,254}\Z")
_HORIZON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}\Z")
_MAX_CONTEXT_TYPE = 1024

REGISTRATION = "REGISTRATION"
ARCHIVE_PROGRESS = "ARCHIVE_PROGRESS"
LEARNING_PROGRESS = "LEARNING_PROGRESS"
ARCHIVE_CHAIN = "ARCHIVE_CHAIN"
REWRITES = "REWRITE#"
CURRENT_STATE = "CURRENT"
CHECKPOINTS = "CHECKPOINT#"
CONFIGURATIONS = "CONFIGURATION#"

STM_CONTEXT = "context:current"
STM_QUERIES = "queries:recent"
STM_SIGNALS = "signals:active"
STM_DECISIONS = "decision_chain"
STM_RATE_LIMITS = "ratelimit:"
STM_STATE = "state:current"


# --- names -------------------------------------------------------------------------------------


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


def check_memory_type(memory_type: object) -> str:
    """Return a usable memory type, or raise `InvalidInput`."""
    return _checked("memory_type", memory_type, _TYPE_NAME, "capitals, digits, '_'; 1 to 63, as PATTERN")


def check_pattern_id(pattern_id: object) -> str:
    """Return a usable pattern id, or raise `InvalidInput`."""
    return _checked("pattern_id", pattern_id, _NAME, "letters, digits, '.', '_', '=', '+', ':', '-'; 1 to 255")


def check_stm_key(key: object) -> str:
    """Return a usable short-term memory key, or raise `InvalidInput`."""
    return _checked("key", key, _STM_KEY, "letters, digits, '.', '_', ':', '=', '|', '-'; 1 to 255")


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


# --- decisions ---------------------------------------------------------------------------------


def decision_pk(agent_id: str, decision_type: str, shard: int = 0) -> str:
    """Partition of one agent's decisions of one type, `market-hunter#QUERY`; shards after the first add theirs."""
    return _sharded(f"{agent_id}#{decision_type}", shard)


def decision_sk(timestamp_ms: int, decision_id: str) -> str:
    """Place of a decision in its partition: by time, then by id."""
    return f"{to_iso(timestamp_ms)}#{decision_id}"


def outcome_pk(agent_id: str, shard: int = 0, *, success: bool) -> str:
    """Partition of the index `by_outcome`."""
    return _sharded(f"{agent_id}#{'true' if success else 'false'}", shard)


def context_pk(agent_id: str, context_type: str, shard: int = 0) -> str:
    """Partition of the index `by_context`."""
    return _sharded(f"{agent_id}#{context_type}", shard)


def link_pk(agent_id: str, decision_id: str) -> str:
    """Partition of the links from a decision to those that came of it; no decision type is in lower case."""
    return f"{agent_id}#after#{decision_id}"


def _sharded(partition: str, shard: int) -> str:
    return f"{partition}#{shard}" if shard else partition


def context_type_of(context: Mapping[str, Any]) -> str | None:
    """Canonical text of `context["market"]`: keys sorted, as `trend=bullish|volatility=high`.

    A market given as plain text stands for itself; without a market there is no context type.
    Reserved characters are percent-encoded, and a text over 1,024 characters ends in its digest.
    """
    market = context.get("market")
    if isinstance(market, Mapping):
        text = "|".join(f"{_plain(str(name))}={_plain(market[name])}" for name in sorted(market))
    elif market is not None:
        text = _plain(market)
    else:
        return None
    if len(text) > _MAX_CONTEXT_TYPE:
        text = f"{text[: _MAX_CONTEXT_TYPE - 65]}~{hashlib.sha256(text.encode()).hexdigest()}"
    return text or None


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return quote(text, safe=" ,.:;!?()[]<>*+-_/@$&'\"")


# --- long-term memory and state ----------------------------------------------------------------


def memory_pk(agent_id: str, memory_type: str) -> str:
    """Partition of one agent's memories of one type."""
    return f"{agent_id}#{memory_type}"


def history_pk(agent_id: str, memory_type: str) -> str:
    """Partition of the past versions of those memories."""
    return f"{agent_id}#{memory_type}#history"


def history_sk(pattern_id: str, version: int) -> str:
    """Place of one version; versions of a pattern lie side by side, oldest first."""
    return f"{pattern_id}#{version:010d}"


def checkpoint_state(name: str) -> str:
    """Type of the state that a named checkpoint is kept as."""
    return f"{CHECKPOINTS}{name}"


def configuration_state(version: int) -> str:
    """Type of the state that keeps the configuration which came with a version of the current state."""
    return f"{CONFIGURATIONS}{version:010d}"


def rewrite_state(day: date, token: str) -> str:
    """Type of the state that asks for one archived day to be written again."""
    return f"{REWRITES}{day.isoformat()}#{token}"


# --- short-term memory -------------------------------------------------------------------------


def stm_key(agent_id: str, key: str) -> str:
    """Redis key; the agent id is a hash tag, so that one agent's keys share a cluster slot."""
    return f"stm:{{{agent_id}}}:{key}"


def accesses_prefix(agent_id: str) -> str:
    """Begin of the keys that count reads of memories, day by day; clearing short-term memory does not meet them."""
    return f"stm:accesses:{{{agent_id}}}:"


# --- objects in the archive bucket -------------------------------------------------------------


def archive_prefix(agent_id: str) -> str:
    """Where the archived days of one agent lie."""
    return f"decisions/agent_id={agent_id}/"


def archive_day_prefix(agent_id: str, day: date) -> str:
    """Where one archived day lies."""
    return f"{archive_prefix(agent_id)}date={day.isoformat()}/"


def archive_file_key(agent_id: str, day: date) -> str:
    """The file of one archived day."""
    return f"{archive_day_prefix(agent_id, day)}decisions.parquet"


def archive_manifest_key(agent_id: str, day: date, revision: int) -> str:
    """The manifest of one writing of an archived day."""
    return f"{archive_day_prefix(agent_id, day)}_manifest-{revision:04d}.json"


def large_part_key(agent_id: str, decision_id: str, attribute: str, digest: str) -> str:
    """A part of a decision that is too large for its item; the digest of its content keeps replays harmless."""
    return f"large/agent_id={agent_id}/{decision_id}/{attribute}-{digest}.json"


def evidence_key(agent_id: str) -> str:
    """The rolling evidence that nightly learning reads."""
    return f"evidence/agent_id={agent_id}/evidence.parquet"


def report_key(agent_id: str, day: date) -> str:
    """The report of one night."""
    return f"reports/agent_id={agent_id}/date={day.isoformat()}/report.json"


def night_list_key(day: date, run: str) -> str:
    """The list of the agents that one run of a night works on."""
    return f"nights/date={day.isoformat()}/run={quote(run, safe='')}/agents.json"


def pruned_key(agent_id: str, memory_type: str, pattern_id: str, version: int) -> str:
    """The last version of a memory that was pruned."""
    return f"pruned/agent_id={agent_id}/memory_type={memory_type}/{quote(pattern_id, safe='')}/{version:010d}.json"


def object_prefixes(agent_id: str) -> list[str]:
    """Where everything of one agent in the bucket lies."""
    rooms = ("decisions", "large", "evidence", "reports", "pruned")
    return [f"{room}/agent_id={agent_id}/" for room in rooms]
