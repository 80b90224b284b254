"""What the experiments of an agent have shown by a day, as memories: the nightly part of memory holdout.

Every job counts the arms anew from all evidence of the experiment, as it was known at the end of the day, so that it
can be repeated, and decisions that are not learned from any more are not counted either. Evidence is kept for 180 days:
an experiment ends then, and keeps what it has shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from agent_memory.core.clock import DAY_MS, to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.core.retention import EVIDENCE_KEPT_DAYS
from agent_memory.learning.numbers import MAX_RESULT
from agent_memory.learning.uplift import Arm, Observation, Stratum, pooled_pairs, randomized_uplift
from agent_memory.model.evidence import Evidence
from agent_memory.model.experiments import Experiment, LoggedAssignment
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.nightly.stored_memories import StoredMemories

RUNNING, ENDED = "running", "ended"
_LONGEST_MS = EVIDENCE_KEPT_DAYS * DAY_MS


@dataclass(slots=True)
class _Counted:
    """The decisions of one experiment and one decision type."""

    observations: dict[float, list[Observation]] = field(default_factory=dict)
    """By the share of units from which memory was withheld: it may be changed, and then arms are not comparable."""
    pairs: list[tuple[str, float]] = field(default_factory=list)
    pending: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    misassigned: int = 0
    first_ms: int = 0
    experiment: Experiment | None = None

    def add(self, row: Evidence, logged: LoggedAssignment, *, is_as_assigned: bool) -> None:
        assignment = logged.assignment
        self.experiment = assignment.experiment
        self.first_ms = min(self.first_ms or row.timestamp_ms, row.timestamp_ms)
        if not is_as_assigned:
            self.misassigned += 1
        elif row.success is None:
            self.pending[assignment.is_withheld] += 1
        else:
            unit = assignment.unit_id
            observation = Observation(unit, assignment.is_withheld, float(row.success))
            self.observations.setdefault(assignment.experiment.share, []).append(observation)
            difference = logged.difference
            if difference is not None and abs(difference) <= MAX_RESULT:
                self.pairs.append((unit, difference if abs(difference) >= 1 / MAX_RESULT else 0.0))

    def as_data(self) -> dict[str, Any]:
        strata = {share: Stratum.of(found) for share, found in sorted(self.observations.items())}
        pairs = Arm.of(self.pairs)
        return {
            "strata": [{"share": share, **stratum.as_data()} for share, stratum in strata.items()],
            **randomized_uplift(strata.values()).as_data(),
            "paired": {**asdict(pairs), **pooled_pairs([pairs]).as_data()} if self.pairs else None,
            "pending": {"memory": self.pending[False], "holdout": self.pending[True]},
            "misassigned": self.misassigned,
        }


def has_experiments(rows: Iterable[Evidence], stored: StoredMemories) -> bool:
    """Whether these rows of evidence, or what is stored, belong to an experiment that runs."""
    known = stored.of_type(MemoryType.EXPERIMENT).values()
    is_running = any(_is_own(one) and one.data["status"] == RUNNING for one in known)
    return is_running or any(one.experiments for one in rows)


def update_experiments(stored: StoredMemories, rows: Iterable[Evidence], end_ms: int) -> int:
    """Store what each experiment has shown in all its evidence; returns how many run.

    Args:
        stored: the memories of the agent.
        rows: the evidence that is kept, as it was known at the end of the day.
        end_ms: the end of the day.
    """
    counted: dict[str, dict[str, _Counted]] = {}
    for row in rows:
        for text in row.experiments:
            logged, is_as_assigned = _logged(text)
            if logged is not None:
                types = counted.setdefault(logged.assignment.experiment.name, {})
                types.setdefault(row.decision_type, _Counted()).add(row, logged, is_as_assigned=is_as_assigned)
    known = stored.of_type(MemoryType.EXPERIMENT)
    running = 0
    counted = {name: types for name, types in counted.items() if name not in known or _is_own(known[name])}
    for name, types in sorted(counted.items()):
        before = known.get(name)
        if before is not None and before.data["status"] == ENDED:
            continue
        data = _data(types, before, end_ms)
        running += data["status"] == RUNNING
        stored.put(MemoryType.EXPERIMENT, name, data, reason="figures updated")
    for name in known.keys() - counted.keys():
        memory = known[name]
        if _is_own(memory) and memory.data["status"] == RUNNING:
            data = {**memory.data, "status": ENDED, "confidence": memory.confidence}
            stored.put(MemoryType.EXPERIMENT, name, data, reason="no decisions left in the evidence")
    return running


def _data(types: Mapping[str, _Counted], before: Memory | None, end_ms: int) -> dict[str, Any]:
    first_ms = min(one.first_ms for one in types.values())
    began_ms = min(first_ms, before.data["began_ms"]) if before is not None else first_ms
    experiment = next(one.experiment for one in types.values() if one.experiment is not None)
    by_type = {name: one.as_data() for name, one in sorted(types.items())}
    found = dict(before.data.get("found_at", {})) if before is not None else {}
    for name, figures in by_type.items():
        if figures["excludes_zero"]:
            found.setdefault(name, to_iso(end_ms))
    return {
        "status": ENDED if end_ms - began_ms >= _LONGEST_MS else RUNNING,
        "began_ms": began_ms,
        "unit": experiment.unit,
        "share": experiment.share,
        "withholds": {"memory_type": experiment.memory_type, "memory_id": experiment.memory_id},
        "by_decision_type": by_type,
        "found_at": found,
        "confidence": None,
    }


def _is_own(memory: Memory) -> bool:
    """Whether the nightly job has stored a memory; one that an agent stored itself is left alone."""
    data = memory.data
    return (
        data.keys() >= {"status", "began_ms", "by_decision_type"}
        and isinstance(data["began_ms"], int)
        and isinstance(data.get("found_at", {}), dict)
    )


@lru_cache(maxsize=1 << 14)  # the job of the next day reads nearly the same again
def _logged(text: str) -> tuple[LoggedAssignment | None, bool]:
    """An assignment of the evidence, and whether its decision says of itself what its unit was assigned to."""
    try:
        logged = LoggedAssignment.from_text(text)
    except (InvalidInput, ValueError, TypeError):  # written by a later version
        return None, False
    return logged, logged.is_as_assigned
