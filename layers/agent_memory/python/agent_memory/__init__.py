"""Memory and decision log for AI trading agents.

The names in `__all__` are the public interface; everything below is internal and may change. Most names are loaded
when they are first used: an agent that only logs decisions imports neither DuckDB nor SciPy.
"""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from agent_memory.core.errors import (
    AccessDenied,
    AgentMemoryError,
    CacheUnavailable,
    Conflict,
    Damaged,
    Forbidden,
    InColdStorage,
    InvalidInput,
    Misconfigured,
    NotFound,
    Rejected,
    ShortTermOff,
    TooEarly,
    TooLarge,
    Unavailable,
    Unreadable,
)
from agent_memory.core.extras import MissingExtra, needs_extra
from agent_memory.model.decisions import DecisionType
from agent_memory.model.listings import Listing
from agent_memory.model.memories import MemoryType

if TYPE_CHECKING:
    from agent_memory.buffering.metrics import BufferMetrics
    from agent_memory.client.aws_clients import AWSMemoryClients
    from agent_memory.client.blocking import Blocking
    from agent_memory.client.buffered_logger import BufferedDecisionLogger, SyncBufferedDecisionLogger
    from agent_memory.client.client import AgentMemoryClient, SyncAgentMemoryClient
    from agent_memory.client.connect import HttpApi, connect
    from agent_memory.client.decision_logger import DecisionLogger, SyncDecisionLogger
    from agent_memory.client.memory_manager import MemoryManager, SyncMemoryManager
    from agent_memory.core.ids import decision_id_for, new_decision_id
    from agent_memory.model.experiments import Assignment, Experiment
    from agent_memory.ports.stores import Stores
    from agent_memory.reporting.analytics import MemoryAnalytics
    from agent_memory.storage.factory import in_memory_stores, open_stores

__version__ = "0.1.0"

__all__ = [
    "AWSMemoryClients",
    "AccessDenied",
    "AgentMemoryClient",
    "AgentMemoryError",
    "Assignment",
    "Blocking",
    "BufferMetrics",
    "BufferedDecisionLogger",
    "CacheUnavailable",
    "Conflict",
    "Damaged",
    "DecisionLogger",
    "DecisionType",
    "Experiment",
    "Forbidden",
    "HttpApi",
    "InColdStorage",
    "InvalidInput",
    "Listing",
    "MemoryAnalytics",
    "MemoryManager",
    "MemoryType",
    "Misconfigured",
    "MissingExtra",
    "NotFound",
    "Rejected",
    "ShortTermOff",
    "Stores",
    "SyncAgentMemoryClient",
    "SyncBufferedDecisionLogger",
    "SyncDecisionLogger",
    "SyncMemoryManager",
    "TooEarly",
    "TooLarge",
    "Unavailable",
    "Unreadable",
    "__version__",
    "connect",
    "decision_id_for",
    "in_memory_stores",
    "new_decision_id",
    "open_stores",
]

_MODULES = {
    "AWSMemoryClients": "agent_memory.client.aws_clients",
    "AgentMemoryClient": "agent_memory.client.client",
    "Blocking": "agent_memory.client.blocking",
    "BufferMetrics": "agent_memory.buffering.metrics",
    "BufferedDecisionLogger": "agent_memory.client.buffered_logger",
    "Assignment": "agent_memory.model.experiments",
    "DecisionLogger": "agent_memory.client.decision_logger",
    "Experiment": "agent_memory.model.experiments",
    "HttpApi": "agent_memory.client.connect",
    "MemoryAnalytics": "agent_memory.reporting.analytics",
    "MemoryManager": "agent_memory.client.memory_manager",
    "SyncAgentMemoryClient": "agent_memory.client.client",
    "SyncBufferedDecisionLogger": "agent_memory.client.buffered_logger",
    "SyncDecisionLogger": "agent_memory.client.decision_logger",
    "SyncMemoryManager": "agent_memory.client.memory_manager",
    "Stores": "agent_memory.ports.stores",
    "connect": "agent_memory.client.connect",
    "decision_id_for": "agent_memory.core.ids",
    "in_memory_stores": "agent_memory.storage.factory",
    "new_decision_id": "agent_memory.core.ids",
    "open_stores": "agent_memory.storage.factory",
}

_EXTRAS = {
    "AWSMemoryClients": "aws",
    "AgentMemoryClient": "client",
    "MemoryAnalytics": "report",
    "SyncAgentMemoryClient": "client",
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    import importlib  # noqa: PLC0415  most names need no loading

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needs_extra(_EXTRAS[name]) if name in _EXTRAS else nullcontext():
        return getattr(importlib.import_module(_MODULES[name]), name)
