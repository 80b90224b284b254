"""Query with memory context: an agent that consults its memory before it selects sources."""

import asyncio
from datetime import UTC, datetime, timedelta

from examples.connection import open_memory
from examples.hunter import MemoryAwareHunter

MARKET_DATA = {
    "volatility": "high",
    "trend": "bullish",
    "whale_flow": 0.8,
    "funding_rate": 0.0045,
    "etf_flow": -0.1,
    "fear_greed": 71,
}


async def main() -> None:
    """Store a pattern about one source, run three cycles, and print what was remembered."""
    memory, logger = open_memory()
    learned = {"context": "high", "source": "institutional", "confidence": 0.9, "description": "ETF flows lead"}
    await memory.store_ltm("PATTERN", "etf_flows_lead", learned)
    agent = MemoryAwareHunter(memory, logger)
    for _ in range(3):
        signals = await agent.run_cycle_with_memory(MARKET_DATA)
        print(f"cycle {agent.current_cycle}: {len(signals)} signals from {[one['source'] for one in signals]}")
    now = datetime.now(UTC)
    hour = (now - timedelta(hours=1), now + timedelta(seconds=1))
    remembered = await memory.get_context_memory(hour, {"volatility": "high"})
    selections = await logger.query_decisions("SOURCE_SELECTION", hour, success_filter=True)
    print(f"memory of the last hour: {len(remembered['entries'])} entries, complete: {remembered['complete']}")
    print(f"selections that led to signals: {len(selections)}, based on {selections[0]['memory_ids']}")


if __name__ == "__main__":
    asyncio.run(main())
