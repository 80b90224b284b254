"""The cycle of the design's usage patterns, in the design's own lines."""

from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)


class DesignedCycle:
    """Adds the cycle to an agent with `memory`, `logger` and the methods that the cycle calls."""

    async def run_designed_cycle(self, market_data):
        """6.1: query with memory context."""
        now, context = datetime.now(UTC), market_data["context"]
        self.market_data = market_data

        # 1. Check short-term memory for recent similar contexts
        similar_contexts = await self.memory.get_context_memory(
            time_range=(now - 1 * HOUR, now), context_filter={"volatility": "high"}
        )

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

        return signals, similar_contexts
