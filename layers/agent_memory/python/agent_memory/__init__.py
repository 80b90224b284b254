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
    from agent_memory.buffering.metrics import BufferMetrics
    from agent_memory.client.aws_clients import AWSMemoryClients
    from agent_memory.client.blocking import Blocking
    from agent_memory.client.buffered_logger import BufferedDecisionLogger, SyncBufferedDecisionLogger
    from agent_memory.client.client import AgentMemoryClient, SyncAgentMemoryClient
    from agent_memory.client.decision_logger import DecisionLogger, SyncDecisionLogger
    from agent_memory.client.memory_manager import MemoryManager, SyncMemoryManager
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
    "SyncAgentMemoryClient",
    "SyncBufferedDecisionLogger",
    "SyncDecisionLogger",
    "SyncMemoryManager",
    "TooLarge",
    "Unavailable",
    "__version__",
]

_MODULES = {
    "AWSMemoryClients": "agent_memory.client.aws_clients",
    "AgentMemoryClient": "agent_memory.client.client",
    "Blocking": "agent_memory.client.blocking",
    "BufferMetrics": "agent_memory.buffering.metrics",
    "BufferedDecisionLogger": "agent_memory.client.buffered_logger",
    "DecisionLogger": "agent_memory.client.decision_logger",
    "MemoryAnalytics": "agent_memory.reporting.analytics",
    "MemoryManager": "agent_memory.client.memory_manager",
    "SyncAgentMemoryClient": "agent_memory.client.client",
    "SyncBufferedDecisionLogger": "agent_memory.client.buffered_logger",
    "SyncDecisionLogger": "agent_memory.client.decision_logger",
    "SyncMemoryManager": "agent_memory.client.memory_manager",
}


def __getattr__(name: str) -> Any:
    import importlib  # noqa: PLC0415  most names need no loading

    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("agent-memory")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
