"""What memory added to selections, from the hunter's own log."""

import random

import pytest

from trading_agents.market_hunter.uplift import selection_uplift

SOURCES = ("a", "b", "c", "d")


def cycle(number, judged, own, estimated=None, *, memory_ids=("estimate",), exploration=0.1):
    """The decisions of a cycle that selects two of four sources."""
    scores = {**own, **(estimated or {})}
    ranked = sorted(scores, key=lambda one: -scores[one])
    chances = [1.0, 1 - exploration, exploration / 2, exploration / 2]
    context = {"cycle": number}
    day = f"2026-07-{1 + number // 24:02d}T{number % 24:02d}:00:00.000Z"
    selection = {
        "decision_type": "SOURCE_SELECTION",
        "timestamp": day,
        "context": context,
        "success": True,
        "memory_ids": list(memory_ids) if estimated else [],
        "reasoning": {
            "scores": scores,
            "selected": ranked[:2],
            "propensities": dict(zip(ranked, chances, strict=True)),
            **(
                {"score_breakdown": {one: {"learned": own[one], "estimated": estimated[one]} for one in estimated}}
                if estimated
                else {}
            ),
        },
    }
    signals = [
        {
            "decision_type": "SIGNAL_GENERATION",
            "timestamp": day,
            "context": context,
            "success": success,
            "memory_ids": [],
            "reasoning": {"source": source},
        }
        for source, success in judged.items()
    ]
    return [selection, *signals]


OWN = {"a": 0.9, "b": 0.8, "c": 0.2, "d": 0.1}
REVERSED = {"a": 0.1, "b": 0.2, "c": 0.8, "d": 0.9}


def test_a_selection_that_memory_turned_round_is_valued_by_the_same_outcomes():
    judged = {"a": False, "b": False, "c": True, "d": True}
    found = selection_uplift(cycle(0, judged, OWN, REVERSED))
    assert (found.selections, found.influenced, found.changed) == (1, 1, 1)
    assert found.uplift == pytest.approx((1.9 - 0.1) / 2)
    assert (found.low, found.by_memory) == (None, {"estimate": found.uplift})


def test_memory_that_agrees_adds_nothing():
    found = selection_uplift([one for n in range(72) for one in cycle(n, {"a": True, "c": False}, OWN, dict(OWN))])
    assert (found.influenced_share, found.changed, found.uplift, found.low, found.high) == (1.0, 0, 0.0, 0.0, 0.0)


def test_without_memory_or_without_judged_sources_there_is_nothing_to_say():
    plain = selection_uplift(cycle(0, {"a": True}, OWN))
    assert (plain.influenced, plain.uplift) == (0, 0.0)
    assert selection_uplift(cycle(0, {}, OWN, REVERSED)).as_dict()["uplift"] is None


def lives(effect, days=20):
    """Uplifts of many lives in which the sources of memory are right more often by an effect; and their intervals."""
    for seed in range(40):
        chance = random.Random(seed)
        made = []
        for n in range(24 * days):
            judged = {one: chance.random() < 0.5 + effect * (one in "cd") for one in SOURCES}
            made += cycle(n, judged, OWN, REVERSED if chance.random() < 0.5 else dict(OWN))
        yield selection_uplift(made)


@pytest.mark.parametrize("effect", [0.0, 0.1])
def test_the_interval_has_the_true_uplift_in_most_lives(effect):
    true = 0.5 * effect * (1.9 - 0.1) / 2
    covered = sum(one.low <= true <= one.high for one in lives(effect))
    assert covered >= 35
