"""Google ADK: `AgentMemoryService`, a memory service on an agent's memory."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.adk.events import Event
from google.adk.memory import BaseMemoryService
from google.adk.memory.base_memory_service import SearchMemoryResponse
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.sessions import Session
from google.genai.types import Content

from agent_memory.client.executor import in_thread
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.core.clock import parse_instant, to_iso
from agent_memory.core.errors import NotFound

MEMORY_TYPE = "ADK_EVENT"
_DELETED = "deleted by the application"
_MAX_FOUND = 10


class AgentMemoryService(BaseMemoryService):
    """Keeps the events of sessions that have text, each as a memory, apart for each application and user.

    An event that is added again changes nothing, and one that was deleted stays deleted.

    Args:
        memory: the memory of the agent.
    """

    def __init__(self, memory: MemoryManager) -> None:
        self._memory = memory.sync

    async def add_session_to_memory(self, session: Session) -> None:
        """Keep the events of a session."""
        await self.add_events_to_memory(
            app_name=session.app_name, user_id=session.user_id, events=session.events, session_id=session.id
        )

    async def add_events_to_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        events: Sequence[Event],
        session_id: str | None = None,
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Keep some events."""
        for event in events:
            text = _text(event.content)
            if text:
                data = {
                    "session_id": session_id,
                    "event_id": event.id,
                    "author": event.author,
                    "timestamp": to_iso(parse_instant(event.timestamp, "timestamp")),
                    "content": event.content.model_dump(mode="json", exclude_none=True),
                    "custom_metadata": dict(custom_metadata or {}),
                }
                await in_thread(self._keep, _scope(app_name, user_id), event.id, data)

    async def search_memory(self, *, app_name: str, user_id: str, query: str) -> SearchMemoryResponse:
        """The events of a user that share words with the query, the best ones first, up to ten."""
        scope = _scope(app_name, user_id)
        found = await in_thread(self._memory.recall, query, MEMORY_TYPE, scope, _MAX_FOUND, explain=True)
        return SearchMemoryResponse(memories=[_entry(one["memory"]) for one in found if one["why"]["similarity"] > 0])

    async def delete_memory(self, *, app_name: str, user_id: str, memory_id: str | None = None) -> None:
        """Delete one event of a user by its id.

        Raises:
            NotImplementedError: no id is given.
        """
        if memory_id is None:
            # What ADK expects of a service that does not delete all memories of a user at once.
            raise NotImplementedError("name the memory to delete")
        name = _name(_scope(app_name, user_id), memory_id)
        try:
            await in_thread(self._memory.delete_ltm, MEMORY_TYPE, name, _DELETED)
        except NotFound:
            return

    def _keep(self, scope: str, event_id: str, data: dict[str, Any]) -> None:
        name = _name(scope, event_id)
        if not self._memory.get_ltm_history(MEMORY_TYPE, name):
            # `recall` can be restricted to a symbol: it is what separates the users.
            self._memory.store_ltm(MEMORY_TYPE, name, {"symbol": scope, **data})


def _scope(app_name: str, user_id: str) -> str:
    return hashlib.sha256(json.dumps([app_name, user_id]).encode()).hexdigest()[:32]


def _name(scope: str, event_id: str) -> str:
    return hashlib.sha256(json.dumps([scope, event_id]).encode()).hexdigest()


def _text(content: Content | None) -> str:
    return " ".join(part.text for part in (content.parts or ()) if part.text) if content else ""


def _entry(stored: Mapping[str, Any]) -> MemoryEntry:
    return MemoryEntry(
        id=stored["event_id"],
        content=Content.model_validate(stored["content"]),
        author=stored["author"],
        timestamp=stored["timestamp"],
        custom_metadata=stored["custom_metadata"],
    )
