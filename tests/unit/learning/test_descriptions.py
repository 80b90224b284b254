"""Ids and descriptions of patterns."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.comparison import Comparison, Sample
from agent_memory.learning.descriptions import condition_of, description_of, pattern_id_of
from agent_memory.learning.wording import Wording

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


BULLISH = ["context.market.trend=bullish", "context.market.volatility=high"]
OVERALL = Comparison(Sample(140, 100, 0.7143, 140.0), Sample(1_000, 551, 0.551, 1_000.0))


def test_a_description():
    assert description_of("SOURCE_SELECTION", [*BULLISH, "source=derivatives"], OVERALL) == (
        "Source selections with derivatives in bullish, high-volatility markets succeeded in 71% of 140 cases, "
        "against 55% of other source selections"
    )


def test_decisions_that_answer_one_question_are_compared_with_others_that_answer_it():
    assert description_of("SIGNAL_GENERATION", BULLISH, OVERALL, questions=["range_expansion"]) == (
        "Range-expansion signals in bullish, high-volatility markets succeeded in 71% of 140 cases, "
        "against 55% of other range-expansion signals"
    )


def test_decisions_that_answer_several_questions_are_compared_with_comparable_ones():
    sentence = description_of("SIGNAL_GENERATION", BULLISH, OVERALL, questions=["range_expansion", "direction"])
    assert sentence.endswith("against 55% of comparable signals")


def test_without_others_nothing_is_compared():
    alone = Comparison(Sample(140, 100, 0.7143, 140.0), Sample(0, 0, 0.0, 0.0))
    assert description_of("QUERY", ["context.symbol=AAPL"], alone) == (
        "Queries on AAPL succeeded in 71% of 140 cases; there are no other queries"
    )


def test_an_agent_describes_its_decisions_in_words_of_its_own():
    wording = Wording.of(
        {
            "decisions": {"SIGNAL_GENERATION": "forecasts"},
            "success": {"SIGNAL_GENERATION": "came true"},
            "questions": {"range|4h": "four-hour range forecasts"},
            "facts": {"source=onchain": "from whale movements", "context.horizon": "over {value}"},
        }
    )
    facts = ["source=onchain", "context.horizon=one_day", "context.market.trend=bearish"]
    assert description_of("SIGNAL_GENERATION", facts, OVERALL, wording=wording) == (
        "Forecasts in bearish markets over one day and from whale movements came true in 71% of 140 cases, "
        "against 55% of other forecasts"
    )
    assert condition_of("SIGNAL_GENERATION", [], questions=["range|4h"], wording=wording) == "Four-hour range forecasts"


@pytest.mark.parametrize(
    ("decision_type", "facts", "questions", "expected"),
    [
        (
            "SOURCE_SELECTION",
            ["source=macro", "source=whaleMovements"],
            [],
            "Source selections with macro and whale movements",
        ),
        (
            "SIGNAL_GENERATION",
            ["context.trading_hours=american", "reasoning.forecast=range_expansion", "reasoning.expected=up"],
            [],
            "Signals in American hours where expected is up and forecast is range expansion",
        ),
        ("QUERY", ["context.symbol=AAPL"], [], "Queries on AAPL"),
        ("LEARNING", ["reasoning.exploration_triggered=false"], [], "Learning steps without exploration triggered"),
        ("LEARNING", ["reasoning.exploration_triggered=true"], [], "Learning steps with exploration triggered"),
        ("QUERY", ["reasoning.fallback=null"], [], "Queries with no fallback"),
        ("QUERY", ["context.market.open=true"], [], "Queries in open = true markets"),
        ("ORDER_ROUTING", ["context.venue=dark_pool"], [], "Order routing decisions where venue is dark pool"),
        ("QUERY", [], ["forecast=range|horizon=4h"], "Queries on forecast range, horizon 4h"),
        ("QUERY", [], [""], "Queries"),
    ],
)
def test_conditions(decision_type, facts, questions, expected):
    assert condition_of(decision_type, facts, questions=questions) == expected
