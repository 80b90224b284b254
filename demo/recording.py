"""What a hunter logs, taken down instead of sent. Ids follow from type, time and order: it can be lived again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory.core.ids import decision_id_for

Record = dict[str, Any]


class Recorder:
    """A decision logger that keeps decisions and outcomes by the cycle in which the decision was made.

    Decisions of a cycle lie a millisecond apart: the order of times is the order in which they were made.
    """

    def __init__(self, agent_id: str) -> None:
        self.agent_id = agent_id
        self.decisions: list[list[Record]] = []
        self.outcomes: dict[int, list[Record]] = defaultdict(list)
        self._cycle_of: dict[str, int] = {}

    def begin_cycle(self) -> None:
        """What is logged from now on belongs to the next cycle."""
        self.decisions.append([])

    async def log_decision(
        self, decision_type: str, context: Record, reasoning: Record, *, timestamp: datetime, **links: Any
    ) -> str:
        """Take down a decision and give it its id."""
        cycle = len(self.decisions) - 1
        at = timestamp + timedelta(milliseconds=len(self.decisions[cycle]))
        decision_id = decision_id_for(decision_type, at, f"{self.agent_id}/{cycle}/{len(self.decisions[cycle])}")
        self._cycle_of[decision_id] = cycle
        decision = {
            "decision_id": decision_id,
            "decision_type": str(decision_type),
            "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "context": context,
            "reasoning": reasoning,
            **{name: value for name, value in links.items() if value},
        }
        self.decisions[cycle].append(decision)
        return decision_id

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Take down several."""
        return [{"decision_id": await self.log_decision(**draft), "status": "created"} for draft in drafts]

    async def log_outcome(self, decision_id: str, outcome: Record, success: bool, **more: Any) -> None:
        """Take down what came of a decision; its time is when it is sent."""
        more.pop("timestamp", None)
        report = {"decision_id": decision_id, "outcome": outcome, "success": success, **more}
        self.outcomes[self._cycle_of[decision_id]].append(report)

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Take down several."""
        for report in reports:
            await self.log_outcome(**report)
        return [{"decision_id": report["decision_id"], "status": "recorded"} for report in reports]
