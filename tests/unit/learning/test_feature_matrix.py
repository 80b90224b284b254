"""Evidence in arrays, and which features are selected for counting."""

from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning import sparse_features
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.feature_matrix import frequent_features, select_features
from agent_memory.learning.sparse_features import SparseFeatures
from agent_memory.model.evidence import Evidence

LIMITS = {"min_occurrences": 2, "max_distinct_values": 3, "max_columns": 10}


def sparse(features):
    (table,) = build_tables(Evidence(str(n), "QUERY", n, success=True, features=one) for n, one in enumerate(features))
    return table.features


def selected(features, **limits):
    return select_features(sparse(features), **{**LIMITS, **limits})


@given(st.lists(st.sets(st.integers(0, 4)), max_size=12), st.integers(1, 3), st.sampled_from([0, 1]))
def test_the_decisions_of_features_are_found_in_blocks(features, entries, entries_per_feature):
    codes = np.array([code for one in features for code in sorted(one)], dtype=np.uint8)
    lengths = np.array([len(one) for one in features], dtype=np.int32)
    sizes = {"_BLOCK_ENTRIES": entries, "_ENTRIES_PER_FEATURE": entries_per_feature}
    with patch.multiple(sparse_features, **sizes):
        found = SparseFeatures.of_decisions(tuple("abcde"), codes, lengths)
    assert found.decisions == len(features)
    for code in range(5):
        assert found.of(code).tolist() == [n for n, one in enumerate(features) if code in one]


def test_rows_say_which_decisions_have_a_feature():
    matrix = selected([("a=1", "b=1"), ("a=1",), ("b=1",), ()])
    assert matrix.names == ("a=1", "b=1")
    assert matrix.rows.tolist() == [[True, True, False, False], [True, False, True, False]]


def test_features_that_too_few_decisions_have_or_lack_are_excluded():
    features = [("always=1", "rare=1", "half=1"), ("always=1", "half=1"), ("always=1",), ("always=1",)]
    assert selected(features).names == ("half=1",)


def test_what_the_agent_chose_is_excluded():
    features = [("reasoning.chosen=true", "a.chosen.b=1"), ("reasoning.chosen=false",)] * 2
    assert selected(features).names == ("a.chosen.b=1",)
    features = [("reasoning.propensity=1", "a=1"), ("reasoning.propensity=0.0333", "joint_propensity=1")] * 2
    assert selected(features).names == ("a=1",)


def test_a_key_with_many_values_is_excluded():
    days = [(f"day={day}", "a=1") if day % 2 else (f"day={day}",) for day in range(4) for _ in range(2)]
    assert selected(days).names == ("a=1",)


def test_a_list_may_draw_from_more_values_than_a_single_fact():
    # Six sources, three per decision: two values for each value held.
    sources = [
        tuple(f"source={name}" for name in names) for names in ("abc", "abd", "def", "cef", "ace", "bdf", "abf", "cde")
    ]
    assert len(selected(sources).names) == 6


def test_of_equal_features_the_shortest_name_is_kept():
    features = [("longer.name=1", "short=1"), ("longer.name=1", "short=1"), (), ()]
    assert selected(features).names == ("short=1",)


def test_of_too_many_features_the_most_even_are_kept():
    features = [("even=1", "rare=1"), ("even=1", "rare=1"), ("even=1",), ("even=1", "x=1"), ("x=1",), ("x=1",)]
    features = [*features, ("x=1",), ()]
    assert selected(features, max_columns=2).names == ("even=1", "x=1")


def test_without_decisions_there_are_no_features():
    nothing = SparseFeatures((), np.zeros(1, np.int64), np.empty(0, np.int32), 0)
    assert select_features(nothing, **LIMITS).rows.shape == (0, 0)
    assert build_tables([]) == []


def test_frequent_features_are_kept_however_common():
    features = [("always=1", "half=1"), ("always=1", "half=1"), ("always=1", "rare=1"), ("always=1",)]
    found = frequent_features(sparse(features), min_occurrences=2, max_distinct_values=3, prefixes=("always", "rare"))
    assert found.names == ("always=1",)


def test_tables_order_each_type_by_time_whatever_the_order_of_the_evidence():
    evidence = [
        Evidence("c", "QUERY", 30, success=True, features=("b=1",)),
        Evidence("x", "LEARNING", 5, success=False, features=()),
        Evidence("a", "QUERY", 10, success=False, features=("a=1", "c=1")),
        Evidence("b", "QUERY", 20, success=True, features=("c=1",)),
    ]
    learning, query = build_tables(iter(evidence))
    assert (learning.decision_type, len(learning), learning.features.vocabulary) == ("LEARNING", 1, ())
    assert (query.times_ms.tolist(), query.success.tolist()) == ([10, 20, 30], [False, True, True])
    assert query.features.matching(["c=1"]).tolist() == [True, True, False]
    assert query.features.matching(["a=1", "c=1"]).tolist() == [True, False, False]
    assert query.features.matching(["unknown=1"]).tolist() == [False, False, False]
    assert query.features.matching([]).tolist() == [True, True, True]
