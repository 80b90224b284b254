"""A Google ADK memory service on an agent's memory.

A program passes it to the runner: `Runner(…, memory_service=AgentMemoryService(memory))`.

    pip install 'agent-memory[google-adk]'
    python examples/google_adk_memory.py sqlite:///memory.db
"""

import asyncio
import sys

from google.adk.events import Event
from google.genai.types import Content, Part

from agent_memory import MemoryManager
from agent_memory.client.integrations.google_adk import AgentMemoryService


async def run(url: str) -> None:
    """Keep what a user said, and find it again."""
    service = AgentMemoryService(MemoryManager("adk-desk", stores=url))
    said = Event(author="user", content=Content(role="user", parts=[Part(text="fade small gaps")]))
    await service.add_events_to_memory(app_name="desk", user_id="ann", events=[said])
    answer = await service.search_memory(app_name="desk", user_id="ann", query="what about gaps?")
    for one in answer.memories:
        print(one.content.parts[0].text)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db"))
