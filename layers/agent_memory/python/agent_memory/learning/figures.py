"""The figures of a group of decisions as plain numbers for JSON; rates and intervals are 0 to 1."""

from typing import Any

from agent_memory.learning.comparison import Comparison


def figures_of(whole: Comparison, recent: Comparison) -> dict[str, Any]:
    """Return success rate, base rate and effect with their 95 % intervals.

    Args:
        whole: the group against the rest of its decision type, over all evidence.
        recent: the same with newer decisions counting more; what it says stands under `recent`.
    """
    ours, rest = whole.matching, whole.rest
    return {
        "occurrences": ours.occurrences,
        "successes": ours.successes,
        "success_rate": ours.rate,
        "interval": list(ours.interval),
        "base_rate": rest.rate,
        "base_occurrences": rest.occurrences,
        "effect": whole.effect,
        "effect_interval": list(whole.effect_interval),
        "effective_sample_size": ours.effective,
        "recent": {
            "success_rate": recent.matching.rate,
            "interval": list(recent.matching.interval),
            "base_rate": recent.rest.rate,
            "effect": recent.effect,
            "effect_interval": list(recent.effect_interval),
            "effective_sample_size": recent.matching.effective,
        },
    }
