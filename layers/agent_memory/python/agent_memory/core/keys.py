"""The keys of every store are built here, from names that `core.ids` has checked."""

from datetime import date
from urllib.parse import quote

from agent_memory.core.clock import to_iso

REGISTRATION = "REGISTRATION"
ARCHIVE_PROGRESS = "ARCHIVE_PROGRESS"
LEARNING_STARTED = "LEARNING_STARTED"
LEARNING_PROGRESS = "LEARNING_PROGRESS"
ARCHIVE_CHAIN = "ARCHIVE_CHAIN"
ACTIVITY = "ACTIVITY"
LEARNING_CONTROLS = "LEARNING_CONTROLS"
NUMBER_LIMITS = "NUMBER_LIMITS"
REWRITES = "REWRITE#"
ROLLUPS = "ROLLUP#"
ROLLUP_CHANGES = "ROLLUP_CHANGE#"
ROLLUP_PROGRESS = "ROLLUP_PROGRESS"
LATE_OUTCOMES = "LATE_OUTCOMES#"
CURRENT_STATE = "CURRENT"
CHECKPOINTS = "CHECKPOINT#"
CONFIGURATIONS = "CONFIGURATION#"

_HISTORY = "#history"

STM_CONTEXT = "context:current"
STM_QUERIES = "queries:recent"
STM_SIGNALS = "signals:active"
STM_DECISIONS = "decision_chain"
STM_RATE_LIMITS = "ratelimit:"
STM_STATE = "state:current"


# --- decisions ---------------------------------------------------------------------------------


def decision_pk(agent_id: str, decision_type: str, shard: int = 0) -> str:
    """Partition of an agent's decisions of one type, as `market-hunter#QUERY`; shards after the first add a number."""
    return _sharded(f"{agent_id}#{decision_type}", shard)


def decision_sk(timestamp_ms: int, decision_id: str) -> str:
    """Sort key of a decision: its time, then its id."""
    return f"{to_iso(timestamp_ms)}#{decision_id}"


def context_pk(agent_id: str, context_type: str, shard: int = 0) -> str:
    """Partition of the indexes `by_context` and `by_context_keys`."""
    return _sharded(f"{agent_id}#{context_type}", shard)


def link_pk(agent_id: str, decision_id: str) -> str:
    """Partition of the links to the decisions that followed from one. Decision types are never in lower case."""
    return f"{agent_id}#after#{decision_id}"


def _sharded(partition: str, shard: int) -> str:
    return f"{partition}#{shard}" if shard else partition


# --- long-term memory and state ----------------------------------------------------------------


def memory_pk(agent_id: str, memory_type: str) -> str:
    """Partition of an agent's memories of one type."""
    return f"{agent_id}#{memory_type}"


def history_pk(agent_id: str, memory_type: str) -> str:
    """Partition of the versions of an agent's memories of one type that were replaced or removed, and of removals."""
    return f"{agent_id}#{memory_type}{_HISTORY}"


def is_history_pk(partition: str) -> bool:
    """Whether a partition of the table of memories is one of `history_pk`."""
    return partition.endswith(_HISTORY)


def own_types_pk(agent_id: str) -> str:
    """Partition of the item that names an agent's own types of memory; types are in capitals, so that none is meant."""
    return f"{agent_id}#types"


def changes_pk(agent_id: str) -> str:
    """Partition of the index `by_change`, the log of an agent's changed memories."""
    return f"{agent_id}#changes"


def history_sk(pattern_id: str, version: int) -> str:
    """Sort key of a version, so that a pattern's versions are adjacent, oldest first."""
    return f"{pattern_id}#{version:010d}"


def checkpoint_state_type(name: str) -> str:
    """Type of the state that stores a named checkpoint."""
    return f"{CHECKPOINTS}{name}"


def configuration_state_type(version: int) -> str:
    """Type of the state that stores the configuration of a version of the current state."""
    return f"{CONFIGURATIONS}{version:010d}"


def rewrite_state_type(day: date, token: str) -> str:
    """Type of the state that requests the rewrite of an archived day."""
    return f"{REWRITES}{day.isoformat()}#{token}"


def rollup_state_type(day: date) -> str:
    """Type of the state that stores the counts of a day."""
    return f"{ROLLUPS}{day.isoformat()}"


def rollup_change_state_type(day: date, period: int) -> str:
    """Type of the state that says that a day's decisions may have changed in a period of ten minutes."""
    return f"{ROLLUP_CHANGES}{day.isoformat()}#{period:010d}"


def late_outcomes_state_type(period: int, digest: str) -> str:
    """Type of the state that notes late outcomes of a period of ten minutes, by the digest of their decisions."""
    return f"{LATE_OUTCOMES}{period:010d}#{digest}"


def is_rollup(state_type: str) -> bool:
    """Whether a state is derived from decisions, so that it is neither exported nor imported."""
    return state_type.startswith((ROLLUPS, ROLLUP_CHANGES)) or state_type == ROLLUP_PROGRESS


# --- short-term memory -------------------------------------------------------------------------


def stm_key(agent_id: str, key: str) -> str:
    """Redis key. The agent id is a hash tag, so that an agent's keys share a cluster slot."""
    return f"stm:{{{agent_id}}}:{key}"


