"""The HTTP API; see `agent_memory.api.entry`."""

from agent_memory.api.entry import handler

__all__ = ["handler"]
