"""What came of the decisions that rested on a memory, as one number."""

from collections import Counter
from collections.abc import Iterable

from agent_memory.model.decisions import Decision

_PRIOR = 4
"""As many outcomes of no effect are added, so that one success or failure says little."""


def memory_outcomes(decisions: Iterable[Decision]) -> dict[str, float]:
    """By memory, (successes - failures) / (outcomes + 4) of the decisions that name it: from -1 to 1.

    Memories that no decision with an outcome names are left out.
    """
    total: Counter[str] = Counter()
    balance: Counter[str] = Counter()
    for decision in decisions:
        if decision.outcome is not None:
            for memory_id in dict.fromkeys(decision.memory_ids):
                total[memory_id] += 1
                balance[memory_id] += 1 if decision.outcome.success else -1
    return {memory_id: balance[memory_id] / (count + _PRIOR) for memory_id, count in total.items()}
