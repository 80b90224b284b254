"""`Recorder`: keeps what a hunter logs instead of sending it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

Record = dict[str, Any]

_SIGNAL = "SIGNAL_GENERATION"


class Recorder:
    """A decision logger that keeps decisions and outcomes by the cycle of the decision, as it gets them."""

    write_shards = 1

    def __init__(self, agent_id: str) -> None:
        self.agent_id = agent_id
        self.decisions: list[list[Record]] = []
        self.outcomes: dict[int, list[Record]] = defaultdict(list)
        self._cycle_of: dict[str, int] = {}

    def begin_cycle(self) -> None:
        """Start the next cycle."""
        self.decisions.append([])

    async def log_decisions(self, decisions: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Record the decisions of the current cycle."""
        for one in decisions:
            self._cycle_of[one["decision_id"]] = len(self.decisions) - 1
            self.decisions[-1].append(dict(one))
        return [{"decision_id": one["decision_id"], "status": "created"} for one in decisions]

    async def log_outcomes(self, outcomes: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Record outcomes."""
        for one in outcomes:
            self.outcomes[self._cycle_of[one["decision_id"]]].append(dict(one))
        return [{"decision_id": one["decision_id"], "status": "recorded"} for one in outcomes]

    def judged_signals(self, cycle: int) -> list[tuple[Record, bool]]:
        """The signals of a cycle that have an outcome, with whether they were right."""
        signals = {one["decision_id"]: one for one in self.decisions[cycle] if one["decision_type"] == _SIGNAL}
        return [
            (signals[one["decision_id"]], bool(one["success"]))
            for one in self.outcomes[cycle]
            if one["decision_id"] in signals
        ]
