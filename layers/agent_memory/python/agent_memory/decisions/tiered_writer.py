"""Writes decisions and outcomes wherever the decision lies now: in the table, or only in the archive.

age       under 30 days     30-90 days                      over 90 days
lies in   table             table and archive               archive
a write   as it is          marks the day for rewriting     brings the decision back into the table first
"""

from collections.abc import Sequence

from agent_memory.archive.rewrites import LateWriteTracker
from agent_memory.core.clock import DAY_MS, Clock
from agent_memory.core.retention import HOT_DAYS
from agent_memory.decisions.reader import DecisionReader
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.ports.decisions import WriteStatus
from agent_memory.ports.stores import Stores

# A day early, so that nothing expires between the look at its age and the write.
_MAY_HAVE_LEFT_MS = (HOT_DAYS - 1) * DAY_MS


class TieredWriter:
    """The writing counterpart of `DecisionReader`. Every status is a store's: see `DecisionStore`."""

    def __init__(self, agent_id: str, stores: Stores, tiers: DecisionReader, clock: Clock) -> None:
        self._decisions = stores.decisions
        self._tiers = tiers
        self._late = LateWriteTracker(agent_id, stores.states, clock)
        self._clock = clock

    def insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write each decision unless its id is taken in either tier."""
        keys = [one.key for one in decisions]
        archived = self._archived(keys)
        new = [one for one in decisions if one.decision_id not in archived]
        self._late.track([one.key for one in new])
        written = iter(self._decisions.insert(new) if new else [])
        statuses = [
            _compared(archived[one.decision_id], one) if one.decision_id in archived else next(written)
            for one in decisions
        ]
        self._late.track([one.key for one in new])
        return statuses

    def record_outcomes(self, reports: Sequence[tuple[DecisionKey, OutcomeUpdate]]) -> list[WriteStatus]:
        """Take in each outcome, whichever tier its decision lies in."""
        keys = [key for key, _ in reports]
        self._late.track(keys)
        statuses = self._decisions.record_outcomes(reports)
        archived = self._archived(
            [key for key, one in zip(keys, statuses, strict=True) if one is WriteStatus.NOT_FOUND]
        )
        if archived:
            self._decisions.restore(list(archived.values()))
            again = [place for place, key in enumerate(keys) if key.decision_id in archived]
            for place, status in zip(
                again, self._decisions.record_outcomes([reports[place] for place in again]), strict=True
            ):
                statuses[place] = status
        self._late.track(keys)
        return statuses

    def _archived(self, keys: Sequence[DecisionKey]) -> dict[str, Decision]:
        """Those of the decisions that may have left the table which the archive holds, by id."""
        oldest_ms = self._clock.now_ms() - _MAY_HAVE_LEFT_MS
        return self._tiers.archived([key for key in keys if key.timestamp_ms < oldest_ms])


def _compared(archived: Decision, wanted: Decision) -> WriteStatus:
    return WriteStatus.UNCHANGED if archived.content() == wanted.content() else WriteStatus.CONFLICT
