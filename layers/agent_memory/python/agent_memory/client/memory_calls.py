"""What the client does for memory and state: the methods of `MemoryManager` over HTTP."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory.client.bodies import document_text, json_text
from agent_memory.client.requests import Requests, iso, number, segment, time_query
from agent_memory.core.clock import Instant
from agent_memory.core.json_values import Document
from agent_memory.core.retention import CONTEXT_SECONDS
from agent_memory.decisions.queries import TimeRange
from agent_memory.model.memories import MemoryType


class MemoryCalls:
    """Memory and state of one agent; `_http` sends requests below the agent's path, `_pools` below its pools'."""

    _http: Requests
    _pools: Sequence[Requests]
    _writer: str | None

    # --- memory --------------------------------------------------------------------------------

    async def store_stm(self, key: str, data: Any, ttl_seconds: int = CONTEXT_SECONDS) -> bool:
        """Keep a JSON value for a while; see `MemoryManager.store_stm`. `Unavailable` where the API has no cache."""
        body = json_text({"data": data, "ttl_seconds": ttl_seconds}, "data")
        await self._http.send("PUT", f"memory/stm/{segment(key)}", body)
        return True

    async def retrieve_stm(self, key: str) -> Any | None:
        """The value under a key, or None once it has vanished."""
        return (await self._http.send("GET", f"memory/stm/{segment(key)}"))["data"]

    async def clear_stm(self, pattern: str | None = None) -> int:
        """Erase short-term memory, or the keys that match a pattern; see `MemoryManager.clear_stm`."""
        return int((await self._http.send("DELETE", "memory/stm", query={"pattern": pattern}))["erased"])

    async def store_ltm(
        self,
        memory_type: str,
        pattern_id: str,
        data: Document,
        *,
        reason: str | None = None,
        expected_version: int | None = None,
    ) -> dict[str, Any]:
        """Store a memory, or its next version; see `MemoryManager.store_ltm`."""
        query = {"reason": reason, "expected_version": number(expected_version), "writer": self._writer}
        return await self._http.send("PUT", _memory(memory_type, pattern_id), document_text(data, "data"), query=query)

    async def retrieve_ltm(
        self, memory_type: str, filters: Document | None = None, *, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Memories of a type that meet every filter; see `MemoryManager.retrieve_ltm`."""
        query = {"filters": None if filters is None else json_text(filters, "filters"), "as_of": iso(as_of, "as_of")}
        answers = await self._everywhere(f"memory/ltm/{segment(memory_type)}", query)
        found = [memory for answer in answers for memory in answer["memories"]]
        return sorted(found, key=lambda memory: float(memory["confidence"]), reverse=True)

    async def get_pattern_memory(
        self, pattern_type: str = MemoryType.PATTERN, min_confidence: float = 0.7, *, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Memories of a type from a confidence on; see `MemoryManager.get_pattern_memory`."""
        return await self.retrieve_ltm(pattern_type, {"min_confidence": min_confidence}, as_of=as_of)

    async def update_ltm_confidence(
        self,
        pattern_id: str,
        new_confidence: float,
        *,
        memory_type: str = MemoryType.PATTERN,
        reason: str | None = None,
    ) -> dict[str, Any]:
        """Store the next version of a memory with another confidence; see `MemoryManager.update_ltm_confidence`."""
        body = json_text({"new_confidence": new_confidence}, "new_confidence")
        path = f"{_memory(memory_type, pattern_id)}/confidence"
        return await self._http.send("PUT", path, body, query={"reason": reason, "writer": self._writer})

    async def get_ltm_history(self, memory_type: str, pattern_id: str) -> list[dict[str, Any]]:
        """Every change of a memory, oldest first; see `MemoryManager.get_ltm_history`."""
        return list((await self._http.send("GET", f"{_memory(memory_type, pattern_id)}/history"))["changes"])

    async def consolidate_to_ltm(self, stm_key: str, pattern_type: str = MemoryType.PATTERN) -> dict[str, Any]:
        """Keep a short-term value for good; see `MemoryManager.consolidate_to_ltm`."""
        body = json_text({"stm_key": stm_key, "pattern_type": pattern_type}, "stm_key")
        return await self._http.send("POST", "memory/consolidations", body, query={"writer": self._writer})

    async def recall(
        self,
        query: str = "",
        kind: str | None = None,
        symbol: str | None = None,
        top_k: int = 5,
        explain: bool = False,
        *,
        half_lives: Mapping[str, float] | None = None,
    ) -> list[dict[str, Any]]:
        """What the agent knows about something; see `MemoryManager.recall`.

        Each pool is ranked by itself: how rare a word is counts within the agent's memory or one pool's.
        """
        asked = {
            "query": query,
            "kind": kind,
            "symbol": symbol,
            "top_k": str(top_k),
            "explain": "true" if explain else "false",
            "half_lives": None if half_lives is None else json_text(half_lives, "half_lives"),
        }
        found = [one for answer in await self._everywhere("memory/recall", asked) for one in answer["found"]]
        return sorted(found, key=lambda one: float(one["score"]), reverse=True)[:top_k]

    async def get_context_memory(
        self,
        time_range: TimeRange | None = None,
        context_filter: Document | None = None,
        *,
        limit: int = 100,
        level: str | None = None,
    ) -> dict[str, Any]:
        """What the agent met in a time and context; see `MemoryManager.get_context_memory`."""
        context = None if context_filter is None else json_text(context_filter, "context_filter")
        query = {**time_query(time_range), "context": context, "limit": str(limit), "level": level}
        return await self._http.send("GET", "memory/contexts", query=query)

    async def _everywhere(self, path: str, query: Mapping[str, str | None]) -> list[dict[str, Any]]:
        """What the agent's own path and its pools' answer, asked side by side."""
        return await asyncio.gather(*(http.send("GET", path, query=query) for http in (self._http, *self._pools)))

    # --- state ---------------------------------------------------------------------------------

    async def save_state(self, state: Document, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make this the current state; see `MemoryManager.save_state`."""
        query = {"expected_version": number(expected_version)}
        return await self._http.send("PUT", "state", document_text(state, "state"), query=query)

    async def load_state(self, *, fresh: bool = False) -> dict[str, Any] | None:
        """The agent's current state, None where none was saved; see `MemoryManager.load_state`."""
        query = {"fresh": "true" if fresh else "false"}
        state: dict[str, Any] | None = (await self._http.send("GET", "state", query=query))["state"]
        return state

    async def create_checkpoint(self, name: str) -> dict[str, Any]:
        """Keep the current state under a name; see `MemoryManager.create_checkpoint`."""
        return await self._http.send("PUT", f"state/checkpoints/{segment(name)}")

    async def list_checkpoints(self) -> list[dict[str, Any]]:
        """Every checkpoint, in order of their names."""
        return list((await self._http.send("GET", "state/checkpoints"))["checkpoints"])

    async def restore_checkpoint(self, name: str, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make a checkpoint the current state again; see `MemoryManager.restore_checkpoint`."""
        query = {"expected_version": number(expected_version)}
        return await self._http.send("POST", f"state/checkpoints/{segment(name)}/restore", query=query)

    async def list_configurations(self) -> list[dict[str, Any]]:
        """Every configuration the agent had, oldest first."""
        return list((await self._http.send("GET", "state/configurations"))["configurations"])


def _memory(memory_type: str, pattern_id: str) -> str:
    return f"memory/ltm/{segment(memory_type)}/{segment(pattern_id)}"
