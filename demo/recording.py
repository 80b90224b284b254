"""`Recorder`: keeps what a hunter logs instead of sending it. Ids are derived from type, time and order."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory.core.ids import decision_id_for

Record = dict[str, Any]


class Recorder:
    """A decision logger that keeps decisions and outcomes by the cycle of the decision.

    The decisions of a cycle are one millisecond apart, so that the order of times is the order in which they were made.
    """

    def __init__(self, agent_id: str) -> None:
        self.agent_id = agent_id
        self.decisions: list[list[Record]] = []
        self.outcomes: dict[int, list[Record]] = defaultdict(list)
        self._cycle_of: dict[str, int] = {}
        self._time_of: dict[str, datetime] = {}

    def begin_cycle(self) -> None:
        """Start the next cycle."""
        self.decisions.append([])

    async def log_decision(
        self, decision_type: str, context: Record, reasoning: Record, *, timestamp: datetime, **links: Any
    ) -> str:
        """Record a decision, and return its id."""
        cycle = len(self.decisions) - 1
        at = timestamp + timedelta(milliseconds=len(self.decisions[cycle]))
        decision_id = decision_id_for(decision_type, at, f"{self.agent_id}/{cycle}/{len(self.decisions[cycle])}")
        self._cycle_of[decision_id] = cycle
        self._time_of[decision_id] = at
        decision = {
            "decision_id": decision_id,
            "decision_type": str(decision_type),
            "timestamp": _text(at),
            "context": context,
            "reasoning": reasoning,
            **{name: value for name, value in links.items() if value},
        }
        self.decisions[cycle].append(decision)
        return decision_id

    async def log_decisions(self, decisions: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Record several decisions."""
        return [{"decision_id": await self.log_decision(**one), "status": "created"} for one in decisions]

    async def log_outcome(self, decision_id: str, outcome: Record, success: bool, **more: Any) -> None:
        """Record the outcome of a decision, by default one that became known in the decision's own cycle."""
        timestamp = more.pop("timestamp", None) or self._time_of[decision_id]
        entry = {"decision_id": decision_id, "outcome": outcome, "success": success, "timestamp": _text(timestamp)}
        entry |= more
        self.outcomes[self._cycle_of[decision_id]].append(entry)

    async def log_outcomes(self, outcomes: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Record several outcomes."""
        for one in outcomes:
            await self.log_outcome(**one)
        return [{"decision_id": one["decision_id"], "status": "recorded"} for one in outcomes]


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
