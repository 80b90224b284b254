"""Strands: `AgentMemoryStore` for its memory manager, `SessionStorage` for sessions, and `DecisionLogHandler`.

Strands runs each agent call on a new event loop, and some hooks within a running one; these objects belong to none.
"""

import builtins
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from strands.hooks.events import BeforeToolCallEvent
from strands.interventions import Deny, InterventionHandler, Proceed
from strands.memory import MemoryEntry
from strands.memory.types import Metadata, SearchOptions
from strands.storage.storage import Storage
from strands.types.exceptions import StorageError

from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.executor import in_thread
from agent_memory.client.integrations.byte_values import ByteValues
from agent_memory.client.integrations.recalled import recalled
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.core.errors import AgentMemoryError

DECISION_IDS = "agent_memory_decision_ids"
"""The entry of a call's `invocation_state` that has the id of the decision for each tool use."""


@dataclass(kw_only=True)
class AgentMemoryStore:
    """A `MemoryStore` on an agent's memory: searches recall it, and `add` stores notes.

    Attributes:
        memory: the memory of the agent.
        name: the store's name, by which tools choose it.
        description: what the store has, for the model.
        writable: whether the agent may add notes.
        memory_type: the type of the notes.
        max_search_results: how many entries a search returns, if the call does not say.
    """

    memory: MemoryManager = field(kw_only=False)
    name: str = "agent-memory"
    description: str | None = "What this agent has learned, and its recent decisions with their outcomes."
    writable: bool = True
    memory_type: str = "NOTE"
    max_search_results: int | None = 5
    extraction: None = field(default=None, init=False)

    async def search(self, query: str, options: SearchOptions | None = None) -> list[MemoryEntry]:
        """Memories and recent decisions, ranked for the query. The content of a note is its text, of others JSON."""
        limit = (options or {}).get("max_search_results") or self.max_search_results or 5
        found = await recalled(self.memory, query, None, limit)
        return [MemoryEntry(_content(one), self.name, {"kind": one["kind"], "score": one["score"]}) for one in found]

    async def add(self, content: str, metadata: Metadata | None = None) -> dict[str, Any]:
        """Store a note. The same note again changes nothing."""
        name = hashlib.sha256(content.encode()).hexdigest()[:32]
        return await self.memory.store_ltm(self.memory_type, name, {"text": content, "metadata": metadata or {}})


class SessionStorage(Storage):
    """A `Storage` on an agent's memory, as for `SnapshotSessionManager`: values of any size, under any key."""

    def __init__(self, memory: MemoryManager, *, memory_type: str = "STRANDS_FILE") -> None:
        self._values = ByteValues(memory.sync, memory_type)

    async def write(self, key: str, data: bytes) -> None:
        """Store data under a key, in place of the value before."""
        await self._call(self._values.write, key, data)

    async def read(self, key: str) -> bytes | None:
        """The data under a key; None if there is none."""
        data: bytes | None = await self._call(self._values.read, key)
        return data

    async def delete(self, key: str) -> None:
        """Delete the data under a key, if there is any."""
        await self._call(self._values.delete, key)

    async def list(self, query: str = "") -> builtins.list[str]:
        """The keys with a prefix, sorted."""
        keys: builtins.list[str] = await self._call(self._values.keys, query)
        return keys

    async def _call(self, method: Any, *arguments: Any) -> Any:
        try:
            return await in_thread(method, *arguments)
        except AgentMemoryError as error:
            raise StorageError(f"{error.code}: {error}") from error


class DecisionLogHandler(InterventionHandler):
    """Logs each call of some tools as a decision, before the tool runs.

    A tool finds the decision's id in `invocation_state[DECISION_IDS][tool_use_id]`, to send it as the order's own id.

    Args:
        log: the decision log of the agent.
        tools: the decision type for each tool by name, as `{"place_order": "TRADE"}`. Other tools are not logged.
        on_error: what happens to a call that the log refuses: "deny" does not run the tool and tells the model why,
            "throw" ends the agent's call, "proceed" runs the tool without a record.
    """

    name = "agent-memory-decision-log"
    on_error: Literal["throw", "proceed", "deny"] = "deny"

    def __init__(
        self,
        log: DecisionLogger,
        tools: Mapping[str, str],
        *,
        on_error: Literal["throw", "proceed", "deny"] = "deny",
    ) -> None:
        self._log = log
        self._tools = dict(tools)
        self.on_error = on_error

    async def before_tool_call(self, event: BeforeToolCallEvent, **_: Any) -> Proceed | Deny:
        """Log the call, or refuse it."""
        use = event.tool_use
        if use["name"] not in self._tools:
            return Proceed()
        context = {"tool": use["name"], "agent": event.agent.name, **_mapping(event.invocation_state.get("context"))}
        try:
            logged = await self._log.log_decision(
                self._tools[use["name"]], context, {"input": use["input"], "tool_use_id": use["toolUseId"]}
            )
        except AgentMemoryError as error:
            if self.on_error == "deny":
                return Deny(reason=f"not run: the decision could not be logged ({error.code}: {error})")
            raise
        event.invocation_state.setdefault(DECISION_IDS, {})[use["toolUseId"]] = logged
        return Proceed()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _content(found: Mapping[str, Any]) -> str:
    stored = found.get("memory") or found["decision"]
    return str(stored["text"]) if isinstance(stored.get("text"), str) else json.dumps(stored)
