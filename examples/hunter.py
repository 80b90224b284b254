"""A small market hunter with memory: it remembers which sources were useful in which market, and queries them first."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory import DecisionLogger, MemoryManager

MarketData = Mapping[str, Any]
Signal = dict[str, Any]

SOURCES: dict[str, Callable[[MarketData], float]] = {
    "whaleMovements": lambda data: data["whale_flow"],
    "derivatives": lambda data: data["funding_rate"] * 100,
    "institutional": lambda data: data["etf_flow"],
    "sentiment": lambda data: (data["fear_greed"] - 50) / 50,
}
_MIN_SIGNAL = 0.3


class MemoryAwareHunter:
    """Selects sources with the help of its memory, queries them, and generates signals."""

    def __init__(self, memory_manager: MemoryManager, decision_logger: DecisionLogger) -> None:
        self.memory = memory_manager
        self.logger = decision_logger
        self.current_cycle = 0

    async def run_cycle_with_memory(self, market_data: MarketData) -> list[Signal]:
        """Run one cycle: recall, select, query, signal, and log the outcome."""
        now = datetime.now(UTC)
        context = {"volatility": market_data["volatility"], "trend": market_data["trend"]}
        await self.memory.store_stm("context:current", context)

        # 1. Check short-term memory for recent similar contexts
        similar_contexts = await self.memory.get_context_memory(
            time_range=(now - timedelta(hours=1), now), context_filter={"volatility": market_data["volatility"]}
        )

        # 2. Select sources with memory influence
        selected, decision_id = await self.select_sources_with_memory(context, similar_contexts, max_sources=3)

        # 3. Query sources
        results: list[Signal] = []
        for source in selected:
            result = {"source": source, "reading": SOURCES[source](market_data)}
            results.append(result)
            await self.memory.store_stm(f"queries:{source}:latest", result, ttl_seconds=3600)

        # 4. Generate signals with logged reasoning
        signals = [one for one in results if abs(one["reading"]) >= _MIN_SIGNAL]
        await self.logger.log_decision(
            "SIGNAL_GENERATION",
            context={"market": context, "cycle": self.current_cycle},
            reasoning={"readings": results, "threshold": _MIN_SIGNAL, "signals": len(signals)},
            parent_ids=[decision_id],
        )

        # 5. Log outcome
        await self.logger.log_outcome(
            decision_id=decision_id,
            outcome={"signals": signals, "sources_used": len(results)},
            success=len(signals) > 0,
            metrics={"quality": quality(signals)},
        )
        self.current_cycle += 1
        return signals

    async def select_sources_with_memory(
        self, context: Mapping[str, str], similar: Mapping[str, Any], max_sources: int
    ) -> tuple[list[str], str]:
        """Return the most useful sources in this context, and the id of the decision to use them."""
        # Retrieve recent performance from short-term memory
        recent_performance = await self.memory.retrieve_stm(f"performance:{context['volatility']}")

        # Query long-term memory for learned patterns
        patterns = await self.memory.retrieve_ltm(
            memory_type="PATTERN", filters={"context": context["volatility"], "min_confidence": 0.7}
        )

        # Make the decision: sources supported by patterns first, then sources with recent signals
        scores = dict.fromkeys(SOURCES, 0.5)
        scores |= {pattern["source"]: pattern["confidence"] for pattern in patterns if pattern["source"] in scores}
        for source, score in (recent_performance or {}).items():
            scores[source] = (scores[source] + score) / 2
        selected = sorted(scores, key=lambda source: scores[source], reverse=True)[:max_sources]

        # Log the decision
        decision_id = await self.logger.log_decision(
            decision_type="SOURCE_SELECTION",
            context={
                "market": context,
                "cycle": self.current_cycle,
                "recent_performance": recent_performance,
                "similar_contexts": len(similar["entries"]),
            },
            reasoning={"scores": scores, "selected": selected, "patterns_influenced": bool(patterns)},
            memory_ids=[pattern["pattern_id"] for pattern in patterns],
        )
        return selected, decision_id


def quality(signals: Sequence[Signal]) -> float:
    """Return the mean strength of the signals, 0 to 1."""
    return min(1.0, sum(abs(one["reading"]) for one in signals) / len(signals)) if signals else 0.0
