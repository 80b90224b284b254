"""Which features become columns."""

from agent_memory.learning.columns import columns_of

LIMITS = {"min_occurrences": 2, "max_distinct_values": 3, "max_columns": 10}


def test_columns_say_which_decisions_hold_a_feature():
    columns = columns_of([("a=1", "b=1"), ("a=1",), ("b=1",), ()], **LIMITS)
    assert columns.names == ("a=1", "b=1")
    assert columns.rows.tolist() == [[True, True, False, False], [True, False, True, False]]


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
    assert columns_of([], **LIMITS).rows.shape == (0, 0)
