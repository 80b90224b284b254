"""Opens an agent's memory and decision log as the environment says."""

import os

from agent_memory import DecisionLogger, MemoryManager

AGENT_ID = "example-hunter"


def open_memory() -> tuple[MemoryManager, DecisionLogger]:
    """Memory manager and decision logger of the example's agent."""
    memory_manager = MemoryManager(agent_id=AGENT_ID, redis_endpoint=os.environ["REDIS_ENDPOINT"])
    decision_logger = DecisionLogger(agent_id=AGENT_ID, memory_manager=memory_manager)
    return memory_manager, decision_logger
