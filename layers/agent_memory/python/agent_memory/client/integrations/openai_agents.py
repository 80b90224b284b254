"""OpenAI Agents: `AgentMemorySession`, a session on an agent's memory, and `DecisionLogHooks`."""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from agents import Agent, RunContextWrapper, RunHooks, Tool

from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.executor import in_thread
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.core.errors import Conflict, Unavailable

MEMORY_TYPE = "OPENAI_SESSION_ITEM"
_REMOVED = "removed from the session"


class AgentMemorySession:
    """A `Session`: the items of one conversation, in order, each a memory of its own. Works on any loop and thread.

    Processes may add to one session: each item gets the next free number. What is popped or cleared keeps its history.

    Args:
        session_id: names the conversation.
        memory: the memory of the agent.
        session_settings: the framework's own.
    """

    def __init__(self, session_id: str, memory: MemoryManager, *, session_settings: Any = None) -> None:
        self.session_id = session_id
        self.session_settings = session_settings
        self._memory = memory.sync
        self._lock = threading.Lock()

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """The items in order; with `limit`, the latest ones."""
        wanted = limit if limit is not None else getattr(self.session_settings, "limit", None)
        items = [one["item"] for one in await in_thread(self._stored)]
        return items if wanted is None else items[len(items) - min(max(wanted, 0), len(items)) :]

    async def add_items(self, items: Sequence[Any]) -> None:
        """Add items to the end."""
        await in_thread(self._add, items)

    async def pop_item(self) -> Any | None:
        """Remove the last item and return it; None if there is none."""
        return await in_thread(self._pop)

    async def clear_session(self) -> None:
        """Remove all items."""
        await in_thread(self._clear)

    def _stored(self) -> list[dict[str, Any]]:
        found = self._memory.retrieve_ltm(MEMORY_TYPE, {"session": self.session_id})
        if not found.complete:
            raise Unavailable(f"the session cannot be read entirely: {found.missing[0]['why']}")
        return sorted(found, key=lambda one: int(one["number"]))

    def _add(self, items: Sequence[Any]) -> None:
        with self._lock:
            stored = self._stored()
            number = stored[-1]["number"] + 1 if stored else 0
            for item in items:
                number = self._add_from(number, item) + 1

    def _add_from(self, number: int, item: Any) -> int:
        """Store an item under the first free number from one on, and return it."""
        while True:
            data = {"session": self.session_id, "number": number, "item": item}
            try:
                self._memory.store_ltm(MEMORY_TYPE, self._name(number), data, expected_version=0)
            except Conflict:  # another process has added an item
                number += 1
            else:
                return number

    def _pop(self) -> Any | None:
        with self._lock:
            stored = self._stored()
            if not stored:
                return None
            self._remove(stored[-1:])
            return stored[-1]["item"]

    def _clear(self) -> None:
        with self._lock:
            self._remove(self._stored())

    def _remove(self, stored: Sequence[Mapping[str, Any]]) -> None:
        for one in stored:
            self._memory.delete_ltm(MEMORY_TYPE, one["pattern_id"], _REMOVED)

    def _name(self, number: int) -> str:
        return f"{hashlib.sha256(self.session_id.encode()).hexdigest()[:32]}-{number:09}"


class DecisionLogHooks(RunHooks[Any]):
    """Logs each call of some tools as a decision, before the tool runs. If the log refuses, the run ends before it.

    Args:
        log: the decision log of the agent.
        tools: the decision type for each tool by name, as `{"place_order": "TRADE"}`. Other tools are not logged.
    """

    def __init__(self, log: DecisionLogger, tools: Mapping[str, str]) -> None:
        self._log = log
        self._tools = dict(tools)

    async def on_tool_start(self, context: RunContextWrapper[Any], agent: Agent[Any], tool: Tool) -> None:
        """Log the call, or raise the log's error."""
        if tool.name in self._tools:
            call = {
                "input": getattr(context, "tool_arguments", None),
                "call_id": getattr(context, "tool_call_id", None),
            }
            await self._log.log_decision(self._tools[tool.name], {"tool": tool.name, "agent": agent.name}, call)
