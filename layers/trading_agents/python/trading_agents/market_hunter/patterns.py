"""Patterns from judged signals: which source is right in which context."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from trading_agents.market_hunter.sources import ANY, context_name, market_name

MIN_SIGNALS = 20
_HALF = 0.5


def source_patterns(decisions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a pattern for each source and context with at least 20 judged SIGNAL_GENERATION decisions.

    `confidence` is the probability that the source is right more often than not: Φ((wins - n/2 ± ½) / √(n/4)), the
    normal approximation of the sign test with continuity correction. It does not correct for testing many sources,
    which the nightly job of agent_memory does; it is what an agent can know by itself during the day.

    Returns:
        Each with `id`, `source`, `context`, `confidence` (0 to 1), `success_rate`, `sample_size`, `description`.
    """
    judged: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for decision in decisions:
        source, context = decision["reasoning"].get("source"), decision["context"].get("market")
        if source is not None and context not in (None, "") and decision["success"] is not None:
            judged[source, context_name(context)].append(bool(decision["success"]))
    return [
        {
            "id": f"{source}_in_{market_name(context)}",
            "source": source,
            "context": context,
            "confidence": _confidence(sum(results), len(results)),
            "success_rate": sum(results) / len(results),
            "sample_size": len(results),
            "description": f"{source} was right {sum(results)} of {len(results)} times {_in(context)}",
        }
        for (source, context), results in sorted(judged.items())
        if len(results) >= MIN_SIGNALS
    ]


def _in(context: str) -> str:
    return "in any market" if context == ANY else f"in a {context} market"


def _confidence(wins: int, count: int) -> float:
    surplus = wins - count * _HALF
    corrected = math.copysign(max(0.0, abs(surplus) - _HALF), surplus)
    return (1 + math.erf(corrected / math.sqrt(count / 4) / math.sqrt(2))) / 2
