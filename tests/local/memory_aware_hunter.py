"""An agent as teams write it for this system, without and with memory.

The agent's own parts (markets, sources, the former selection logic) are small inventions; everything that concerns
memory and decisions is written as in the system's design.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum

HOUR = timedelta(hours=1)


class MarketContext(Enum):
    BULLISH = "bullish"
    BEARISH = "bearish"


class IntegratedMarketHunterAgent:
    """The agent without memory: it scores its sources and takes the best."""

    def __init__(self, agent_name, learning_rate):
        self.agent_name, self.learning_rate = agent_name, learning_rate
        self.current_cycle = 0
        self.scores = {"whaleMovements": 0.92, "derivatives": 0.87, "institutional": 0.4}

    def select_sources(self, _context, max_sources):
        return sorted(self.scores, key=self.scores.get, reverse=True)[:max_sources]

    async def query_source(self, source):
        return {"source": source, "reading": self.scores[source]}

    def _generate_signals(self, results, _context):
        return [result for result in results if result["reading"] > 0.5]

    def _calculate_quality(self, signals):
        return sum(signal["reading"] for signal in signals) / len(signals)

    def _identify_patterns(self, recent):
        return [{"id": "whales_lead", "seen": len(recent), "confidence": 0.8, "context": "bullish"}]


class MemoryAwareMarketHunterAgent(IntegratedMarketHunterAgent):
    """Extended agent with memory and decision logging."""

    def __init__(self, agent_name, learning_rate, memory_manager, decision_logger):
        super().__init__(agent_name, learning_rate)
        self.memory = memory_manager
        self.logger = decision_logger

    async def select_sources_with_memory(self, context, max_sources):
        # Retrieve recent performance from STM
        recent_perf = await self.memory.retrieve_stm(f"performance:{context.value}")

        # Query LTM for learned patterns
        patterns = await self.memory.retrieve_ltm(
            memory_type="PATTERN", filters={"context": context.value, "min_confidence": 0.7}
        )

        # Make decision (existing logic + memory)
        selected = self.select_sources(context, max_sources)

        # Log decision
        decision_id = await self.logger.log_decision(
            decision_type="SOURCE_SELECTION",
            context={
                "market": context.value,
                "cycle": self.current_cycle,
                "recent_performance": recent_perf,
                "applied_patterns": [p["pattern_id"] for p in patterns],
            },
            reasoning={"scores": self.scores, "selected": selected, "patterns_influenced": True},
        )
        return selected, decision_id

    async def learn_from_outcomes(self):
        now = datetime.now(UTC)

        # Query recent decisions
        recent = await self.logger.query_decisions(time_range=(now - 24 * HOUR, now), success_filter=True)

        # Identify patterns
        patterns = self._identify_patterns(recent)

        # Store in LTM
        for pattern in patterns:
            await self.memory.store_ltm(memory_type="PATTERN", pattern_id=pattern["id"], data=pattern)

    async def run_cycle_with_memory(self, market_data):
        now, context = datetime.now(UTC), market_data["context"]

        # 1. Check short-term memory for recent similar contexts
        similar_contexts = await self.memory.get_context_memory(
            time_range=(now - 1 * HOUR, now), context_filter={"volatility": "high"}
        )
        assert similar_contexts["complete"]

        # 2. Select sources with memory influence
        selected, decision_id = await self.select_sources_with_memory(context, max_sources=6)

        # 3. Query sources
        results = []
        for source in selected:
            result = await self.query_source(source)
            results.append(result)

            # Store in STM for fast retrieval
            await self.memory.store_stm(f"queries:{source}:latest", result, ttl_seconds=3600)

        # 4. Generate signals with logged reasoning
        signals = self._generate_signals(results, context)

        # 5. Log outcome
        await self.logger.log_outcome(
            decision_id=decision_id,
            outcome={"signals": signals, "sources_used": len(results)},
            success=len(signals) > 0,
            metrics={"quality": self._calculate_quality(signals)},
        )

        return signals
