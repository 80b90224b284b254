"""Experiments assign units by a stable hash, withhold what they name, and log what was assigned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.errors import InvalidInput
from agent_memory.model.experiments import Assignment, Experiment, LoggedAssignment, assignments_of
from agent_memory.model.listings import Listing

PATTERN = {"memory_type": "PATTERN", "pattern_id": "whales"}
STRATEGY = {"memory_type": "STRATEGY", "pattern_id": "momentum"}


def test_the_assignment_of_a_unit_never_changes():
    experiment = Experiment("patterns-pay", 0.5)
    withheld = [experiment.withholds_from(f"cycle-{n}") for n in range(12)]
    assert withheld == [True, True, True, True, False, False, True, False, False, False, False, True]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_of_units_is_withheld_independently_of_other_experiments(share):
    one, other = Experiment("one", share), Experiment("other", share)
    pairs = [(one.withholds_from(str(n)), other.withholds_from(str(n))) for n in range(20_000)]
    assert sum(first for first, _ in pairs) / 20_000 == pytest.approx(share, abs=0.015)
    assert sum(first and second for first, second in pairs) / 20_000 == pytest.approx(share**2, abs=0.015)


@given(st.text(min_size=1, max_size=255), st.floats(0.001, 0.998))
def test_units_withheld_at_a_share_are_withheld_at_every_larger_one(unit_id, share):
    if Experiment("one", share).withholds_from(unit_id):
        assert Experiment("one", share + 0.001).withholds_from(unit_id)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("name", {"name": "no name"}),
        ("share", {"share": 0}),
        ("share", {"share": 1}),
        ("share", {"share": float("nan")}),
        ("share", {"share": True}),
        ("unit", {"unit": ""}),
        ("memory_type", {"memory_type": "pattern"}),
        ("memory_id", {"memory_id": ""}),
    ],
)
def test_an_invalid_experiment_names_its_field(field, arguments):
    with pytest.raises(InvalidInput) as caught:
        Experiment(**{"name": "patterns-pay", "share": 0.5, **arguments})
    assert caught.value.field == field


def withheld_unit(experiment):
    return next(one for n in range(100) if (one := experiment.assign(f"cycle-{n}")).is_withheld)


@pytest.mark.parametrize(
    ("arguments", "visible"),
    [
        ({}, []),
        ({"memory_type": "PATTERN"}, [STRATEGY]),
        ({"memory_id": "momentum"}, [PATTERN]),
        ({"memory_type": "PATTERN", "memory_id": "momentum"}, [PATTERN, STRATEGY]),
    ],
)
def test_a_unit_sees_what_is_not_withheld_from_it(arguments, visible):
    assignment = withheld_unit(Experiment("patterns-pay", 0.5, **arguments))
    listing = Listing([PATTERN, STRATEGY], [{"id": "x", "reason": "damaged", "why": "…"}], "cursor")
    seen = assignment.visible(listing)
    assert seen == visible
    assert (seen.missing, seen.cursor) == (listing.missing, "cursor")
    recalled = [{"kind": "PATTERN", "memory": PATTERN}, {"kind": "STRATEGY", "memory": STRATEGY}]
    assert [one["memory"] for one in assignment.visible(recalled)] == visible
    decision = {"kind": "QUERY", "decision": {"decision_type": "QUERY"}}
    assert assignment.visible([decision]) == [decision]
    assert Assignment(assignment.experiment, "another", is_withheld=False).visible([PATTERN]) == [PATTERN]


@given(st.text(min_size=1, max_size=20), st.floats(0.01, 0.99), st.booleans())
def test_what_is_logged_is_what_was_assigned(unit_id, share, by_type):
    experiment = Experiment("patterns-pay", share, memory_type="PATTERN" if by_type else None)
    assignment = experiment.assign(unit_id)
    logged = assignment.metadata({"strategy": "momentum"})
    assert logged["strategy"] == "momentum"
    (found,) = assignments_of(logged)
    assert found == LoggedAssignment(assignment)
    assert found.is_as_assigned
    assert LoggedAssignment.from_text(found.to_text()) == found
    opposite = LoggedAssignment(Assignment(experiment, unit_id, not assignment.is_withheld))
    assert not opposite.is_as_assigned


def test_several_experiments_are_logged_together_and_other_content_is_ignored():
    one, other = Experiment("one", 0.5).assign("c1"), Experiment("other", 0.2).assign("c1")
    logged = other.metadata(one.metadata())
    logged["experiments"] += [{"name": "no share"}, "text", None, one.as_dict()]
    assert [found.assignment for found in assignments_of(logged)] == [one, other]
    assert assignments_of({"experiments": "mine"}) == ()


@pytest.mark.parametrize(
    ("chosen", "without_memory", "judged", "difference"),
    [
        (["whales"], ["news"], {"whales": True, "news": False}, 1.0),
        (["whales", "news"], ["news"], {"whales": True, "news": False}, 0.5),
        ("whales", ["news"], {"whales": 0.2, "news": 0.5}, -0.3),
        (["whales"], ["social"], {"whales": True, "news": False}, None),
        (["whales"], [], {"whales": True}, None),
        (["whales"], ["news"], None, None),
    ],
)
def test_where_every_option_is_judged_the_choice_is_compared_with_the_one_without_memory(
    chosen, without_memory, judged, difference
):
    logged = Experiment("one", 0.5).assign("c1").metadata(without_memory=without_memory)
    (found,) = assignments_of(logged, chosen, judged)
    assert found.difference == (difference if difference is None else pytest.approx(difference))
