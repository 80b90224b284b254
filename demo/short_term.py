"""What the agent still has in mind at the end of a replay: short-term memory of its last cycles."""

from datetime import datetime
from typing import Any

from agent_memory.core.retention import (
    CONTEXT_SECONDS,
    DECISION_CHAIN_SECONDS,
    QUERIES_SECONDS,
    RECENT_CYCLES,
    SIGNALS_SECONDS,
)
from demo.cycles import Cycles
from demo.sending import Memory


async def remember(memory: Memory, cycles: Cycles, now: datetime) -> int:
    """Keep what the last ten cycles left in mind; what would have vanished by `now` is left out.

    - the queries of every cycle, for 24 hours
    - of the last cycle its decisions for two hours, its signals, whose bar is still to come, for four, and its market
      context for one

    Returns:
        Of how many cycles something was kept.
    """
    last = len(cycles) - 1
    kept = 0
    for number in range(max(0, len(cycles) - RECENT_CYCLES), len(cycles)):
        age_seconds = (now - cycles.at(number)).total_seconds()
        brought = _brought(cycles.decisions([number]), age_seconds, is_last=number == last)
        if any(brought.values()):
            await memory.write_cycle(**brought, cycle_id=f"cycle-{number}")
            kept += 1
    return kept


def _brought(decisions: list[dict[str, Any]], age_seconds: float, *, is_last: bool) -> dict[str, Any]:
    def of(kind: str) -> list[dict[str, Any]]:
        return [_brief(decision) for decision in decisions if decision["decision_type"] == kind]

    brought: dict[str, Any] = {"queries": of("QUERY") if age_seconds < QUERIES_SECONDS else []}
    if is_last:
        brought["context"] = decisions[-1]["context"] if age_seconds < CONTEXT_SECONDS else None
        brought["signals"] = of("SIGNAL_GENERATION") if age_seconds < SIGNALS_SECONDS else []
        is_chained = age_seconds < DECISION_CHAIN_SECONDS
        brought["decision_ids"] = [one["decision_id"] for one in decisions] if is_chained else []
    return brought


def _brief(decision: dict[str, Any]) -> dict[str, Any]:
    return {"decision_id": decision["decision_id"], "timestamp": decision["timestamp"], **decision["reasoning"]}
