"""An OpenAI Agents run whose conversation is kept in an agent's memory.

The model is a script, so that the program runs anywhere; use a real one in its place.

    pip install 'agent-memory[openai-agents]'
    python examples/openai_agents_session.py sqlite:///memory.db
"""

import asyncio
import sys
from typing import Any

from agents import Agent, Model, ModelResponse, Runner, Usage, set_tracing_disabled
from openai.types.responses import ResponseOutputMessage, ResponseOutputText

from agent_memory import MemoryManager
from agent_memory.client.integrations.openai_agents import AgentMemorySession


class Answer(Model):
    """Says the same every time."""

    async def get_response(self, *_: Any, **__: Any) -> Any:
        """One message."""
        text = ResponseOutputText(type="output_text", text="noted", annotations=[])
        message = ResponseOutputMessage(id="1", type="message", role="assistant", status="completed", content=[text])
        return ModelResponse(output=[message], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        """It does not stream."""
        raise NotImplementedError("this model answers at once: run its agent without a stream")


async def run(url: str) -> None:
    """Say something in a session on the memory at a URL."""
    set_tracing_disabled(True)
    session = AgentMemorySession("desk-1", MemoryManager("desk", stores=url))
    await Runner.run(Agent(name="desk", model=Answer()), "Gaps were faded today.", session=session)
    print(f"items in the session: {len(await session.get_items())}")


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db"))
