"""Records which decisions were amended after their day: the nightly job reads them again (`nightly.amendments`)."""

from collections.abc import Sequence

from agent_memory.core.clock import DAY_MS, HOUR_MS, Clock
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import AgentMemoryError, Conflict, as_outage
from agent_memory.core.keys import LEARNING_PROGRESS, amendment_state_type
from agent_memory.core.remembered import note
from agent_memory.core.retention import EVIDENCE_KEPT_DAYS
from agent_memory.model.decisions import DecisionKey
from agent_memory.ports.states import StateStore

# Of several amendments of a decision in this time there is one record. It is shorter than the time for which a job
# keeps a record that it has read.
_PERIOD_MS = HOUR_MS // 6


class AmendmentTracker:
    """Records which decisions of days that have ended are amended, once an agent has learned anything."""

    def __init__(self, agent_id: str, states: StateStore, clock: Clock) -> None:
        self.agent_id = agent_id
        self._states = states
        self._clock = clock
        self._has_learned = False
        note(self)

    def drop_remembered(self) -> None:
        """Ask again whether the agent has learned anything: it was erased."""
        self._has_learned = False

    def track(self, keys: Sequence[DecisionKey]) -> None:
        """Record that decisions will be amended; call it before that is done.

        `Unavailable` if it cannot be recorded, whatever the reason: it is not about the decisions.
        """
        now_ms = self._clock.now_ms()
        today_ms = now_ms - now_ms % DAY_MS
        due = [one for one in keys if today_ms - EVIDENCE_KEPT_DAYS * DAY_MS <= one.timestamp_ms < today_ms]
        if not due:
            return
        try:
            self._has_learned = self._has_learned or self._states.get(self.agent_id, LEARNING_PROGRESS) is not None
            if self._has_learned:
                map_concurrently(lambda key: self._record(key, now_ms), due)
        except AgentMemoryError as error:
            raise as_outage(error) from error

    def _record(self, key: DecisionKey, now_ms: int) -> None:
        name = amendment_state_type(key.decision_id, now_ms // _PERIOD_MS)
        data = {"decision_type": key.decision_type, "timestamp_ms": key.timestamp_ms, "decision_id": key.decision_id}
        try:
            self._states.put(self.agent_id, name, data, expected_version=0, now_ms=now_ms)
        except Conflict:
            return  # it was recorded in the same period
