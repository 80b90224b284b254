"""The agent of the design's usage patterns: its methods are the design's own lines."""

from datetime import UTC, datetime, timedelta

from agent_memory import MemoryAnalytics
from tests.designed_cycle import DesignedCycle
from trading_agents import MemoryAwareMarketHunterAgent

HOUR = timedelta(hours=1)


class DesignedAgent(DesignedCycle, MemoryAwareMarketHunterAgent):
    """The market hunter with a cycle and a consolidation of its own."""

    async def consolidate_learnings(self, pattern_updates):
        """6.2: learning from history."""
        now = datetime.now(UTC)

        # 1. Analyze last 24h of decisions
        decisions = await self.logger.query_decisions(time_range=(now - 24 * HOUR, now))

        # 2. Calculate success patterns
        analytics = MemoryAnalytics(self.logger, self.memory)
        patterns = await analytics.identify_emerging_patterns(min_occurrences=5)

        # 3. Promote patterns to LTM
        for pattern in patterns:
            await self.memory.store_ltm(
                memory_type="PATTERN",
                pattern_id=pattern["id"],
                data={
                    "description": pattern["description"],
                    "confidence": pattern["confidence"],
                    "success_rate": pattern["success_rate"],
                    "sample_size": pattern["occurrences"],
                    "learned_at": now,
                },
            )

        # 4. Update existing pattern confidences
        for pattern_id, new_confidence in pattern_updates:
            await self.memory.update_ltm_confidence(pattern_id, new_confidence)

        return decisions, patterns
