from dataclasses import replace

import pytest
from market_samples import random_bars

from trading_agents import features_of
from trading_agents.judging import judge

SYMBOLS = ("A", "B", "C")
ROW, NEXT = (features_of(random_bars()).row(t) for t in (150, 151))


def decision(decision_type, reasoning, **context):
    return {"decision_id": "id", "decision_type": decision_type, "context": context, "reasoning": reasoning}


def judged(given, row=ROW, **changes):
    return judge(given, SYMBOLS, row, replace(NEXT, **changes))


@pytest.mark.parametrize("forecast", ["large_move", "range_expansion"])
@pytest.mark.parametrize("happened", [True, False])
def test_a_forecast_event_succeeds_when_it_happens(forecast, happened):
    signal = decision("SIGNAL_GENERATION", {"forecast": forecast, "confidence": 0.7}, symbol="B")
    outcome = judged(
        signal,
        happened={forecast: (not happened, happened, not happened)},
        returns=(0.0, 0.01, 0.0),
        ranges=(0.0, 0.02, 0.0),
    )
    assert outcome["success"] is happened
    assert outcome["outcome"] == {"return": 0.01, "range": 0.02}
    assert outcome["metrics"] == {"quality_score": 0.91 if happened else 0.51}


@pytest.mark.parametrize(
    ("expected", "rose", "success"),
    [
        ("up", True, True),
        ("up", False, False),
        ("down", False, True),
        ("down", True, False),
        ("up", None, False),
        ("down", None, False),
    ],
)
def test_a_direction_succeeds_when_the_price_goes_there(expected, rose, success):
    signal = decision(
        "SIGNAL_GENERATION", {"forecast": "direction", "expected": expected, "confidence": 0.5}, symbol="A"
    )
    assert judged(signal, happened={"direction": (rose, None, None)})["success"] is success


@pytest.mark.parametrize(("right", "success"), [(0, False), (2, False), (3, True), (6, True)])
def test_a_selection_succeeds_when_half_of_the_answers_came_true(right, success):
    answers = [n < right for n in range(6)]
    outcome = judged(
        decision("SOURCE_SELECTION", {"selected": ["momentum", "volume_surge"]}),
        agreed={"momentum": tuple(answers[:3]), "volume_surge": tuple(answers[3:])},
    )
    assert outcome["success"] is success
    assert outcome["outcome"] == {
        "answers": 6,
        "came_true": {"momentum": sum(answers[:3]), "volume_surge": sum(answers[3:])},
    }


@pytest.mark.parametrize(
    ("ranks", "clear", "success"),
    [((0.5, 0.6, 0.9), 1, False), ((0.25, 0.5, 0.75), 2, True), ((0.26, 0.74, 0.5), 0, False)],
)
def test_a_query_succeeds_when_the_answer_is_clear(ranks, clear, success):
    outcome = judged(decision("QUERY", {"source": "momentum"}), row=replace(ROW, ranks={"momentum": ranks}))
    assert outcome["success"] is success
    assert outcome["outcome"] == {"readings": dict(zip(SYMBOLS, ranks, strict=True)), "clear": clear}


@pytest.mark.parametrize(("after", "success"), [(0.6, True), (0.4, False), (0.5, False)])
def test_learning_succeeds_when_the_next_bar_is_nearer_to_the_new_estimate(after, success):
    learning = decision("LEARNING", {"before": {"momentum": 0.5}, "after": {"momentum": after}})
    outcome = judged(learning, agreed={"momentum": (True, True, False)})
    assert outcome["success"] is success
    assert outcome["outcome"]["error_before"] == pytest.approx((0.5 - 2 / 3) ** 2, abs=1e-6)
