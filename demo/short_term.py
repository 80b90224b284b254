"""What the agent still has in mind at the end of a replay: short-term memory with the time it has left."""

from datetime import datetime
from typing import Any

from agent_memory.retention import CONTEXT_SECONDS, QUERIES_SECONDS, SIGNALS_SECONDS
from demo.cycles import Cycles
from demo.sending import Memory

RECENT_CYCLES = 10


async def remember(memory: Memory, cycles: Cycles, now: datetime) -> int:
    """Store what the last cycles left in mind; what would have vanished by `now` is left out.

    - `context:current`: market, hours and cycle of the last cycle, for one hour from then.
    - `queries:recent`: the queries of the last ten cycles, newest first, for 24 hours.
    - `signals:active`: the signals of the last cycle, whose bar is still to come, for four hours.

    Returns:
        How many entries were stored.
    """
    last = len(cycles) - 1
    decisions = cycles.decisions([last])
    entries: list[tuple[str, Any, int]] = [
        ("context:current", decisions[0]["context"], CONTEXT_SECONDS),
        ("queries:recent", _queries(cycles), QUERIES_SECONDS),
        (
            "signals:active",
            [_brief(d) for d in decisions if d["decision_type"] == "SIGNAL_GENERATION"],
            SIGNALS_SECONDS,
        ),
    ]
    age = int((now - cycles.at(last)).total_seconds())
    alive = [(key, data, ttl - age) for key, data, ttl in entries if ttl > age]
    for key, data, seconds_left in alive:
        await memory.store_stm(key, data, seconds_left)
    return len(alive)


def _queries(cycles: Cycles) -> list[dict[str, Any]]:
    recent = range(max(0, len(cycles) - RECENT_CYCLES), len(cycles))
    decisions = cycles.decisions(reversed(recent))
    return [_brief(decision) for decision in decisions if decision["decision_type"] == "QUERY"]


def _brief(decision: dict[str, Any]) -> dict[str, Any]:
    symbol = {name: decision["context"][name] for name in ("symbol",) if name in decision["context"]}
    return {
        "decision_id": decision["decision_id"],
        "timestamp": decision["timestamp"],
        **symbol,
        **decision["reasoning"],
    }
