"""Opens the memory and the decision log of the examples' agent, as the environment says."""

import os
import sys

from agent_memory import DecisionLogger, MemoryManager

AGENT_ID = "example-hunter"

_VARIABLES = ("REDIS_ENDPOINT", "AGENT_MEMORY_TABLE_PREFIX", "AGENT_MEMORY_ARCHIVE_BUCKET")


def open_memory() -> tuple[MemoryManager, DecisionLogger]:
    """Return memory manager and decision logger of the agent; exit with a message if the environment is incomplete."""
    missing = [name for name in _VARIABLES if not os.environ.get(name)]
    if missing:
        sys.exit(
            f"Not set: {', '.join(missing)}. They name a deployment; to start a local one and set them:\n"
            '    eval "$(make -s local-up)"'
        )
    memory_manager = MemoryManager(agent_id=AGENT_ID, redis_endpoint=os.environ["REDIS_ENDPOINT"])
    decision_logger = DecisionLogger(agent_id=AGENT_ID, memory_manager=memory_manager)
    return memory_manager, decision_logger
