"""What a page of decisions costs to read, and that it is right however far apart its decisions are in the table."""

from collections import Counter

import pytest

from agent_memory import MemoryManager
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from benchmarks.capacity_meter import CapacityMeter
from benchmarks.example_decision import EXAMPLE, OUTCOME
from tests.contract.samples import NOW, new_agent

CONTEXT_TYPE = "trend=bullish|volatility=high"


def write_history(log, count, *, kinds=("SOURCE_SELECTION",), in_context=lambda _: True, succeeds=lambda _: True):
    """Log so many of the example's decisions; returns the ids of those in its context, and of those that succeeded."""
    ids = [new_decision_id(kinds[n % len(kinds)], NOW - 60_000 * n - 1) for n in range(count)]
    decisions = [
        {
            **EXAMPLE,
            "decision_type": kinds[n % len(kinds)],
            "decision_id": one,
            "context": EXAMPLE["context"] if in_context(n) else {"market": {"trend": f"other-{n % 7}"}},
        }
        for n, one in enumerate(ids)
    ]
    for n in range(0, count, 25):
        log.log(decisions[n : n + 25])
        log.record_outcomes(
            [{**OUTCOME, "decision_id": one, "success": succeeds(n + k)} for k, one in enumerate(ids[n : n + 25])]
        )
    return [one for n, one in enumerate(ids) if in_context(n)], [one for n, one in enumerate(ids) if succeeds(n)]


@pytest.mark.slow
def test_a_page_of_a_hundred_is_at_most_25_read_units(moto_stores, clock):
    stores = moto_stores
    log = DecisionLog("hunter", stores, clock)
    write_history(log, 240, in_context=lambda n: n // 40 % 2 == 0, succeeds=lambda n: n % 3 != 0)
    meter = CapacityMeter(stores.decisions._client)
    log.page(DecisionFilter("SOURCE_SELECTION"), limit=1)  # reads the registration, for a minute
    for criteria, most_requests in (
        (DecisionFilter("SOURCE_SELECTION", success=True), 3),
        (DecisionFilter(success=True), 4),
        (DecisionFilter(context_type=CONTEXT_TYPE), 2),
        (DecisionFilter("SOURCE_SELECTION"), 1),
    ):
        with meter.measuring() as measured:
            assert len(log.page(criteria, limit=100).decisions) == 100
        assert measured.read_units <= 25, (criteria, measured.read_units)
        assert measured.requests <= most_requests, criteria


@pytest.mark.parametrize(
    ("kinds", "every"),
    [(("QUERY",), 1), (("QUERY",), 3), (("QUERY", "LEARNING", "SIGNAL_GENERATION"), 2), (("QUERY",), 11)],
)
def test_pages_are_right_however_far_apart_their_decisions_are(stores, clock, kinds, every):
    log = DecisionLog(new_agent(), stores, clock)
    in_context, succeeded = write_history(
        log, 250, kinds=kinds, in_context=lambda n: n % every == 0, succeeds=lambda n: n % (every + 1) == 0
    )
    for criteria, expected in (
        (DecisionFilter(context_type=CONTEXT_TYPE), in_context),
        (DecisionFilter(success=True), succeeded),
        (
            DecisionFilter("QUERY", success=True),
            [one for one in succeeded if log._registry.key(one).decision_type == "QUERY"],
        ),
    ):
        seen, cursor = [], None
        while True:
            page = log.page(criteria, limit=70, cursor=cursor)
            seen += [one.decision_id for one in page.decisions]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == expected


def test_a_read_of_all_levels_asks_for_the_registration_once(stores, clock, monkeypatch):
    DecisionLog("hunter", stores, clock).log_one(EXAMPLE)
    asked = Counter()
    registration = stores.states.registration

    def counted(agent_id):
        asked[agent_id] += 1
        return registration(agent_id)

    monkeypatch.setattr(stores.states, "registration", counted)
    found = MemoryManager("hunter", stores=stores, clock=clock).sync.get_context_memory()
    assert (len(found["entries"]), found["levels"], asked["hunter"]) == (
        1,
        ["immediate", "recent", "historical", "archive"],
        1,
    )
