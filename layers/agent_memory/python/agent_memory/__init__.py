"""Memory and decision log for AI trading agents.

Names are loaded when they are first used: an agent that only logs decisions imports neither DuckDB
nor SciPy.
"""

from typing import TYPE_CHECKING, Any

from agent_memory.core.errors import (
    AgentMemoryError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Rejected,
    TooLarge,
    Unavailable,
)
from agent_memory.model.decisions import DecisionType
from agent_memory.model.memories import MemoryType

if TYPE_CHECKING:
    from agent_memory.buffering import BufferedDecisionLogger, BufferMetrics
    from agent_memory.client.aws_clients import AWSMemoryClients
    from agent_memory.client.blocking import Blocking
    from agent_memory.client.client import AgentMemoryClient
    from agent_memory.client.decision_logger import DecisionLogger
    from agent_memory.client.memory_manager import MemoryManager
    from agent_memory.reporting.analytics import MemoryAnalytics

__all__ = [
    "AWSMemoryClients",
    "AgentMemoryClient",
    "AgentMemoryError",
    "Blocking",
    "BufferMetrics",
    "BufferedDecisionLogger",
    "Conflict",
    "DecisionLogger",
    "DecisionType",
    "Forbidden",
    "InvalidInput",
    "MemoryAnalytics",
    "MemoryManager",
    "MemoryType",
    "NotFound",
    "Rejected",
    "TooLarge",
    "Unavailable",
]

_ROOMS = {
    "AWSMemoryClients": "agent_memory.client.aws_clients",
    "AgentMemoryClient": "agent_memory.client.client",
    "BufferMetrics": "agent_memory.buffering",
    "Blocking": "agent_memory.client.blocking",
    "BufferedDecisionLogger": "agent_memory.buffering",
    "DecisionLogger": "agent_memory.client.decision_logger",
    "MemoryAnalytics": "agent_memory.reporting.analytics",
    "MemoryManager": "agent_memory.client.memory_manager",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415  most names need no loading

    return getattr(importlib.import_module(_ROOMS[name]), name)