def performance_name(source: str, market: str) -> str:
    """Name of the figures of a source in a market; the last `:` separates them, so that no two pairs share a name."""
    return f"performance:{source}:{market.replace(':', '%3A')}"


def accesses_prefix(agent_id: str) -> str:
    """Prefix of the keys that count reads of memories by day. Clearing short-term memory does not remove them."""
    return f"stm:accesses:{{{agent_id}}}:"


# --- objects in the archive bucket -------------------------------------------------------------


def anchor_prefix(agent_id: str) -> str:
    """Prefix of the anchored ends of an agent's chain, in the bucket of another account."""
    return f"anchors/agent_id={agent_id}/"


def anchor_key(agent_id: str, sequence: int) -> str:
    """Key of an anchored end of a chain, by its number in it."""
    return f"{anchor_prefix(agent_id)}{sequence:08d}.json"


def archive_prefix(agent_id: str) -> str:
    """Prefix of an agent's archived days."""
    return f"decisions/agent_id={agent_id}/"


def archive_day_prefix(agent_id: str, day: date) -> str:
    """Prefix of one archived day."""
    return f"{archive_prefix(agent_id)}date={day.isoformat()}/"


def archive_file_key(agent_id: str, day: date) -> str:
    """Key of an archived day's file."""
    return f"{archive_day_prefix(agent_id, day)}decisions.parquet"


def archive_manifest_key(agent_id: str, day: date, revision: int) -> str:
    """Key of the manifest of one revision of an archived day."""
    return f"{archive_day_prefix(agent_id, day)}_manifest-{revision:04d}.json"


def large_part_key(agent_id: str, decision_id: str, attribute: str, digest: str) -> str:
    """Key of a part of a decision that is too large for its item. With the content's digest a retry changes nothing."""
    return f"large/agent_id={agent_id}/{decision_id}/{attribute}-{digest}.json"


def evidence_key(agent_id: str) -> str:
    """Key of the rolling evidence that the nightly job learns from, or of the list of its parts."""
    return f"{evidence_prefix(agent_id)}evidence.parquet"


def evidence_prefix(agent_id: str) -> str:
    """Prefix of an agent's evidence."""
    return f"evidence/agent_id={agent_id}/"


def evidence_part_key(agent_id: str, start_ms: int, digest: str) -> str:
    """Key of a part of a day's evidence, by where it starts. With the content's digest a retry changes nothing."""
    day, time = to_iso(start_ms).split("T")
    return f"{evidence_prefix(agent_id)}date={day}/from={quote(time, safe='')}-{digest}.parquet"


def decisions_read_prefix(agent_id: str, day: date | None = None) -> str:
    """Prefix of what the nightly jobs of an agent, or the one of a day, have read of its decisions in parts."""
    return f"{evidence_prefix(agent_id)}read/" + (f"date={day.isoformat()}/" if day else "")


def decisions_read_key(agent_id: str, day: date, start_ms: int, end_ms: int) -> str:
    """Key of what the nightly job of a day has read of the decisions of a span."""
    return f"{decisions_read_prefix(agent_id, day)}{start_ms}-{end_ms}.json.gz"


DIGESTS = "digests/"
"""Prefix of the digests of decisions, which are derived, so that they are neither exported nor imported."""


def digest_key(agent_id: str, day: date) -> str:
    """Key of the digest of a day's decisions."""
    return f"{DIGESTS}agent_id={agent_id}/date={day.isoformat()}/decisions.jsonl.gz"


def digest_manifest_key(agent_id: str) -> str:
    """Key of the list of an agent's digests."""
    return f"{DIGESTS}agent_id={agent_id}/manifest.json"


def report_prefix(agent_id: str) -> str:
    """Prefix of an agent's nightly reports."""
    return f"reports/agent_id={agent_id}/"


def report_key(agent_id: str, day: date) -> str:
    """Key of one nightly job's report."""
    return f"{report_prefix(agent_id)}date={day.isoformat()}/report.json"


CROWDING_PREFIX = "reports/crowding/"
"""Prefix of what is said about memories that several agents share."""


def crowding_key(day: date) -> str:
    """Key of the memories on which several agents acted at once on a day."""
    return f"{CROWDING_PREFIX}date={day.isoformat()}/crowding.json"


def nightly_agents_key(day: date, run: str) -> str:
    """Key of the list of agents that one nightly run processes."""
    return f"nights/date={day.isoformat()}/run={quote(run, safe='')}/agents.json"


def scheduled_start_key(scheduled_ms: int) -> str:
    """Key of the record of which run works for a start of the nightly schedule."""
    day, time = to_iso(scheduled_ms).split("T")
    return f"nights/date={day}/start={quote(time, safe='')}.json"


def pruned_key(agent_id: str, memory_type: str, pattern_id: str, version: int) -> str:
    """Key of the last version of a pruned memory."""
    return f"pruned/agent_id={agent_id}/memory_type={memory_type}/{quote(pattern_id, safe='')}/{version:010d}.json"


def object_prefixes(agent_id: str) -> list[str]:
    """Prefixes of all of an agent's objects."""
    folders = ("decisions/", "large/", "evidence/", "reports/", "pruned/", DIGESTS)
    return [f"{folder}agent_id={agent_id}/" for folder in folders]
