"""Ids and descriptions of patterns."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.comparison import Comparison, Sample
from agent_memory.learning.descriptions import condition_of, description_of, pattern_id_of

features = st.lists(st.text(min_size=1, max_size=90), min_size=1, max_size=3, unique=True)


def test_the_id_names_type_and_features():
    assert (
        pattern_id_of("SOURCE_SELECTION", ["source=derivatives", "context.market.volatility=high"])
        == "source_selection+context.market.volatility=high+source=derivatives"
    )


def test_the_order_of_features_does_not_change_the_id():
    assert pattern_id_of("QUERY", ["b=1", "a=1"]) == pattern_id_of("QUERY", ["a=1", "b=1"])


@pytest.mark.parametrize(
    ("one", "other"),
    [(["symbol=AAPL"], ["symbol=aapl"]), (["a=x y"], ["a=x-y"]), (["a=1+b=2"], ["a=1", "b=2"])],
)
def test_similar_features_have_different_ids(one, other):
    assert pattern_id_of("QUERY", one) != pattern_id_of("QUERY", other)


@given(st.text(min_size=1, max_size=90), features)
def test_every_id_is_valid_in_a_key(decision_type, chosen):
    assert re.fullmatch(r"[a-z0-9._=+-]{1,200}", pattern_id_of(decision_type, chosen))


@given(features, features)
def test_different_features_have_different_ids(one, other):
    same = sorted(one) == sorted(other)
    assert (pattern_id_of("QUERY", one) == pattern_id_of("QUERY", other)) == same


def test_a_description():
    sentence = description_of(
        "SOURCE_SELECTION",
        ["context.market.trend=bullish", "context.market.volatility=high", "source=derivatives"],
        Comparison(Sample(140, 100, 0.7143, 140.0), Sample(1_000, 551, 0.551, 1_000.0)),
    )
    assert sentence == (
        "Derivatives chosen in bullish, high-volatility markets: 71% of 140 succeeded, against 55% otherwise"
    )


@pytest.mark.parametrize(
    ("decision_type", "facts", "expected"),
    [
        ("SOURCE_SELECTION", ["source=macro", "source=whaleMovements"], "Macro and whale movements chosen"),
        ("SIGNAL_GENERATION", ["source=macro"], "Signal generation with macro chosen"),
        (
            "SIGNAL_GENERATION",
            ["context.trading_hours=american", "reasoning.forecast=range_expansion"],
            "Signal generation in American hours and with forecast range expansion",
        ),
        ("QUERY", ["context.symbol=AAPL"], "Query on AAPL"),
        ("LEARNING", ["reasoning.exploration_triggered=false"], "Learning without exploration triggered"),
        ("LEARNING", ["reasoning.exploration_triggered=true"], "Learning with exploration triggered"),
        ("QUERY", ["reasoning.fallback=null"], "Query with no fallback"),
        ("QUERY", ["context.market.open=true"], "Query in open = true markets"),
    ],
)
def test_conditions(decision_type, facts, expected):
    assert condition_of(decision_type, facts) == expected
