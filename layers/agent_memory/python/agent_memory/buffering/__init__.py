"""Buffered logging: decisions lie in a local write-ahead log at once, and reach the store in the background."""

from agent_memory.buffering.logger import BufferedDecisionLogger
from agent_memory.buffering.metrics import BufferMetrics

__all__ = ["BufferMetrics", "BufferedDecisionLogger"]
