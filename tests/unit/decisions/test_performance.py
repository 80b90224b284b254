"""Success rates by type, context and source: what is counted where, and that parts add up to what is read at once."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import DecisionLogger, InvalidInput
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.learning.intervals import wilson_interval
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.sources import sources_of

START_MS = 1_790_000_000_000
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def decision(kind="SIGNAL_GENERATION", *, success=None, context=None, reasoning=None, at_ms=START_MS):
    outcome = None if success is None else Outcome(success, {}, {}, at_ms)
    return Decision(
        "hunter", new_decision_id(kind, at_ms), kind, at_ms, context or {}, reasoning or {}, outcome=outcome
    )


def counted(decisions):
    counts = PerformanceCounts()
    for one in decisions:
        counts.add(one)
    return counts


def signals(source, right, wrong, **names):
    reasoning = names or {"source": source}
    return [decision(success=n < right, reasoning=reasoning) for n in range(right + wrong)]


def test_a_source_is_measured_by_what_it_said_and_not_by_selections():
    selections = [
        decision("SOURCE_SELECTION", success=True, reasoning={"selected": ["mean_reversion"]}) for _ in range(50)
    ]
    selections += [
        decision("SOURCE_SELECTION", success=n % 2 == 0, reasoning={"selected": ["true_range"]}) for n in range(50)
    ]
    judged = signals("mean_reversion", 49, 51) + signals("true_range", 81, 19)
    rows = counted(selections + judged).sources()
    assert [(row["source"], row["succeeded"], row["with_outcome"], row["measured_by"]) for row in rows] == [
        ("true_range", 81, 100, "outcome"),
        ("mean_reversion", 49, 100, "outcome"),
    ]
    assert (rows[0]["low"], rows[0]["high"]) == wilson_interval(0.81, 100)


def test_without_a_judged_source_selections_are_counted_and_named_so():
    selection = decision("SOURCE_SELECTION", success=True, reasoning={"selected": ["news", "macro"]})
    unjudged = decision(reasoning={"source": "news"})
    rows = counted([selection, unjudged]).sources()
    assert [(row["source"], row["decision_type"], row["measured_by"]) for row in rows] == [
        ("macro", "SOURCE_SELECTION", "selection"),
        ("news", "SOURCE_SELECTION", "selection"),
    ]


@pytest.mark.parametrize(
    ("context", "reasoning", "sources"),
    [
        ({}, {"source": "news"}, ["news"]),
        ({}, {"sources": ["news", "macro", "news"]}, ["news", "macro"]),
        ({"source": "news"}, {}, ["news"]),
        ({"sources": ["news"]}, {"selected": ["macro"]}, ["news"]),
        ({}, {"selected": ["macro"], "source": "news"}, ["news"]),
        ({}, {"selected": ["macro", 5, None, ""]}, ["macro"]),
        ({}, {"source": {"name": "news"}, "selected": []}, []),
        ({"source": "x" * 65}, {"source": None}, []),
        ({}, {"selected": [f"s{n}" for n in range(33)]}, []),
        ({}, {}, []),
    ],
)
def test_where_a_decision_names_its_sources(context, reasoning, sources):
    assert sources_of(decision(context=context, reasoning=reasoning)) == sources


def test_rates_are_those_of_one_type():
    mixed = [decision("QUERY", success=True) for _ in range(9)] + [decision(success=False)]
    market = {"market": {"trend": "up"}}
    mixed += [decision(kind, success=kind == "QUERY", context=market) for kind in ("QUERY", "SIGNAL_GENERATION")]
    counts = counted(mixed)
    assert {row["decision_type"]: row["success_rate"] for row in counts.types()} == {
        "QUERY": 1.0,
        "SIGNAL_GENERATION": 0.0,
    }
    assert [(row["context_type"], row["decision_type"], row["success_rate"]) for row in counts.contexts()] == [
        ("trend=up", "QUERY", 1.0),
        ("trend=up", "SIGNAL_GENERATION", 0.0),
    ]


some_decisions = st.lists(
    st.builds(
        decision,
        st.sampled_from(["QUERY", "SIGNAL_GENERATION", "TRADE"]),
        success=st.sampled_from([True, False, None]),
        context=st.sampled_from([{}, {"market": "calm"}, {"market": {"trend": "up"}, "source": "macro"}]),
        reasoning=st.sampled_from([{}, {"source": "news"}, {"selected": ["news", "macro"]}]),
        at_ms=st.integers(START_MS, START_MS + 3 * 86_400_000),
    ),
    max_size=30,
)


@given(some_decisions, st.data())
def test_the_counts_of_parts_add_up(decisions, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(decisions)), max_size=4)))
    parts = [decisions[start:end] for start, end in zip([0, *cuts], [*cuts, len(decisions)], strict=True)]
    added = PerformanceCounts()
    for part in parts:
        added.add_rows(counted(part).as_dict())
    assert added.as_dict() == counted(decisions).as_dict()
    assert added.decisions == len(decisions)


@pytest.fixture
async def log(stores, clock):
    logger = DecisionLogger("hunter", stores=stores, clock=clock)
    for n in range(25):
        at = NOON - timedelta(hours=n + 1)
        one = await logger.log_decision("SIGNAL_GENERATION", {}, {"source": f"s{n % 3}"}, timestamp=at)
        await logger.log_outcome(one, {}, n % 2 == 0)
    return logger.log


def test_an_answer_that_is_cut_says_so_and_continues(log):
    at_once = log.performance()
    assert (at_once["complete"], at_once["cursor"], at_once["decisions"], at_once["with_outcome"]) == (
        True,
        None,
        25,
        25,
    )
    added, cursor, answers = PerformanceCounts(), None, 0
    while True:
        part = log.performance(limit=7, cursor=cursor)
        added.add_rows(part)
        answers += 1
        cursor = part["cursor"]
        assert part["complete"] is (cursor is None)
        if cursor is None:
            break
    assert answers == 4
    assert added.as_dict() == {name: at_once[name] for name in added.as_dict()}


def test_a_part_has_the_time_range_of_its_cursor(log):
    part = log.performance((NOON - timedelta(hours=10), None), limit=2)
    with pytest.raises(InvalidInput, match="limit"):
        log.performance(limit=20_001)
    assert log.performance((NOON - timedelta(hours=10), None), cursor=part["cursor"])["decisions"] == 8


def test_an_answer_ends_before_its_rows_are_too_large(stores, clock):
    logger = DecisionLogger("hunter", stores=stores, clock=clock).sync
    for n in range(1_100):
        market = {"market": {"price": n, "note": "x" * 200}}
        logger.log_decision("QUERY", market, {}, timestamp=NOON - timedelta(minutes=n + 1))
    log = DecisionLogger("hunter", stores=stores, clock=clock).log
    log.max_answer_bytes = 400_000
    first = log.performance()
    assert 0 < first["decisions"] < 1_100
    assert not first["complete"]
    rest = log.performance(cursor=first["cursor"])
    assert rest["decisions"] > 0
