"""Every key of every store is built here, and every name that reaches a key is checked here."""

from datetime import date
from urllib.parse import quote

from agent_memory.core.clock import to_iso

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


def nightly_agents_key(day: date, run: str) -> str:
    """The list of the agents that one run of a night works on."""
    return f"nights/date={day.isoformat()}/run={quote(run, safe='')}/agents.json"


def pruned_key(agent_id: str, memory_type: str, pattern_id: str, version: int) -> str:
    """The last version of a memory that was pruned."""
    return f"pruned/agent_id={agent_id}/memory_type={memory_type}/{quote(pattern_id, safe='')}/{version:010d}.json"


def object_prefixes(agent_id: str) -> list[str]:
    """Where everything of one agent in the bucket lies."""
    rooms = ("decisions", "large", "evidence", "reports", "pruned")
    return [f"{room}/agent_id={agent_id}/" for room in rooms]
