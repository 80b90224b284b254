"""The HTTP API; see `agent_memory.api.app`."""

from agent_memory.api.app import handler

__all__ = ["handler"]
