"""Takes back what the nightly job has learned since a day, so that the next job learns those days again.

For use after decisions were excluded from learning (`memory.learning_controls`): every memory that a job changed since
returns to its version before that day, and the days count as not learned. The next job makes up for them in order, with
what holds by then. The history keeps every version.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from agent_memory.core.clock import check_day_has_ended, day_start_ms
from agent_memory.core.errors import InvalidInput
from agent_memory.core.retention import EVIDENCE_DAYS
from agent_memory.core.retries import retry_conflicts
from agent_memory.memory.learning_controls import LearningControls, Rebuild, read_controls
from agent_memory.memory.long_term import LongTermMemory, is_quarantined
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.nightly import NIGHTLY_JOB
from agent_memory.nightly.days import LearnedDays
from agent_memory.nightly.number_limits import forget_limits_since
from agent_memory.nightly.stored_memories import LEARNED
from agent_memory.ports.stores import Stores

_DAY = timedelta(days=1)


def forget_learning_since(agent_id: str, day: date, stores: Stores, *, by: str, reason: str) -> dict[str, Any]:
    """Take back what was learned of an agent from `day` on; calling it again after a failure continues.

    A memory that only agents or people have changed since is left alone, and so is one that was pruned before.

    An earlier rebuild that reached further back is repeated: `since` is its day then.

    Returns:
        `agent_id`, `since`, `reverted` and `removed`: the ids of the memories that returned to an earlier version, and
        of those that did not exist before `day`; and `learned_through`, the day before it.

    Raises:
        InvalidInput: the day has not ended, is too old to be learned again, or was not learned yet.
        Conflict: a nightly job is running. Unavailable: a store did not respond.
    """
    check_day_has_ended(day, stores.clock)
    days = LearnedDays(agent_id, stores)
    progress = days.progress()
    if progress.last is None or progress.last < day - _DAY:
        raise InvalidInput("since", f"{day} was not learned yet; the last day of {agent_id} is {progress.last}")
    if day <= progress.last - EVIDENCE_DAYS * _DAY:
        raise InvalidInput("since", f"{day} is too old: jobs learn from the last {EVIDENCE_DAYS} days only")
    controls = LearningControls(agent_id, stores.states, stores.clock, by=by)
    day = _first_day(day, read_controls(stores.states, agent_id).rebuilds)
    controls.record_rebuild(day)
    reverted, removed = _Reverting(agent_id, day, stores, by=by, reason=reason).run()
    forget_limits_since(agent_id, day, stores.states, stores.clock)
    days.forget_since(day, progress)
    return {
        "agent_id": agent_id,
        "since": day.isoformat(),
        "reverted": reverted,
        "removed": removed,
        "learned_through": (day - _DAY).isoformat(),
    }


def _first_day(day: date, rebuilds: Sequence[Rebuild]) -> date:
    """The day to go back to: not into what was learned before an earlier rebuild replaced it.

    Versions learned before and after a rebuild are of the same days, and only the later ones are right.
    """
    for one in reversed(rebuilds):
        if one.since < day and day_start_ms(day) < one.at_ms:
            day = one.since
    return day


class _Reverting:
    """Returns the learned memories of an agent to what they were before a day."""

    def __init__(self, agent_id: str, day: date, stores: Stores, *, by: str, reason: str) -> None:
        self._agent_id = agent_id
        self._before_ms = day_start_ms(day)
        self._memories = stores.memories
        self._long_term = LongTermMemory(agent_id, stores.memories, stores.clock, writer=by)
        self._reason = reason

    def run(self) -> tuple[list[str], list[str]]:
        """The ids of the memories that were reverted, and of those that were removed."""
        reverted: list[str] = []
        removed: list[str] = []
        for memory_type in LEARNED:
            versions: dict[str, list[Memory]] = {}
            for one in self._memories.all_versions(self._agent_id, memory_type):
                versions.setdefault(one.pattern_id, []).append(one)
            for pattern_id, history in versions.items():
                if is_quarantined(history[-1]) or not self._was_learned_since(history):
                    continue
                earlier = self._before(history)
                if earlier is None:
                    removed += [pattern_id] if self._remove(memory_type, pattern_id) else []
                elif revert(self._long_term, earlier, reason=self._reason).version != history[-1].version:
                    reverted.append(pattern_id)
        return reverted, removed

    def _was_learned_since(self, history: list[Memory]) -> bool:
        """Whether a job has changed the memory for one of the days, and it is not as before them already."""
        return any(one.changed_by == NIGHTLY_JOB and one.updated_ms > self._before_ms for one in history)

    def _before(self, history: list[Memory]) -> Memory | None:
        """The version that was current before the day; None if there was none. A job's version is of the day's end."""
        earlier = [one for one in history if one.updated_ms <= self._before_ms]
        return earlier[-1] if earlier and not earlier[-1].is_removed else None

    def _remove(self, memory_type: MemoryType, pattern_id: str) -> bool:
        def attempt() -> bool:
            current = self._memories.get(self._agent_id, memory_type, pattern_id)
            if current is None:
                return False
            self._long_term.remove(current, reason=self._reason)
            return True

        return retry_conflicts(attempt)


def revert(long_term: LongTermMemory, version: Memory, *, reason: str) -> Memory:
    """Store an earlier version's data and confidence as the next version of a memory."""
    data = {**version.data, "confidence": version.confidence}
    return long_term.put(version.memory_type, version.pattern_id, data, reason=reason)
