"""The words that an agent has for its sentences."""

import pytest

from agent_memory import InvalidInput
from agent_memory.learning.wording import Wording, split_words


def test_a_fact_with_its_value_has_precedence_over_its_key():
    wording = Wording.of({"facts": {"context.side": "on the {value} side", "context.side=buy": "to buy"}})
    assert wording.phrase("context.side", "buy") == "to buy"
    assert wording.phrase("context.side", "short_sell") == "on the short sell side"
    assert wording.phrase("context.venue", "x") is None


def test_types_without_words_of_their_own_read_as_they_are_named():
    assert Wording().decisions("ORDER_ROUTING") == ("order routing decisions", "succeeded")
    assert Wording.of({"success": {"QUERY": "answered"}}).decisions("QUERY") == ("queries", "answered")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"phrases": {}}, "phrases"),
        ({"facts": ["context.side"]}, "facts"),
        ({"facts": {"context.side": ""}}, "facts.context.side"),
        ({"facts": {"context.side": 3}}, "facts.context.side"),
        ({"questions": {"range": "two\nlines"}}, "questions.range"),
        ({"decisions": {"QUERY": "x" * 121}}, "decisions.QUERY"),
        ({"facts": {f"context.{n}": "x" for n in range(1_001)}}, "facts"),
    ],
)
def test_what_is_not_valid_is_named(data, field):
    with pytest.raises(InvalidInput) as refused:
        Wording.of(data)
    assert refused.value.field == field


def test_identifiers_are_split_into_words():
    assert [split_words(one) for one in ("whaleMovements", "range_expansion", "AAPL")] == [
        "whale movements",
        "range expansion",
        "AAPL",
    ]
