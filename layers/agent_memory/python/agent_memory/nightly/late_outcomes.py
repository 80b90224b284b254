"""Decisions whose outcome was recorded, or amended, late: a nightly job reads them again at whatever age they have.

A job reads all decisions of a day at a few ages only. Those whose outcome is recorded in between are noted when that is
done (`decisions.late_outcomes`), until a job has read them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agent_memory.core.clock import HOUR_MS
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Damaged
from agent_memory.core.ids import timestamp_of
from agent_memory.core.json_values import Document
from agent_memory.core.keys import LATE_OUTCOMES
from agent_memory.model.decisions import DecisionKey
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.ports.states import StateStore

MAX_NOTED = 100_000
"""Decisions that one job reads again by their notes; those of the following notes are read by the next jobs."""
# Younger notes are kept for the next job: the outcomes that they announce may still be in progress.
_MIN_AGE_MS = HOUR_MS


@dataclass(frozen=True, slots=True)
class LateOutcomes:
    """A note that outcomes of decisions may have been recorded, the type of its state, and its time."""

    keys: tuple[DecisionKey, ...]
    state_type: str
    noted_ms: int


def noted_outcomes(
    states: StateStore, agent_id: str, *, most: int = MAX_NOTED, on_unreadable: OnUnreadable = raise_error
) -> list[LateOutcomes]:
    """The notes of an agent that no nightly job has read yet, oldest first, of up to about `most` decisions."""
    found: list[LateOutcomes] = []
    count = 0
    for rest, state in states.list_by_prefix(agent_id, LATE_OUTCOMES, on_unreadable=on_unreadable):
        name = f"{LATE_OUTCOMES}{rest}"
        try:
            keys = parsed(name, _keys_of, agent_id, state.data)
        except Damaged as error:
            on_unreadable(Unreadable(name, error, name))
            continue
        found.append(LateOutcomes(keys, name, state.updated_ms))
        count += len(keys)
        if count >= most:
            break
    return found


def _keys_of(agent_id: str, data: Document) -> tuple[DecisionKey, ...]:
    return tuple(
        DecisionKey(agent_id, decision_type, timestamp_of(decision_id), decision_id)
        for decision_type, ids in data["decision_ids"].items()
        for decision_id in ids
    )


def remove_notes(
    states: StateStore, agent_id: str, read: Sequence[LateOutcomes], read_ms: int, damaged_ids: Collection[str]
) -> None:
    """Remove the notes of decisions that were read, from `read_ms` on.

    A note stays while what it announces may have been in progress then, or while one of its decisions is damaged.
    """
    done = [
        one.state_type
        for one in read
        if one.noted_ms < read_ms - _MIN_AGE_MS and not any(key.decision_id in damaged_ids for key in one.keys)
    ]
    map_concurrently(lambda name: states.remove(agent_id, name), done)
