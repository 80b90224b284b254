"""Numbers as facts, by limits that are learned without outcomes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.numbers import Limits, holds, numbers_of

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_numbers_are_found_by_their_path():
    context = {"whale_flow": 0.9, "market": {"depth": 3, "is_open": True, "trend": "up"}, "position_id": 17}
    reasoning = {"scores": {"momentum": 0.7, "macro": math.nan}, "weights": [1, 2], "a=b": 10**400}
    assert numbers_of(context=context, reasoning=reasoning) == (
        ("context.market.depth", 3.0),
        ("context.whale_flow", 0.9),
        ("reasoning.scores.momentum", 0.7),
    )


@given(
    st.recursive(
        st.none() | st.text(max_size=2) | finite | st.integers(), lambda one: st.dictionaries(st.text(max_size=3), one)
    )
)
def test_whatever_a_decision_holds_its_numbers_are_finite_and_few(content):
    found = numbers_of(context=content)
    assert list(found) == sorted(found)
    assert len(found) <= 64
    assert all(math.isfinite(value) and path.startswith("context") for path, value in found)


def test_limits_are_the_quantiles_of_the_values():
    values = [((7 * n) % 100) / 100 for n in range(100)]
    limits = Limits.learn(values)
    assert (limits.low, limits.middle, limits.high) == (0.198, 0.495, 0.792)
    assert list(limits.reader("context.whale_flow")(0.9)) == [
        "context.whale_flow=above 0.792 (top fifth)",
        "context.whale_flow=above 0.495 (upper half)",
    ]
    assert list(limits.reader("context.whale_flow")(0.1)) == ["context.whale_flow=below 0.198 (bottom fifth)"]
    assert list(limits.reader("context.whale_flow")(0.3)) == []


def test_a_number_of_few_values_is_a_category():
    limits = Limits.learn([1.0, 3.0, 2.0, 1.0])
    assert list(limits.reader("context.leverage")(3)) == ["context.leverage=3"]


@pytest.mark.parametrize("values", [[5.0] * 200, [float(n) for n in range(200)], [1.0e9 + n * n for n in range(200)]])
def test_a_number_that_says_nothing_or_only_when_it_was_has_no_limits(values):
    assert Limits.learn(values) is None


def test_large_numbers_read_as_they_are_written():
    assert list(Limits.learn([12_000.0, 5.0, 12_000.0]).reader("context.volume")(12_000)) == ["context.volume=12000"]


@given(st.lists(finite, min_size=2, max_size=300), finite)
def test_limits_are_the_same_after_they_were_stored(values, value):
    limits = Limits.learn(values)
    if limits is not None:
        assert Limits.of(limits.as_data()) == limits
        assert len(list(limits.reader("context.x")(value))) <= 2


@given(st.lists(finite, min_size=2, max_size=300), finite)
def test_the_facts_of_a_value_hold_for_it_and_no_others_do(values, value):
    limits = Limits.learn(values)
    if limits is not None:
        possible = {fact for one in [*values, value] for fact in limits.reader("context.x")(one)}
        facts = set(limits.reader("context.x")(value))
        assert {fact for fact in possible if holds(fact, {"context.x": value})} == facts


def test_other_facts_do_not_hold():
    numbers = {"context.x": 0.9}
    others = ["context.x=high", "context.y=above 0.8 (top fifth)", "context.x=above", "source=x"]
    assert not any(holds(fact, numbers) for fact in others)
