"""Outcomes that are known as soon as their decision is made, whatever the clock of a test says."""

from agent_memory.core.ids import timestamp_of


def known_at_once(outcomes):
    return [{"timestamp": timestamp_of(one["decision_id"]) / 1000, **one} for one in outcomes]
