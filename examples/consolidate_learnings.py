"""Learning from history: decisions of the last weeks become patterns in long-term memory.

The nightly job does this for every agent; an agent can also do it at any time.
"""

import asyncio
import random
from datetime import UTC, datetime, timedelta

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager, decision_id_for
from examples.connection import open_memory

DAYS, SIGNALS_PER_DAY = 30, 40


async def consolidate_learnings(memory: MemoryManager, logger: DecisionLogger) -> list[str]:
    """Store the patterns that the decisions support; returns their ids."""
    now = datetime.now(UTC)

    # 1. Analyze the last 24 hours of decisions
    statistics = await logger.analyze_decision_patterns("SIGNAL_GENERATION", (now - timedelta(hours=24), now))
    for group in statistics["groups"]:
        print(f"{group['group']}: {group['succeeded']} of {group['with_outcome']} succeeded")

    # 2. Find patterns that pass the statistical tests
    analytics = MemoryAnalytics(logger, memory)
    patterns = await analytics.identify_emerging_patterns(min_occurrences=5)

    # 3. Promote patterns to long-term memory
    for pattern in patterns:
        await memory.store_ltm(
            memory_type="PATTERN",
            pattern_id=pattern["id"],
            data={
                "description": pattern["description"],
                "confidence": pattern["confidence"],
                "success_rate": pattern["success_rate"],
                "sample_size": pattern["occurrences"],
                "status": "active",
            },
        )
        print(f"learned: {pattern['description']}")

    # 4. Update existing pattern confidences
    for pattern in await memory.retrieve_ltm("PATTERN", {"status": "active"}):
        await memory.update_ltm_confidence(pattern["pattern_id"], round(pattern["confidence"], 2))
    return [pattern["id"] for pattern in patterns]


async def log_history(logger: DecisionLogger) -> None:
    """Log weeks of signals that succeed far more often in high volatility. Running it again changes nothing."""
    chance = random.Random(7)  # noqa: S311  simulated markets
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    decisions, outcomes = [], []
    for n in range(DAYS * SIGNALS_PER_DAY):
        at = today - timedelta(days=DAYS) + timedelta(days=n // SIGNALS_PER_DAY, minutes=30 * (n % SIGNALS_PER_DAY))
        volatility = chance.choice(["low", "normal", "high"])
        market = {"volatility": volatility, "trend": chance.choice(["bullish", "bearish"])}
        decision_id = decision_id_for("SIGNAL_GENERATION", at, f"history {n}")
        decisions.append(
            {
                "decision_type": "SIGNAL_GENERATION",
                "context": {"market": market},
                "reasoning": {"selected": [chance.choice(["derivatives", "sentiment"])]},
                "decision_id": decision_id,
            }
        )
        success = chance.random() < (0.8 if volatility == "high" else 0.45)
        outcomes.append({"decision_id": decision_id, "outcome": {"signal": n}, "success": success})
    await logger.log_decisions(decisions)
    await logger.log_outcomes(outcomes)


async def main() -> None:
    """Log a history and learn from it."""
    memory, logger = open_memory()
    await log_history(logger)
    learned = await consolidate_learnings(memory, logger)
    print(f"{len(learned)} new patterns")


if __name__ == "__main__":
    asyncio.run(main())
