"""The memory log of a TradingAgents graph: lessons as they were known at the trade date.

A program sets `graph.memory_log = AgentMemoryLog(log)`; the graph then calls the methods as below.

    python examples/tradingagents_log.py sqlite:///memory.db
"""

import sys

from agent_memory import DecisionLogger
from agent_memory.client.integrations.tradingagents import AgentMemoryLog


def run(url: str) -> None:
    """Store a decision, settle it, and ask for lessons before and after its outcome was known."""
    log = AgentMemoryLog(DecisionLogger("trading-graph", stores=url))
    log.store_decision("NVDA", "2024-05-06", "Rating: Overweight, on demand for data centres.")
    log.update_with_outcome("NVDA", "2024-05-06", 0.031, 0.012, 5, "Demand mattered more than valuation.")
    for as_of in ("2024-05-10", "2024-05-14"):
        lessons = log.get_past_context("NVDA", as_of=as_of)
        print(f"lessons known on {as_of}: {lessons.count('Reflection:')}")


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db")
