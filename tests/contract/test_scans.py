"""The contract of ordered reads of decisions: by type, by outcome, by context, over shards."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, Span
from agent_memory.core.ids import new_decision_id, shard_of
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.ports.decisions import Selection
from tests.contract.samples import BULLISH, NOW, decision, new_agent, record

ALL = Span(0, NOW + DAY_MS)


def ids(decisions):
    return [one.decision_id for one in decisions]


def scan(stores, selection, span=ALL, **options):
    return ids(stores.decisions.scan(selection, span, **options))


def test_a_scan_by_outcome_is_ordered(stores, clock):
    logged = [decision(NOW + n, ("QUERY", "LEARNING")[n % 2]) for n in range(12)]
    stores.states.register("hunter", ["QUERY", "LEARNING"], 1, NOW)
    stores.decisions.insert(logged)
    for n, one in enumerate(logged[:9]):
        record(stores, one, success=n % 3 == 0)
    succeeded = ids(logged[0:9:3])
    log = DecisionLog("hunter", stores, clock)
    assert ids(log.stream(DecisionFilter(success=True))) == succeeded[::-1]
    assert ids(log.stream(DecisionFilter(success=True), newest_first=False)) == succeeded
    assert scan(stores, Selection("hunter", "QUERY", success=True)) == [succeeded[2], succeeded[0]]
    assert scan(stores, Selection("hunter", "LEARNING", success=True)) == [logged[3].decision_id]
    assert scan(stores, Selection("hunter", "QUERY", success=True), Span(NOW + 1, NOW + 7)) == [succeeded[2]]
    assert scan(stores, Selection("other", "QUERY", success=True)) == []


def test_a_scan_by_context_type_matches_the_entire_market(stores):
    bullish = [decision(NOW + n, n=n) for n in range(3)]
    other = decision(NOW, market={"trend": "bullish", "volatility": "high"})
    stores.decisions.insert([*bullish, other])
    assert scan(stores, Selection("hunter", context_type=BULLISH), newest_first=False) == ids(bullish)
    assert scan(stores, Selection("hunter", context_type="trend=bullish|volatility=high")) == [other.decision_id]
    record(stores, bullish[1], success=True)
    assert scan(stores, Selection("hunter", success=True, context_type=BULLISH)) == [bullish[1].decision_id]


def test_decisions_of_the_same_millisecond_are_ordered_by_id(stores):
    logged = sorted((decision(NOW, ("QUERY", "LEARNING")[n % 2]) for n in range(230)), key=lambda d: d.decision_id)
    stores.decisions.insert(logged)
    selection = Selection("hunter", context_type=BULLISH)
    assert scan(stores, selection, newest_first=False) == ids(logged)
    assert scan(stores, selection) == ids(logged)[::-1]


def test_the_size_of_the_first_page_does_not_change_the_result(stores):
    logged = [decision(NOW + n) for n in range(30)]
    stores.decisions.insert(logged)
    for first in (1, 3, 30, 100):
        assert scan(stores, Selection("hunter", "QUERY"), first=first, newest_first=False) == ids(logged)


def test_decisions_are_distributed_evenly_over_shards_and_read_from_all(stores, clock):
    log = DecisionLog("hunter", stores, clock, write_shards=8)
    decisions = [
        {
            "decision_type": "QUERY",
            "context": {"market": {"trend": "bullish"}, "n": n},
            "reasoning": {},
            "decision_id": new_decision_id("QUERY", NOW - 200_000 + n * 1_000, write_shards=8),
        }
        for n in range(200)
    ]
    logged = [result.decision_id for result in log.log(decisions)]
    shards = Counter(shard_of(one) for one in logged)
    assert sorted(shards) == list(range(8))
    assert max(shards.values()) < 2 * min(shards.values()) + 20
    log.record_outcomes([{"decision_id": one, "outcome": {}, "success": True} for one in logged[::2]])
    elsewhere = DecisionLog("hunter", stores, clock)  # another process, without the setting of shards
    assert [log.get(one).decision_id for one in logged[:10]] == logged[:10]
    for query, expected in (
        (DecisionFilter(), logged),
        (DecisionFilter("QUERY"), logged),
        (DecisionFilter(success=True), logged[::2]),
        (DecisionFilter(success="pending"), logged[1::2]),
        (DecisionFilter(context_type=BULLISH), logged),
        (DecisionFilter(context={"n": 7}), logged[7:8]),
    ):
        assert ids(elsewhere.stream(query, newest_first=False)) == expected
        assert ids(elsewhere.stream(query)) == expected[::-1]


queries = st.sampled_from(
    [
        DecisionFilter(),
        DecisionFilter("QUERY"),
        DecisionFilter(success=True),
        DecisionFilter(success="pending"),
        DecisionFilter(context_type=BULLISH),
        DecisionFilter(context={"even": True}),
        DecisionFilter("LEARNING", success=False, context={"trend": "bullish"}),
    ]
)
offsets_ms = st.integers(-30, 30)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(offsets_ms, min_size=1, max_size=25),
    meanwhile=st.lists(st.lists(offsets_ms, max_size=3), max_size=10),
    query=queries,
    limit=st.integers(1, 7),
    newest_first=st.booleans(),
    shards=st.sampled_from([1, 3]),
)
def test_pages_have_no_gaps_or_repetitions_while_others_write(
    stores, clock, before, meanwhile, query, limit, newest_first, shards
):
    log = DecisionLog(new_agent(), stores, clock, write_shards=shards)

    def write(offsets):
        decisions = [
            {
                "decision_type": ("QUERY", "LEARNING")[offset % 2],
                "context": {"market": {"trend": "bullish"}, "even": offset % 2 == 0},
                "reasoning": {},
                "decision_id": new_decision_id(("QUERY", "LEARNING")[offset % 2], NOW + offset, write_shards=shards),
            }
            for offset in offsets
        ]
        logged = [result.decision_id for result in log.log(decisions)]
        outcomes = [{"decision_id": one, "outcome": {}, "success": n % 3 == 0} for n, one in enumerate(logged) if n % 4]
        assert all(result.error is None for result in log.record_outcomes(outcomes))

    write(before)
    expected = ids(log.stream(query, newest_first=newest_first))
    writes, seen, cursor = iter(meanwhile), [], None
    while True:
        page = log.page(query, limit=limit, newest_first=newest_first, cursor=cursor)
        assert len(page.decisions) <= limit
        seen += page.decisions
        cursor = page.cursor
        if cursor is None:
            break
        write(next(writes, []))
    assert len(set(ids(seen))) == len(seen)
    assert set(expected) <= set(ids(seen))
    order = [(one.timestamp_ms, one.decision_id) for one in seen]
    assert order == sorted(order, reverse=newest_first)


logged_decisions = st.lists(
    st.tuples(
        st.integers(0, 4),  # milliseconds: several decisions have the same time
        st.sampled_from(["QUERY", "LEARNING"]),
        st.sampled_from([1, 300, 3_000]),  # bytes of reasoning: small ones are copied into the index
        st.sampled_from([True, True, False]),  # whether in the context that is asked for
        st.sampled_from([None, True, False]),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    logged=logged_decisions,
    decision_type=st.sampled_from([None, "QUERY"]),
    success=st.sampled_from([None, True, False, "pending"]),
    newest_first=st.booleans(),
    limit=st.integers(1, 5),
    shards=st.sampled_from([1, 3]),
)
def test_pages_by_context_are_right_whatever_the_sizes(
    stores, clock, logged, decision_type, success, newest_first, limit, shards
):
    log = DecisionLog(new_agent(), stores, clock, write_shards=shards)
    expected = []
    for offset_ms, kind, size, in_context, outcome in logged:
        decision_id = new_decision_id(kind, NOW + offset_ms, write_shards=shards)
        market = {"trend": "bullish" if in_context else "bearish"}
        fields = {"context": {"market": market}, "reasoning": {"text": "x" * size}}
        log.log_one({"decision_type": kind, "decision_id": decision_id, **fields})
        if outcome is not None:
            log.record_outcome({"decision_id": decision_id, "outcome": {}, "success": outcome})
        has_outcome = success is None or outcome is (None if success == "pending" else success)
        if in_context and decision_type in (None, kind) and has_outcome:
            expected.append((NOW + offset_ms, decision_id))
    criteria = DecisionFilter(decision_type, success=success, context_type=BULLISH)
    seen, cursor = [], None
    while True:
        page = log.page(criteria, limit=limit, newest_first=newest_first, cursor=cursor)
        seen += [(one.timestamp_ms, one.decision_id) for one in page.decisions]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == sorted(expected, reverse=newest_first)
