"""A LangGraph graph that remembers between runs and logs each decision before it acts.

pip install 'agent-memory[langgraph]'
python examples/langgraph_memory.py sqlite:///memory.db
"""

import sys
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.client.integrations.langgraph import AgentMemoryStore

AGENT = "graph-trader"
LESSONS = ("lessons", "BTC")


class State(TypedDict, total=False):
    """What the nodes pass on."""

    trend: str
    runs: int
    decision_id: str


def run(url: str) -> State:
    """Run the graph once on the memory at a URL."""
    memory = MemoryManager(AGENT, stores=url)
    log = DecisionLogger(AGENT, memory_manager=memory)

    def decide(state: State, *, store: BaseStore) -> State:
        known = store.get(LESSONS, "runs")
        runs = 1 + (known.value["count"] if known else 0)
        store.put(LESSONS, "runs", {"count": runs})
        context = {"market": {"trend": state["trend"]}, "symbol": "BTC"}
        decision_id = log.sync.log_decision("TRADE", context, {"action": "buy", "runs": runs})
        return {"runs": runs, "decision_id": decision_id}

    graph: Any = StateGraph(State)
    graph.add_node("decide", decide)
    graph.add_edge(START, "decide")
    graph.add_edge("decide", END)
    result: State = graph.compile(store=AgentMemoryStore(memory)).invoke({"trend": "up"})
    logged = len(log.sync.query_decisions("TRADE"))
    print(f"runs remembered: {result['runs']}, decisions logged: {logged}")
    return result


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db")
