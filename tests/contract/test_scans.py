"""What every decision store promises about reading in order: by type, by outcome, by context, over shards."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, Span
from agent_memory.core.ids import new_decision_id, shard_of
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.ports.decisions import Selection
from tests.contract.samples import BULLISH, NOW, decision, fresh_agent, record

ALL = Span(0, NOW + DAY_MS)


def ids(decisions):
    return [one.decision_id for one in decisions]


def scan(stores, wanted, span=ALL, **how):
    return ids(stores.decisions.scan(wanted, span, **how))


def test_by_outcome_across_types_in_order(stores):
    made = [decision(NOW + n, kind=("QUERY", "LEARNING")[n % 2]) for n in range(12)]
    stores.decisions.insert(made)
    for n, one in enumerate(made[:9]):
        record(stores, one, success=n % 3 == 0)
    succeeded = ids(made[0:9:3])
    assert scan(stores, Selection("hunter", success=True)) == succeeded[::-1]
    assert scan(stores, Selection("hunter", success=True), newest_first=False) == succeeded
    assert scan(stores, Selection("hunter", "LEARNING", success=True)) == [made[3].decision_id]
    assert scan(stores, Selection("hunter", success=True), Span(NOW + 1, NOW + 6)) == [made[3].decision_id]
    assert scan(stores, Selection("other", success=True)) == []


def test_by_the_whole_market_context(stores):
    bullish = [decision(NOW + n, n=n) for n in range(3)]
    other = decision(NOW, market={"trend": "bullish", "volatility": "high"})
    stores.decisions.insert([*bullish, other])
    assert scan(stores, Selection("hunter", context_type=BULLISH), newest_first=False) == ids(bullish)
    assert scan(stores, Selection("hunter", context_type="trend=bullish|volatility=high")) == [other.decision_id]
    record(stores, bullish[1], success=True)
    assert scan(stores, Selection("hunter", success=True, context_type=BULLISH)) == [bullish[1].decision_id]


def test_many_decisions_of_one_moment_keep_the_order_of_their_ids(stores):
    made = sorted((decision(NOW, kind=("QUERY", "LEARNING")[n % 2]) for n in range(230)), key=lambda d: d.decision_id)
    stores.decisions.insert(made)
    wanted = Selection("hunter", context_type=BULLISH)
    assert scan(stores, wanted, newest_first=False) == ids(made)
    assert scan(stores, wanted) == ids(made)[::-1]


def test_a_hint_of_how_many_changes_nothing_but_the_pages(stores):
    made = [decision(NOW + n) for n in range(30)]
    stores.decisions.insert(made)
    for first in (1, 3, 30, 100):
        assert scan(stores, Selection("hunter", "QUERY"), first=first, newest_first=False) == ids(made)


def test_shards_are_even_and_read_as_one(stores, clock):
    log = DecisionLog("hunter", stores, clock, write_shards=8)
    drafts = [
        {
            "decision_type": "QUERY",
            "context": {"market": {"trend": "bullish"}, "n": n},
            "reasoning": {},
            "decision_id": new_decision_id("QUERY", NOW - 200_000 + n * 1_000, write_shards=8),
        }
        for n in range(200)
    ]
    made = [result.decision_id for result in log.log(drafts)]
    shards = Counter(shard_of(one) for one in made)
    assert sorted(shards) == list(range(8))
    assert max(shards.values()) < 2 * min(shards.values()) + 20
    log.record_outcomes([{"decision_id": one, "outcome": {}, "success": True} for one in made[::2]])
    elsewhere = DecisionLog("hunter", stores, clock)  # another process, which was not told of any shards
    assert [log.get(one).decision_id for one in made[:10]] == made[:10]
    for wanted, expected in (
        (DecisionFilter(), made),
        (DecisionFilter("QUERY"), made),
        (DecisionFilter(success=True), made[::2]),
        (DecisionFilter(success="pending"), made[1::2]),
        (DecisionFilter(context_type=BULLISH), made),
        (DecisionFilter(context={"n": 7}), made[7:8]),
    ):
        assert ids(elsewhere.stream(wanted, newest_first=False)) == expected
        assert ids(elsewhere.stream(wanted)) == expected[::-1]


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
moments = st.integers(-30, 30)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(moments, min_size=1, max_size=25),
    meanwhile=st.lists(st.lists(moments, max_size=3), max_size=10),
    wanted=queries,
    limit=st.integers(1, 7),
    newest_first=st.booleans(),
    shards=st.sampled_from([1, 3]),
)
def test_pages_never_lose_or_repeat_while_others_write(
    stores, clock, before, meanwhile, wanted, limit, newest_first, shards
):
    log = DecisionLog(fresh_agent(), stores, clock, write_shards=shards)

    def write(places):
        drafts = [
            {
                "decision_type": ("QUERY", "LEARNING")[place % 2],
                "context": {"market": {"trend": "bullish"}, "even": place % 2 == 0},
                "reasoning": {},
                "decision_id": new_decision_id(("QUERY", "LEARNING")[place % 2], NOW + place, write_shards=shards),
            }
            for place in places
        ]
        made = [result.decision_id for result in log.log(drafts)]
        told = [{"decision_id": one, "outcome": {}, "success": n % 3 == 0} for n, one in enumerate(made) if n % 4]
        assert all(result.error is None for result in log.record_outcomes(told))

    write(before)
    expected = ids(log.stream(wanted, newest_first=newest_first))
    writes, seen, cursor = iter(meanwhile), [], None
    while True:
        page = log.page(wanted, limit=limit, newest_first=newest_first, cursor=cursor)
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
