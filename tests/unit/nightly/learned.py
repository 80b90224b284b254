"""Stores with decisions to learn from, and what nightly jobs have learned."""

from agent_memory.core.clock import FixedClock, day_start_ms
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.stored_memories import LEARNED
from agent_memory.storage.factory import in_memory_stores
from tests.outcomes import known_at_once


def stores_with(agent_id, days, *, today):
    """Stores with the decisions and outcomes of each day, in the first minute of today."""
    stores = in_memory_stores(FixedClock(day_start_ms(today) + 60_000))
    log = DecisionLog(agent_id, stores, stores.clock)
    for made in days.values():
        log.log([decision for decision, _ in made])
        log.record_outcomes(known_at_once(outcome for _, outcome in made))
    return stores


def learned_memories(stores, agent_id, *, but=()):
    """What an agent knows now, but some memories, without version numbers and times of writing."""
    return {
        (kind, one.pattern_id): (one.confidence, one.data)
        for kind in LEARNED
        for one in stores.memories.by_confidence(agent_id, kind)
        if one.pattern_id not in but
    }
