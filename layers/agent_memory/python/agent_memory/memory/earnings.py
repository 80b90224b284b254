"""What the memories that decisions name earned or cost: outcomes by memory, beside those of decisions without it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agent_memory.decisions.tallies import Tally
from agent_memory.learning.numbers import REWARDS, rewards_of
from agent_memory.model.decisions import Decision


@dataclass(slots=True)
class _Earned:
    """The outcomes of decisions of one type; `rewards` has the sum of a number of theirs, and of how many."""

    tally: Tally = field(default_factory=Tally)
    rewards: dict[str, tuple[float, int]] = field(default_factory=dict)

    def add(self, decision: Decision) -> None:
        outcome = decision.outcome
        self.tally.add(None if outcome is None else outcome.success)
        if outcome is not None:
            for path, value in rewards_of(outcome.details, outcome.metrics):
                if path in REWARDS:
                    total, count = self.rewards.get(path, (0.0, 0))
                    self.rewards[path] = (total + value, count + 1)

    def reward(self) -> tuple[str | None, float | None, int]:
        """The first reward by convention: its path, its sum, and how many outcomes have it."""
        path = next((one for one in REWARDS if one in self.rewards), None)
        return (None, None, 0) if path is None else (path, *self.rewards[path])


def earnings_of(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """Return a row for each memory and decision type, the one that cost most first.

    It says what came of the decisions that name a memory, not what the memory caused: experiments measure that.

    Args:
        decisions: of one agent, in any order.

    Returns:
        `memory_id`, `decision_type`, `decisions`, `with_outcome`, `succeeded`, `success_rate` and its 95 % Wilson
        interval `low` to `high`; `otherwise`, the success rate of the type's decisions that do not name the memory;
        and `reward`, the sum of the number at `reward_path` in `rewarded` outcomes (None: they have none).
        Ordered by `reward`, then by how much the rate is below the other one.
    """
    by_memory: dict[tuple[str, str], _Earned] = {}
    by_type: dict[str, Tally] = {}
    for one in decisions:
        success = None if one.outcome is None else one.outcome.success
        by_type.setdefault(one.decision_type, Tally()).add(success)
        for memory_id in dict.fromkeys(one.memory_ids):
            by_memory.setdefault((memory_id, one.decision_type), _Earned()).add(one)
    rows = [_row(*key, earned, by_type[key[1]]) for key, earned in by_memory.items()]
    return sorted(rows, key=_order)


def _row(memory_id: str, decision_type: str, earned: _Earned, of_type: Tally) -> dict[str, Any]:
    tally, (path, reward, rewarded) = earned.tally, earned.reward()
    others = of_type.with_outcome - tally.with_outcome
    return {
        "memory_id": memory_id,
        "decision_type": decision_type,
        "decisions": tally.decisions,
        **tally.rate(),
        "otherwise": (of_type.succeeded - tally.succeeded) / others if others else None,
        "reward": reward,
        "reward_path": path,
        "rewarded": rewarded,
    }


def _order(row: dict[str, Any]) -> tuple[float, float, str, str]:
    is_comparable = row["success_rate"] is not None and row["otherwise"] is not None
    below = row["success_rate"] - row["otherwise"] if is_comparable else 0.0
    return row["reward"] or 0.0, below, row["memory_id"], row["decision_type"]
