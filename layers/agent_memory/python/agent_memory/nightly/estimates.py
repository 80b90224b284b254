"""The nightly update of estimates: what to expect of each option of each choice (`learning.estimates`)."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from agent_memory.core.clock import DAY_MS, to_iso
from agent_memory.core.concurrency import map_concurrently
from agent_memory.learning.array_types import FloatArray
from agent_memory.learning.estimate_rows import result_rows
from agent_memory.learning.estimates import ResultRows, best_half_life, fit_estimates
from agent_memory.learning.evidence_table import EvidenceTable
from agent_memory.learning.expected_results import CHOICES, KNOWN_UNTIL, estimate_id
from agent_memory.learning.lifecycle import Status
from agent_memory.learning.numbers import MAX_RESULT, REWARDS
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.nightly.stored_memories import StoredMemories, has_status

SETTINGS_ID = "estimates"
"""The CONFIGURATION memory by which an agent names further choices, and rewards that come before those by convention:
`{"choices": ["reasoning.venue"], "rewards": ["outcome.r_multiple"]}`.
"""
_MAX_NAMED = 20
# Present in the memories that this job stores, and in no other.
_OWN_FIELD = "estimated_with_half_life_ms"


def update_estimates(
    stored: StoredMemories,
    tables: Sequence[EvidenceTable],
    choices: Sequence[str],
    thresholds: PatternThresholds,
    end_ms: int,
    *,
    rewards: Sequence[str] = REWARDS,
) -> dict[str, int]:
    """Store the current estimates; returns how many are active.

    An estimate whose choice has no decisions left in the evidence is deprecated and otherwise unchanged.
    """
    before = stored.of_type(MemoryType.ESTIMATE)
    current = dict(_estimates(tables, choices, rewards, thresholds, end_ms))
    # A memory that an agent stored itself under such an id is left alone.
    current = {name: data for name, data in current.items() if name not in before or _is_own(before[name])}
    outdated = [memory for name, memory in before.items() if _is_own(memory) and name not in current]

    def store(name: str) -> None:
        data = {**current[name], **_status(before.get(name), Status.ACTIVE, end_ms)}
        stored.put(MemoryType.ESTIMATE, name, data, reason="estimated anew")

    map_concurrently(store, sorted(current))
    for memory in outdated:
        data = {**memory.data, "confidence": memory.confidence, **_status(memory, Status.DEPRECATED, end_ms)}
        stored.put(MemoryType.ESTIMATE, memory.pattern_id, data, reason="no recent decisions")
    return {"estimates": len(current)}


class EstimateSettings(NamedTuple):
    """What an agent's estimates are made for.

    Attributes:
        choices: the paths of choices: those by convention, then those that it has named.
        rewards: the paths of rewards: those that it has named, then those by convention.
    """

    choices: tuple[str, ...] = CHOICES
    rewards: tuple[str, ...] = REWARDS


def estimate_settings(long_term: LongTermMemory, at_ms: int) -> EstimateSettings:
    """The settings of an agent as they were at a time."""
    found = long_term.find(MemoryType.CONFIGURATION, {"pattern_id": SETTINGS_ID}, as_of=to_iso(at_ms))

    def named(field: str) -> list[str]:
        values = found[0].data.get(field) if found else None
        return [one for one in values if isinstance(one, str)][:_MAX_NAMED] if isinstance(values, list) else []

    return EstimateSettings(
        choices=tuple(dict.fromkeys([*CHOICES, *named("choices")])),
        rewards=tuple(dict.fromkeys([*named("rewards"), *REWARDS])),
    )


def _estimates(
    tables: Sequence[EvidenceTable],
    choices: Sequence[str],
    rewards: Sequence[str],
    thresholds: PatternThresholds,
    end_ms: int,
) -> Iterator[tuple[str, dict[str, Any]]]:
    for table in tables:
        for choice in choices:
            rows = result_rows(table, choice, thresholds, end_ms) if len(table) else None
            if rows is not None:
                yield (
                    estimate_id(table.decision_type, choice),
                    {
                        "decision_type": table.decision_type,
                        "choice": choice,
                        KNOWN_UNTIL: to_iso(end_ms),
                        "facts": [list(facts) for facts in rows.facts],
                        **_description(table.decision_type, choice, rows),
                        "success": _fit(rows, thresholds),
                        **_reward(table, choice, rewards, thresholds, end_ms),
                        _OWN_FIELD: thresholds.half_life_ms,
                    },
                )


def _reward(
    table: EvidenceTable, choice: str, rewards: Sequence[str], thresholds: PatternThresholds, end_ms: int
) -> dict[str, Any]:
    """The estimate of the mean reward, with the path of the reward; nothing where no decision has one."""
    path = next((one for one in rewards if one in table.rewards), None)
    rows = None if path is None else result_rows(table, choice, thresholds, end_ms, _storable(table.rewards[path]))
    return {} if rows is None else {"reward": {"path": path, **_fit(rows, thresholds)}}


def _storable(rewards: FloatArray) -> FloatArray:
    """Rewards without those whose squares are too large to be stored; those whose squares are too small are 0."""
    sizes = np.abs(rewards)
    return np.where(sizes > MAX_RESULT, np.nan, np.where(sizes < 1 / MAX_RESULT, 0.0, rewards))


def _fit(rows: ResultRows, thresholds: PatternThresholds) -> dict[str, Any]:
    return fit_estimates(rows, best_half_life(rows, thresholds.half_life_ms / DAY_MS)).as_data()


def _description(decision_type: str, choice: str, rows: ResultRows) -> dict[str, Any]:
    return {
        "description": f"What to expect of each of {len(rows.options)} options of {choice} in {decision_type}",
        "decisions": len(rows.results),
    }


def _status(before: Memory | None, status: Status, end_ms: int) -> dict[str, str]:
    since = to_iso(end_ms)
    if before is not None and before.data.get("status") == status:
        since = min(before.data["status_since"], since)
    return {"status": str(status), "status_since": since}


def _is_own(memory: Memory) -> bool:
    return _OWN_FIELD in memory.data and has_status(memory)
