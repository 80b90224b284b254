"""Capacity units by the rules of DynamoDB."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import new_decision_id
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.pricing import decision_units, mean_decision_units
from agent_memory.storage.dynamodb.items import MAX_COPIED_BYTES, decision_item, headline_attributes, item_size

NOW = 1_795_176_000_000
EXAMPLE = Decision(
    "market-hunter",
    new_decision_id("SOURCE_SELECTION", NOW),
    "SOURCE_SELECTION",
    NOW,
    {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "trading_hours": "american"},
    {
        "scores": {"whaleMovements": 0.92, "derivatives": 0.87},
        "selected": ["whaleMovements", "derivatives", "institutional"],
        "exploration_triggered": False,
    },
    {"version": "1.0", "experiment_id": None},
    Outcome(True, {"signals_generated": 2, "quality_score": 0.85, "latency_ms": 1200}, {}, NOW),
)


def test_the_example_decision_costs_four_write_units_and_two_to_expire():
    units = decision_units(EXAMPLE)
    assert (units.log_units, units.outcome_units, units.expiry_units, units.read_units) == (2, 2, 2, 1)
    assert 1000 < units.stored_bytes < 1800


@given(st.integers(0, 5_000), st.integers(0, 100))
def test_the_index_by_context_never_makes_a_decision_and_its_outcome_dearer(text_bytes, details_bytes):
    """Than an index of keys only by context, which takes a unit at first, and one by outcome, which takes another."""
    outcome = Outcome(True, {"text": "x" * details_bytes}, {}, NOW)
    one = replace(EXAMPLE, reasoning={"text": "x" * text_bytes}, outcome=outcome)
    logged = decision_item(one)
    sizes = [item_size(logged), item_size(logged | headline_attributes(outcome))]
    with_two_indexes = sum(math.ceil(size / 1024) + 1 for size in sizes)
    units = decision_units(one)
    assert units.log_units + units.outcome_units == with_two_indexes - (sizes[0] > MAX_COPIED_BYTES)


def test_a_decision_without_market_or_outcome_costs_less():
    bare = Decision("a", EXAMPLE.decision_id, "SOURCE_SELECTION", NOW, {}, {})
    assert decision_units(bare).write_units == 2


def test_each_link_costs_a_write_unit_and_is_stored_by_itself():
    parents = {new_decision_id("QUERY", NOW - n): 1 for n in range(1, 4)}
    linked, alone = decision_units(replace(EXAMPLE, ancestors=parents)), decision_units(EXAMPLE)
    assert linked.log_units == alone.log_units + 3
    assert (alone.link_bytes, linked.link_bytes > 600) == (0, True)


def test_a_large_decision_costs_by_the_kilobyte():
    large = Decision("a", EXAMPLE.decision_id, "SOURCE_SELECTION", NOW, {"text": "x" * 5000}, {})
    assert (decision_units(large).log_units, decision_units(large).read_units) == (6, 2)


def test_the_mean_of_no_decisions_is_refused():
    with pytest.raises(InvalidInput, match="decisions"):
        mean_decision_units([])
    assert mean_decision_units([[EXAMPLE, EXAMPLE]]) == decision_units(EXAMPLE)


def test_decisions_of_a_request_share_the_items_of_their_links():
    parent = new_decision_id("QUERY", NOW - 1)
    children = [
        replace(EXAMPLE, decision_id=new_decision_id("SOURCE_SELECTION", NOW), ancestors={parent: 1}) for _ in range(5)
    ]
    together, alone = mean_decision_units([children]), mean_decision_units([[one] for one in children])
    assert alone.log_units == decision_units(EXAMPLE).log_units + 1
    assert together.log_units == decision_units(EXAMPLE).log_units + 1 / 5
    assert together.link_bytes < alone.link_bytes / 2
