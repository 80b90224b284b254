"""Which features become columns."""

import numpy as np

from agent_memory.learning import columns
from agent_memory.learning.tables import Facts, tables_of
from agent_memory.model.evidence import Evidence

LIMITS = {"min_occurrences": 2, "max_distinct_values": 3, "max_columns": 10}


def facts_of(features):
    (table,) = tables_of(Evidence(str(n), "QUERY", n, success=True, features=facts) for n, facts in enumerate(features))
    return table.facts


def columns_of(features, **limits):
    return columns.columns_of(facts_of(features), **limits)


def test_columns_say_which_decisions_hold_a_feature():
    found = columns_of([("a=1", "b=1"), ("a=1",), ("b=1",), ()], **LIMITS)
    assert found.names == ("a=1", "b=1")
    assert found.rows.tolist() == [[True, True, False, False], [True, False, True, False]]


def test_features_that_too_few_hold_or_lack_are_left_out():
    features = [("always=1", "rare=1", "half=1"), ("always=1", "half=1"), ("always=1",), ("always=1",)]
    assert columns_of(features, **LIMITS).names == ("half=1",)


def test_a_key_with_many_values_is_left_out():
    days = [(f"day={day}", "a=1") if day % 2 else (f"day={day}",) for day in range(4) for _ in range(2)]
    assert columns_of(days, **LIMITS).names == ("a=1",)


def test_a_list_may_draw_from_more_values_than_a_single_fact():
    # Six sources, three a decision: two values for each value held.
    sources = [
        tuple(f"source={name}" for name in names) for names in ("abc", "abd", "def", "cef", "ace", "bdf", "abf", "cde")
    ]
    assert len(columns_of(sources, **LIMITS).names) == 6


def test_of_equal_columns_the_shortest_name_stays():
    features = [("longer.name=1", "short=1"), ("longer.name=1", "short=1"), (), ()]
    assert columns_of(features, **LIMITS).names == ("short=1",)


def test_of_too_many_columns_the_most_even_stay():
    features = [("even=1", "rare=1"), ("even=1", "rare=1"), ("even=1",), ("even=1", "x=1"), ("x=1",), ("x=1",)]
    features = [*features, ("x=1",), ()]
    assert columns_of(features, **{**LIMITS, "max_columns": 2}).names == ("even=1", "x=1")


def test_nothing_gives_no_columns():
    nothing = Facts((), np.empty(0, np.int32), np.empty(0, np.int32), 0)
    assert columns.columns_of(nothing, **LIMITS).rows.shape == (0, 0)
    assert tables_of([]) == []


def test_facts_that_come_back_are_kept_however_common():
    features = [("always=1", "half=1"), ("always=1", "half=1"), ("always=1", "rare=1"), ("always=1",)]
    found = columns.recurring(facts_of(features), min_occurrences=2, max_distinct_values=3, prefixes=("always", "rare"))
    assert found.names == ("always=1",)


def test_tables_hold_each_type_by_time_whatever_the_order_of_the_evidence():
    evidence = [
        Evidence("c", "QUERY", 30, success=True, features=("b=1",)),
        Evidence("x", "LEARNING", 5, success=False, features=()),
        Evidence("a", "QUERY", 10, success=False, features=("a=1", "c=1")),
        Evidence("b", "QUERY", 20, success=True, features=("c=1",)),
    ]
    learning, query = tables_of(iter(evidence))
    assert (learning.decision_type, len(learning), learning.facts.vocabulary) == ("LEARNING", 1, ())
    assert (query.times_ms.tolist(), query.success.tolist()) == ([10, 20, 30], [False, True, True])
    assert query.facts.holding(["c=1"]).tolist() == [True, True, False]
    assert query.facts.holding(["a=1", "c=1"]).tolist() == [True, False, False]
    assert query.facts.holding(["unknown=1"]).tolist() == [False, False, False]
    assert query.facts.holding([]).tolist() == [True, True, True]
