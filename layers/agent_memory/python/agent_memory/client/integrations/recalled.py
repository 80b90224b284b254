"""Recall for a model: what an agent knows, without what adapters keep for frameworks."""

from typing import Any

from agent_memory.client.memory_manager import MemoryManager
from agent_memory.model.listings import Ranking

KEPT_FOR_FRAMEWORKS = frozenset({"ADK_EVENT", "LANGGRAPH_ITEM", "OPENAI_SESSION_ITEM", "STRANDS_FILE"})
"""Types of memories that frameworks read by themselves: items of their stores, sessions, and events of users."""

_MORE = 100


async def recalled(memory: MemoryManager, query: str, kind: str | None, limit: int) -> Ranking:
    """The best entries for a query, of one kind or of all but those that are kept for frameworks.

    Args:
        memory: the memory of the agent.
        query: words.
        kind: only this type of memory or decision.
        limit: how many entries, 1 to 1,000.

    Raises:
        InvalidInput: names the argument. Unavailable: the memory did not respond.
    """
    entries: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await memory.recall(query, kind, top_k=limit if cursor is None else _MORE, cursor=cursor)
        entries += [one for one in page if kind is not None or one["kind"] not in KEPT_FOR_FRAMEWORKS]
        cursor = page.cursor
        if len(entries) >= limit or cursor is None:
            return Ranking(entries[:limit], page.missing)
