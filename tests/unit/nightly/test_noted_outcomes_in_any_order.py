"""A job that reads what was noted stores the evidence, and learns what, a job would that reads all decisions."""

from contextlib import suppress
from datetime import date, timedelta
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, HOUR_MS, FixedClock, Span, day_start_ms
from agent_memory.core.errors import Conflict
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly import consolidation
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.evidence import evidence_span
from agent_memory.nightly.late_outcomes import noted_outcomes
from agent_memory.nightly.reading import Part, read_part
from agent_memory.nightly.stored_memories import LEARNED
from agent_memory.storage.factory import in_memory_stores

AGENT = "hunter"
FIRST = date(2026, 3, 1)
DAYS = 24

decided = st.lists(
    # The day of the decision, and how many days later it is logged, with an outcome then if that is late.
    st.tuples(st.integers(0, 6), st.sampled_from([0, 0, 0, 2, 5])),
    min_size=1,
    max_size=12,
)
recorded = st.lists(
    st.fixed_dictionaries(
        {
            "decision": st.integers(0, 11),
            "days_later": st.sampled_from([0, 1, 1, 2, 2, 3, 4, 6, 9, 15]),
            "success": st.booleans(),
            "horizon": st.sampled_from([None, "1h", "exit"]),
            "headline": st.booleans(),
            "amend": st.booleans(),
        }
    ),
    max_size=25,
)
missed_days = st.sets(st.integers(0, DAYS - 1), max_size=5)


def day_of(n):
    return FIRST + timedelta(days=n)


def id_of(day, k):
    return decision_id_for("QUERY", day_start_ms(day_of(day)) / 1000 + k, f"{k}")


def reads_all():
    """A context in which jobs read all decisions of the evidence, so that notes are of no importance."""
    return mock.patch.object(consolidation, "spans_to_read", lambda day, _: [evidence_span(day)])


class Agent:
    """An agent whose decisions and outcomes come in the evenings, and whose jobs run after midnight.

    With `days_behind`, all of this is done so many days later, as in a replay.
    """

    def __init__(self, days_behind):
        self.behind_ms = days_behind * DAY_MS
        self.clock = FixedClock(day_start_ms(FIRST) + self.behind_ms)
        self.stores = in_memory_stores(self.clock)
        self.log = DecisionLog(AGENT, self.stores, self.clock)

    def live(self, n, decisions, outcomes):
        self.clock.advance(day_start_ms(day_of(n)) + self.behind_ms + 22 * HOUR_MS - self.clock.now_ms())
        ids = [
            decision_id_for("QUERY", day_start_ms(day_of(day)) / 1000 + k, f"{k}")
            for k, (day, _) in enumerate(decisions)
        ]
        for k, (day, late) in enumerate(decisions):
            if day + late == n:
                fields = {"decision_type": "QUERY", "context": {"market": {"trend": "up"}}, "reasoning": {"k": k}}
                self.log.log_one({**fields, "decision_id": ids[k]})
                if late:
                    self.log.record_outcome({"decision_id": ids[k], "success": k % 2 == 0, "outcome": {"pnl": k}})
        for number, one in enumerate(outcomes):
            if one["decision"] < len(decisions) and sum(decisions[one["decision"]]) + one["days_later"] == n:
                self.clock.advance(1)
                with suppress(Conflict):
                    self.log.record_outcome(
                        {
                            "decision_id": ids[one["decision"]],
                            "outcome": {"pnl": number},
                            "success": one["success"],
                            "amend": one["amend"],
                            **({} if one["horizon"] is None else {name: one[name] for name in ("horizon", "headline")}),
                        }
                    )
        self.clock.advance(3 * HOUR_MS)

    def job(self, n, *, in_parts=False):
        parts = []
        if in_parts:
            parts = [Part(AGENT, day_of(n), Span(day_start_ms(FIRST), day_start_ms(day_of(n)) + DAY_MS))]
            for one in parts:
                read_part(one, self.stores, on_unreadable=None)
        consolidate(AGENT, day_of(n), self.stores, parts=parts)

    def known(self):
        memories = {
            (kind, one.pattern_id): (one.confidence, one.data)
            for kind in LEARNED
            for one in self.stores.memories.by_confidence(AGENT, kind)
        }
        return list(self.stores.evidence.read(AGENT, Span(0, 2**52))), memories


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(decided, recorded, missed_days, st.booleans(), st.booleans(), st.sampled_from([0, 0, 1, 2, 30]))
def test_what_was_noted_is_all_that_a_job_would_have_missed(
    decisions, outcomes, missed, repeats, in_parts, days_behind
):
    noting, reference = Agent(days_behind), Agent(days_behind)
    for n in range(DAYS):
        for one in (noting, reference):
            one.live(n, decisions, outcomes)
        if n not in missed:
            for _ in range(1 + (repeats and n % 5 == 0)):
                noting.job(n, in_parts=in_parts)
                with reads_all():
                    reference.job(n)
            assert noting.known() == reference.known()
    noting.clock.advance(2 * HOUR_MS)
    noting.job(DAYS - 1)
    noting.job(DAYS - 1)
    assert noted_outcomes(noting.stores.states, AGENT) == []
