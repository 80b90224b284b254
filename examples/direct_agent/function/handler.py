"""An agent that runs one cycle for each invocation, and keeps what it needs in Agent Memory, not in the process."""

import os
from functools import lru_cache
from typing import Any

from agent_memory import DecisionLogger, MemoryManager

AGENT_ID = os.environ["AGENT_ID"]


@lru_cache(maxsize=1)
def opened() -> tuple[MemoryManager, DecisionLogger]:
    """Memory and decision log, opened once per environment; the variables of `DirectAgentAccess` say where they are."""
    memory = MemoryManager(AGENT_ID)
    return memory, DecisionLogger(AGENT_ID, memory_manager=memory)


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Look at the market that the event brings, decide, and remember both."""
    memory_manager, decision_logger = opened()
    memory, decisions = memory_manager.sync, decision_logger.sync
    market = event["market"]
    before = memory.retrieve_stm("context:current")
    changed = before is not None and before["trend"] != market["trend"]
    decision_id = decisions.log_decision(
        "SIGNAL_GENERATION",
        {"market": market},
        {"signal": "reduce" if changed else "hold", "trend_before": before and before["trend"]},
    )
    kept = memory.store_stm("context:current", market, ttl_seconds=3600)
    memory.write_metrics()
    return {"decision_id": decision_id, "signal": "reduce" if changed else "hold", "remembered": kept}
