"""What one cycle of the market hunter leaves behind: decisions, outcomes, and the data in short-term memory.

It is plain JSON data, so that it is stored with the agent's state before it is logged, and can be logged again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from agent_memory import DecisionType
from agent_memory.core.clock import to_iso
from agent_memory.core.ids import decision_id_for

LogEntry = dict[str, Any]
"""Arguments of `log_decision`, of `log_outcome` or of `write_cycle`."""


@dataclass(slots=True)
class CycleReport:
    """The decisions and outcomes of one cycle, as arguments of `log_decision` and `log_outcome`.

    A decision's id is derived from the agent, the cycle, its time and its step, so that logging it again changes
    nothing. The decisions are a millisecond apart, so that the order of their times is that in which they were made.

    Attributes:
        agent: name of the agent.
        cycle: number of the cycle.
        at_ms: time of the cycle, in milliseconds since the epoch.
        decisions: in order; a parent precedes its children.
        outcomes: of these and of earlier decisions.
        short_term: arguments of `write_cycle`.
        signals: what the cycle returned.
    """

    agent: str
    cycle: int
    at_ms: int
    decisions: list[LogEntry] = field(default_factory=list)
    outcomes: list[LogEntry] = field(default_factory=list)
    short_term: LogEntry = field(default_factory=dict)
    signals: list[LogEntry] = field(default_factory=list)

    def add_decision(
        self,
        decision_type: DecisionType,
        context: LogEntry,
        reasoning: LogEntry,
        *,
        step: str,
        write_shards: int = 1,
        **more: Any,
    ) -> str:
        """Add a decision and return its id. `step` names it within the cycle: `query`, `signal/momentum`."""
        at = to_iso(self.at_ms + len(self.decisions))
        name = f"{self.agent}/{self.cycle}/{step}"
        decision_id = decision_id_for(decision_type, at, name, write_shards=write_shards)
        self.decisions.append(
            {
                "decision_type": str(decision_type),
                "context": context,
                "reasoning": reasoning,
                "decision_id": decision_id,
                "timestamp": at,
                **{key: value for key, value in more.items() if value},
            }
        )
        return decision_id

    def add_outcome(
        self, decision_id: str, outcome: LogEntry, *, success: bool, metrics: LogEntry | None = None
    ) -> None:
        """Add the outcome of a decision of this cycle or of an earlier one, known since this cycle."""
        is_own = any(one["decision_id"] == decision_id for one in self.decisions)
        at_ms = self.at_ms + (len(self.decisions) if is_own else 0)
        entry: LogEntry = {"decision_id": decision_id, "outcome": outcome, "success": success}
        self.outcomes.append({**entry, **({"metrics": metrics} if metrics else {}), "timestamp": to_iso(at_ms)})

    @property
    def decision_ids(self) -> list[str]:
        """The ids of its decisions, in order."""
        return [one["decision_id"] for one in self.decisions]

    def to_state(self) -> LogEntry:
        """Return the report as plain JSON data, for `from_state`; it shares its parts with the report."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_state(cls, state: LogEntry) -> "CycleReport":
        """Return the report of `to_state`."""
        return cls(**state)


def rejections(results: Sequence[LogEntry]) -> dict[str, str]:
    """Return why some of a batch were not logged, by their ids."""
    return {one["decision_id"]: str(one["error"]) for one in results if one.get("error")}


def judged_before(results: Sequence[LogEntry]) -> list[str]:
    """Return the ids of a batch of outcomes whose decisions have another outcome already, which is kept."""
    return [one["decision_id"] for one in results if one["status"] == "conflict"]
