"""An agent as teams write it for this system, without and with memory.

The agent's own parts (markets, sources, the former selection logic) are small inventions; everything that concerns
memory and decisions is written as in the system's design.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum

from tests.designed_cycle import DesignedCycle

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


class MemoryAwareMarketHunterAgent(DesignedCycle, IntegratedMarketHunterAgent):
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
        signals, similar_contexts = await self.run_designed_cycle(market_data)
        assert similar_contexts["complete"]
        return signals
