"""The Python client of the HTTP API, with the same methods as the direct classes."""

from agent_memory.client.client import AgentMemoryClient

__all__ = ["AgentMemoryClient"]
