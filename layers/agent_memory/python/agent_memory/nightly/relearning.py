"""Takes back what was learned from the decisions of a memory that was quarantined, or released, since the last job."""

from collections.abc import Set as AbstractSet
from datetime import date, timedelta

from agent_memory.core.clock import DAY_MS, Span, date_of, day_start_ms
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.retention import EVIDENCE_DAYS
from agent_memory.memory.learning_controls import LearningControls, read_controls
from agent_memory.model.listings import skip_damaged
from agent_memory.nightly.days import LearnedDays
from agent_memory.nightly.rebuild import forget_learning_since
from agent_memory.ports.decisions import Selection
from agent_memory.ports.stores import Stores


def forget_quarantined(agent_id: str, stores: Stores) -> date | None:
    """Make the days due again since decisions were based on such a memory; returns the first, None if there is none.

    The days are learned again with what holds now. Those that are older than 90 days stay as they were learned, and
    of a paused agent nothing is taken back before it is resumed.

    Raises:
        Conflict: another nightly job came first. Unavailable: a store did not respond.
    """
    controls = read_controls(stores.states, agent_id)
    pending = controls.relearn
    if not pending or controls.paused is not None:
        return None
    last = LearnedDays(agent_id, stores).progress().last
    names = {one.memory_id for one in pending}
    first = None if last is None else _first_day_based_on(names, agent_id, last, stores)
    if first is not None:
        reasons = "; ".join(dict.fromkeys(f"{one.memory_id}: {one.reason}" for one in pending))
        forget_learning_since(agent_id, first, stores, by=pending[-1].by, reason=reasons[:500])
    LearningControls(agent_id, stores.states, stores.clock, by=pending[-1].by).record_relearned(pending)
    return first


def _first_day_based_on(names: AbstractSet[str], agent_id: str, last: date, stores: Stores) -> date | None:
    """The first day, among those that can be learned again, with a decision that names one of these memories."""
    oldest = last - timedelta(days=EVIDENCE_DAYS - 1)
    span = Span(day_start_ms(oldest), day_start_ms(last) + DAY_MS)
    registered = stores.states.registration(agent_id)

    def first_of(decision_type: str) -> date | None:
        selection = Selection(agent_id, decision_type, shards=registered.write_shards)
        found = stores.decisions.scan(selection, span, newest_first=False, on_unreadable=skip_damaged)
        return next((date_of(one.timestamp_ms) for one in found if not names.isdisjoint(one.memory_ids)), None)

    days = map_concurrently(first_of, registered.decision_types)
    return min((one for one in days if one is not None), default=None)
