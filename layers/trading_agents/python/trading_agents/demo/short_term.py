"""Fills short-term memory with the last cycles at the end of a replay."""

from datetime import datetime
from typing import Any

from agent_memory.core.retention import (
    CONTEXT_SECONDS,
    DECISION_CHAIN_SECONDS,
    QUERIES_SECONDS,
    RECENT_CYCLES,
    SIGNALS_SECONDS,
)
from trading_agents.demo.cycles import Cycles
from trading_agents.demo.sending import Memory


async def remember(memory: Memory, cycles: Cycles, now: datetime) -> int:
    """Write the last ten cycles to short-term memory, except for what would have expired by `now`.

    - the queries of every cycle, for 24 hours
    - of the last cycle its decisions for two hours, its signals for four, and its market context for one

    Returns:
        The number of cycles of which something was written.
    """
    last = len(cycles) - 1
    written = 0
    for number in range(max(0, len(cycles) - RECENT_CYCLES), len(cycles)):
        age_seconds = (now - cycles.at(number)).total_seconds()
        entries = _unexpired(cycles.decisions([number]), age_seconds, is_last=number == last)
        if any(entries.values()):
            await memory.write_cycle(**entries, cycle_id=f"cycle-{number}")
            written += 1
    return written


def _unexpired(decisions: list[dict[str, Any]], age_seconds: float, *, is_last: bool) -> dict[str, Any]:
    def of_type(decision_type: str) -> list[dict[str, Any]]:
        return [_brief(decision) for decision in decisions if decision["decision_type"] == decision_type]

    entries: dict[str, Any] = {"queries": of_type("QUERY") if age_seconds < QUERIES_SECONDS else []}
    if is_last:
        entries["context"] = decisions[-1]["context"] if age_seconds < CONTEXT_SECONDS else None
        entries["signals"] = of_type("SIGNAL_GENERATION") if age_seconds < SIGNALS_SECONDS else []
        is_chained = age_seconds < DECISION_CHAIN_SECONDS
        entries["decision_ids"] = [one["decision_id"] for one in decisions] if is_chained else []
    return entries


def _brief(decision: dict[str, Any]) -> dict[str, Any]:
    return {"decision_id": decision["decision_id"], "timestamp": decision["timestamp"], **decision["reasoning"]}
