"""The negative control: the same evidence with its outcomes permuted, in which any pattern is found by chance.

Pure Python, so that importing this module does not load numpy.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from agent_memory.model.evidence import Evidence


def permute_outcomes(evidence: Sequence[Evidence], seed: int) -> list[Evidence]:
    """Permute the outcomes within each decision type; features, times and success rates are unchanged.

    Decisions without an outcome remain without. The result is determined by the evidence, its order and the seed.
    """
    generator = random.Random(seed)  # noqa: S311  (a control experiment, not a secret)
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for row in evidence:
        if row.success is not None:
            outcomes[row.decision_type].append(row.success)
    for name in sorted(outcomes):
        generator.shuffle(outcomes[name])
    remaining = {name: iter(values) for name, values in outcomes.items()}
    return [
        row if row.success is None else replace(row, success=next(remaining[row.decision_type])) for row in evidence
    ]
