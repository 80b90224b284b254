"""An agent in memory, whose nightly jobs a test runs."""

from agent_memory.core.clock import FixedClock, day_start_ms
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.consolidation import consolidate
from agent_memory.storage.factory import in_memory_stores
from tests.outcomes import known_at_once


class NightlyAgent:
    """Logs the decisions and outcomes of its subclass; its clock is at the beginning of a day, after all of them."""

    agent_id = "market-hunter"

    def __init__(self, today):
        clock = FixedClock(day_start_ms(today))
        self.stores = in_memory_stores(clock)
        self.log = DecisionLog(self.agent_id, self.stores, clock)
        self.memory = LongTermMemory(self.agent_id, self.stores.memories, clock)

    def record(self, decisions, outcomes):
        """Log decisions, and outcomes that are known at once."""
        self.log.log(decisions)
        self.log.record_outcomes(known_at_once(outcomes))

    def learn(self, day, **options):
        """Run the part of a day's nightly job that learns; returns its figures."""
        return consolidate(self.agent_id, day, self.stores, **options)
