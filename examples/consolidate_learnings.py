"""Learning from history: decisions of the last weeks become patterns in long-term memory.

The nightly state machine does this by itself; an agent may also do it whenever it likes.
"""

import asyncio
import random
from datetime import UTC, datetime, timedelta

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager
from agent_memory.core.ids import decision_id_for
from examples.connection import open_memory

DAYS, A_DAY = 30, 40


async def consolidate_learnings(memory: MemoryManager, logger: DecisionLogger) -> list[str]:
    """Promote what the decisions bear out; returns the ids of the patterns."""
    now = datetime.now(UTC)

    # 1. Analyze the last 24 hours of decisions
    statistics = await logger.analyze_decision_patterns("SIGNAL_GENERATION", (now - timedelta(hours=24), now))
    for group in statistics["groups"]:
        print(f"{group['group']}: {group['succeeded']} of {group['with_outcome']} succeeded")

    # 2. Find patterns that stand the tests
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
    """Weeks of signals: in high volatility they succeed far more often. Running it again changes nothing."""
    chance = random.Random(7)  # noqa: S311  made-up markets
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    drafts, reports = [], []
    for n in range(DAYS * A_DAY):
        at = today - timedelta(days=DAYS) + timedelta(days=n // A_DAY, minutes=30 * (n % A_DAY))
        volatility = chance.choice(["low", "normal", "high"])
        market = {"volatility": volatility, "trend": chance.choice(["bullish", "bearish"])}
        decision_id = decision_id_for("SIGNAL_GENERATION", at, f"history {n}")
        drafts.append(
            {
                "decision_type": "SIGNAL_GENERATION",
                "context": {"market": market},
                "reasoning": {"selected": [chance.choice(["derivatives", "sentiment"])]},
                "decision_id": decision_id,
            }
        )
        success = chance.random() < (0.8 if volatility == "high" else 0.45)
        reports.append({"decision_id": decision_id, "outcome": {"signal": n}, "success": success})
    await logger.log_decisions(drafts)
    await logger.log_outcomes(reports)


async def main() -> None:
    """Log a history and learn from it."""
    memory, logger = open_memory()
    await log_history(logger)
    learned = await consolidate_learnings(memory, logger)
    print(f"{len(learned)} new patterns")


if __name__ == "__main__":
    asyncio.run(main())
