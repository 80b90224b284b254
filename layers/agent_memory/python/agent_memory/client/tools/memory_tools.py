"""Tools of long-term memory, working memory and advice."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from agent_memory.client.tools import results
from agent_memory.client.tools.access import AgentAccess
from agent_memory.model.memories import MemoryType

MemoryTypeName = Annotated[str, Field(description="In capitals: PATTERN, STRATEGY, or your own, as LESSON")]
MemoryId = Annotated[str, Field(description="The memory's id within its type")]
Content = Annotated[
    dict[str, Any], Field(description="A JSON object; `confidence` (0 to 1) orders memories, `symbol` is searched by")
]
Reason = Annotated[str, Field(description="Why, for the history", min_length=1, max_length=500)]
Key = Annotated[str, Field(description="As context:current")]
AsOf = Annotated[str | None, Field(description="As it was at this time; ISO 8601 with an offset")]


class MemoryTools:
    """Remember, correct and recall what the server's agent knows."""

    def __init__(self, access: AgentAccess) -> None:
        self._memory = access.memory

    async def add_memory(
        self, memory_type: MemoryTypeName, memory_id: MemoryId, content: Content, reason: Reason | None = None
    ) -> results.StoredMemory:
        """Store a new memory. A memory with this id is an error (conflict): update_memory changes it."""
        stored = await self._memory.store_ltm(memory_type, memory_id, content, reason=reason, expected_version=0)
        return _version(stored)

    async def update_memory(
        self, memory_type: MemoryTypeName, memory_id: MemoryId, content: Content, reason: Reason
    ) -> results.StoredMemory:
        """Replace the content of a memory. The version before is kept in its history."""
        current = await self._memory.get_ltm(memory_type, memory_id)
        version = current["version"]
        stored = await self._memory.store_ltm(memory_type, memory_id, content, reason=reason, expected_version=version)
        return _version(stored)

    async def delete_memory(
        self, memory_type: MemoryTypeName, memory_id: MemoryId, reason: Reason
    ) -> results.StoredMemory:
        """Remove a memory. Its history is kept. Removing it again changes nothing."""
        return _version(await self._memory.delete_ltm(memory_type, memory_id, reason))

    async def get_memory(self, memory_type: MemoryTypeName, memory_id: MemoryId) -> results.RecalledMemory:
        """One memory of the agent's own."""
        return results.RecalledMemory(memory=await self._memory.get_ltm(memory_type, memory_id))

    async def get_memory_history(self, memory_type: MemoryTypeName, memory_id: MemoryId) -> results.RecalledList:
        """Every change of a memory, oldest first: when, by whom, why, and each field before and after."""
        return results.RecalledList.of(await self._memory.get_ltm_history(memory_type, memory_id))

    async def search_memories(
        self,
        query: Annotated[str, Field(description="Words; without any, important and recent entries come first")] = "",
        kind: Annotated[str | None, Field(description="Only this type of memory or decision")] = None,
        symbol: Annotated[str | None, Field(description="Only entries with this symbol")] = None,
        limit: Annotated[int, Field(ge=1, le=1000)] = 5,
    ) -> results.RecalledList:
        """Memories and recent decisions, ranked for a query by importance, age and words."""
        return results.RecalledList.of(await self._memory.recall(query, kind, symbol, limit))

    async def search_patterns(
        self,
        context: Annotated[
            dict[str, Any] | None, Field(description="The situation: only patterns whose facts all hold in it")
        ] = None,
        min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0,
        as_of: AsOf = None,
    ) -> results.RecalledList:
        """What was learned from outcomes: features with which decisions succeed more, or less, often."""
        filters = {"min_confidence": min_confidence}
        return results.RecalledList.of(
            await self._memory.retrieve_ltm(MemoryType.PATTERN, filters, as_of=as_of, matches=context)
        )

    async def advise(
        self,
        decision_type: Annotated[str, Field(description="The type of the decision that is due")],
        context: Annotated[dict[str, Any], Field(description="The situation, as it will be recorded")],
        options: Annotated[Sequence[str], Field(description="What can be chosen, 1 to 32 texts")],
        choice: Annotated[str | None, Field(description="Where decisions name the option, as reasoning.action")] = None,
        choose: Annotated[Literal["thompson", "greedy"] | None, Field(description="Choose by this rule")] = None,
        count: Annotated[int, Field(ge=1, le=32, description="How many options to choose")] = 1,
        seed: Annotated[str | None, Field(description="The same one leads to the same choice")] = None,
        recent: Annotated[bool, Field(description="Also count the results since the last nightly job")] = False,
    ) -> results.RecalledReport:
        """What to expect of each option, with its uncertainty, and a choice among them where one is asked for."""
        advice = await self._memory.advise(
            decision_type, context, options, choice=choice, choose=choose, count=count, seed=seed, recent=recent
        )
        return results.RecalledReport(figures=advice)

    async def get_working_memory(self, key: Key) -> results.RecalledValue:
        """A value of short-term memory; null if there is none, or it has expired."""
        return results.RecalledValue(key=key, value=await self._memory.retrieve_stm(key, strict=True))

    async def set_working_memory(
        self,
        key: Key,
        value: Annotated[Any, Field(description="Any JSON value")],
        ttl_seconds: Annotated[int, Field(ge=1, le=86_400, description="Seconds until it expires")] = 3_600,
    ) -> results.StoredValue:
        """Keep a value in short-term memory until it expires."""
        return results.StoredValue(key=key, stored=await self._memory.store_stm(key, value, ttl_seconds))


def _version(stored: dict[str, Any]) -> results.StoredMemory:
    return results.StoredMemory(
        memory_type=stored["memory_type"], memory_id=stored["pattern_id"], version=stored["version"]
    )
