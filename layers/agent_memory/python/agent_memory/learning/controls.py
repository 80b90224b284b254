"""Control runs: the same record with its truth removed. Nothing may be learned from it."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from agent_memory.model.evidence import Evidence


def shuffled(evidence: Sequence[Evidence], seed: int) -> list[Evidence]:
    """Permute the outcomes within each decision type; facts, times and success rates stay as they were.

    The same evidence in the same order with the same seed gives the same answer.
    """
    generator = random.Random(seed)  # noqa: S311  (a control experiment, not a secret)
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for one in evidence:
        outcomes[one.decision_type].append(one.success)
    for name in sorted(outcomes):
        generator.shuffle(outcomes[name])
    remaining = {name: iter(values) for name, values in outcomes.items()}
    return [replace(one, success=next(remaining[one.decision_type])) for one in evidence]
