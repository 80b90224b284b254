"""Decisions that were amended after their day, which a nightly job reads again at whatever age they have.

A job reads all decisions of a day at a few ages only. At all others it finds those whose success has changed in the
index by outcome; the numbers of an outcome, as what a trade has earned, are in no index. So amendments are recorded
when they are made (`decisions.amendments`), until a job has read them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent_memory.core.clock import HOUR_MS
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.keys import AMENDMENTS
from agent_memory.model.decisions import DecisionKey
from agent_memory.model.listings import skip_damaged
from agent_memory.ports.states import StateStore

# Younger records are kept for the next job: the amendment that they announce may still be in progress.
_MIN_AGE_MS = HOUR_MS


@dataclass(frozen=True, slots=True)
class Amendment:
    """A record that a decision's outcome may have been amended, the type of its state, and its time."""

    key: DecisionKey
    state_type: str
    recorded_ms: int


def recorded_amendments(states: StateStore, agent_id: str) -> list[Amendment]:
    """The amendments of an agent's decisions that no nightly job has read yet."""
    return [
        Amendment(
            DecisionKey(agent_id, one.data["decision_type"], one.data["timestamp_ms"], one.data["decision_id"]),
            f"{AMENDMENTS}{rest}",
            one.updated_ms,
        )
        for rest, one in states.list_by_prefix(agent_id, AMENDMENTS, on_unreadable=skip_damaged)
    ]


def remove_amendments(states: StateStore, agent_id: str, read: Sequence[Amendment], now_ms: int) -> None:
    """Remove the records of amendments that were read, but for those that may still be in progress."""
    old = [one.state_type for one in read if one.recorded_ms < now_ms - _MIN_AGE_MS]
    map_concurrently(lambda name: states.remove(agent_id, name), old)
