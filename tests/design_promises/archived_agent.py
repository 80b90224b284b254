"""An agent with decisions of every age, whose old days are archived."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.nightly.archival import archive_due_days

AGES = {
    "immediate": timedelta(minutes=20),
    "recent": timedelta(hours=5),
    "historical": timedelta(days=12),
    "archive": timedelta(days=40),
}
"""A decision of each level, by its age."""


@dataclass(frozen=True)
class ArchivedAgent:
    """The agent, and the ids of its decisions by level."""

    agent_id: str
    memory: MemoryManager
    logger: DecisionLogger
    decision_ids: dict


def archive_agent(stores):
    """Log a decision of each level, and archive the day of the oldest one, as the nightly job does."""
    agent_id, now = f"aged-{uuid4().hex[:12]}", datetime.now(UTC)
    memory = MemoryManager(agent_id, stores=stores)
    logger = DecisionLogger(agent_id, memory_manager=memory)
    context = {"market": {"volatility": "high"}}
    ids = {
        level: logger.sync.log_decision("QUERY", context, {"level": level}, timestamp=now - age)
        for level, age in AGES.items()
    }
    archive_due_days(agent_id, (now - timedelta(days=1)).date(), stores)
    return ArchivedAgent(agent_id, memory, logger, ids)
