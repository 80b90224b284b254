"""Writes decisions and outcomes to the tier in which a decision is.

age       under 30 days     30-90 days                          over 90 days
tier      table             table and archive                   archive
write     to the table      requests a rewrite of that day      restores the decision into the table first
"""

from collections.abc import Sequence

from agent_memory.archive.rewrites import LateWriteTracker
from agent_memory.core.clock import DAY_MS, Clock
from agent_memory.core.errors import AgentMemoryError, as_outage
from agent_memory.core.retention import HOT_DAYS
from agent_memory.decisions.reader import DecisionReader
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.ports.decisions import WriteStatus
from agent_memory.ports.stores import Stores

# A day early, so that nothing expires between this check and the write.
_MAY_HAVE_EXPIRED_MS = (HOT_DAYS - 1) * DAY_MS


class TieredWriter:
    """The counterpart of `DecisionReader` for writes. The statuses are those of `DecisionStore`.

    Decisions younger than `archive.rewrites.LATE_AFTER_MS` are only in the table and can be written there directly.
    """

    def __init__(self, agent_id: str, stores: Stores, reader: DecisionReader, clock: Clock) -> None:
        self._decisions = stores.decisions
        self._reader = reader
        self._late_writes = LateWriteTracker(agent_id, stores.states, clock)
        self._clock = clock

    def insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write each decision unless its id is taken in either tier."""
        archived = self._archived([one.key for one in decisions])
        new = [one for one in decisions if one.decision_id not in archived]
        self._track([one.key for one in new])
        written = iter(self._decisions.insert(new) if new else [])
        statuses = [
            _status_of(archived[one.decision_id], one) if one.decision_id in archived else next(written)
            for one in decisions
        ]
        self._track([one.key for one in new])
        return statuses

    def record_outcomes(self, updates: Sequence[tuple[DecisionKey, OutcomeUpdate]]) -> list[WriteStatus]:
        """Apply each outcome, in whichever tier its decision is."""
        keys = [key for key, _ in updates]
        self._track(keys)
        statuses = self._decisions.record_outcomes(updates)
        missing = [key for key, one in zip(keys, statuses, strict=True) if one is WriteStatus.NOT_FOUND]
        archived = self._archived(missing)
        if archived:
            self._decisions.restore(list(archived.values()))
            retried = [index for index, key in enumerate(keys) if key.decision_id in archived]
            retried_statuses = self._decisions.record_outcomes([updates[index] for index in retried])
            for index, status in zip(retried, retried_statuses, strict=True):
                statuses[index] = status
        self._track(keys)
        return statuses

    def _track(self, keys: Sequence[DecisionKey]) -> None:
        try:
            self._late_writes.track(keys)
        except AgentMemoryError as error:  # not about the decisions
            raise as_outage(error) from error

    def _archived(self, keys: Sequence[DecisionKey]) -> dict[str, Decision]:
        """The archived decisions among those that may have expired from the table, by id."""
        oldest_ms = self._clock.now_ms() - _MAY_HAVE_EXPIRED_MS
        return self._reader.archived([key for key in keys if key.timestamp_ms < oldest_ms])


def _status_of(archived: Decision, decision: Decision) -> WriteStatus:
    return WriteStatus.UNCHANGED if archived.content() == decision.content() else WriteStatus.CONFLICT
