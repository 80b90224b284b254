"""The composer weights votes by what agents earned, and explains its decision."""

import copy
import json
import pickle
from types import SimpleNamespace

import pytest

from agent_memory import InvalidInput, NotFound
from trading_agents import Composer, Hedge, HedgeAgentWithMemory, MarketOutcome, TradingMemoryStore

a, b, c = (SimpleNamespace(name=name) for name in "abc")


def test_equal_agents_are_averaged():
    signal = Composer().decide([("long", 0.9, a), ("short", 0.3, b), ("neutral", 0.4, c)])
    assert signal == "long"
    assert signal.confidence == pytest.approx(0.2)
    assert signal.context["weights"] == pytest.approx(dict.fromkeys("abc", 1 / 3))
    assert signal.context["votes"] == {"a": ("long", 0.9), "b": ("short", 0.3), "c": ("neutral", 0.4)}


def test_a_vote_within_the_threshold_is_neutral():
    assert Composer().decide([("long", 0.5, a), ("short", 0.4, b)]) == "neutral"
    assert Composer(threshold=0.0).decide([("long", 0.5, a), ("short", 0.4, b)]) == "long"


def test_agents_that_were_right_gain_weight():
    composer = Composer(rule=Hedge(0.2))
    votes = [("long", 0.5, a), ("short", 0.8, b)]
    assert composer.decide(votes) == "short"
    for _ in range(20):
        summed = composer.learn([MarketOutcome(composer.decide(votes).decision_id, 0.01)])
        assert summed == pytest.approx({"a": 1.0, "b": -1.0})
    assert composer.decide(votes) == "long"
    assert composer.weights()["a"] > 0.99


def test_each_regime_has_its_own_weights_and_starts_from_the_overall_ones():
    composer = Composer(rule=Hedge(0.2))
    votes = [("long", 0.5, a), ("short", 0.5, b)]

    def outcomes(regime, market_return, count):
        for _ in range(count):
            decision = composer.decide(votes, regime=regime)
            composer.learn([MarketOutcome(decision.decision_id, market_return)])

    outcomes("calm", 0.01, 10)
    # The regime turbulent is new and starts from what was learned in calm markets.
    assert composer.weights("turbulent") == composer.weights() == composer.weights("calm")
    outcomes("turbulent", -0.02, 30)
    assert composer.decide(votes, regime="turbulent") == "short"
    assert composer.decide(votes, regime="calm") == "long"
    described = composer.decide(votes, regime="turbulent").context["regime_memory"]
    assert (described["best_agent"], described["outcomes"]) == ("b", 30)
    assert described["mean_absolute_return"] == pytest.approx(0.02)


def test_gains_are_in_units_of_the_typical_return_and_limited():
    composer = Composer()
    votes = [("long", 0.5, a), ("neutral", 0.4, b)]
    gains = [composer.learn([MarketOutcome(composer.decide(votes).decision_id, x)]) for x in (0.01, -0.02, 0.5, 0.0)]
    assert [gain["a"] for gain in gains] == [1.0, pytest.approx(-2.0), 3.0, 0.0]
    assert {gain["b"] for gain in gains} == {0.0}


def test_a_new_agent_gets_an_equal_weight_and_an_absent_one_keeps_its_own():
    composer = Composer(rule=Hedge(0.5))
    composer.learn([MarketOutcome(composer.decide([("long", 1, a), ("short", 1, b)]).decision_id, 0.01)])
    before = composer.weights()
    after = composer.decide([("long", 1, a), ("long", 1, c)])
    assert composer.weights()["c"] == pytest.approx(1 / 3)
    composer.learn([MarketOutcome(after.decision_id, 0.01)])
    assert composer.weights()["b"] == pytest.approx(before["b"] * 2 / 3)


def test_the_gains_of_votes_are_remembered_by_agent():
    memory = TradingMemoryStore()
    composer = Composer(memory)
    decision = composer.decide([("long", 0.7, a), ("short", 0.7, b)], symbol="BTC", regime="calm", decision_id="d1")
    composer.learn([MarketOutcome(decision.decision_id, 0.02)])
    assert [item.content for item in memory.search("a right", kind="agent_vote", symbol="BTC")] == [
        "a voted long and was right calm",
        "b voted short and was wrong calm",
    ]
    assert memory.items[1].metadata == {"agent": "b", "signal": "short", "regime": "calm", "gain": -1.0}


def test_an_outcome_counts_once():
    composer = Composer(max_open=1)
    dropped = composer.decide([("long", 0.5, a)])
    decision = composer.decide([("long", 0.5, a)])
    composer.learn([MarketOutcome(decision.decision_id, 0.01)])
    for known in (decision, dropped):
        with pytest.raises(NotFound):
            composer.learn([MarketOutcome(known.decision_id, 0.01)])


def test_votes_of_agents_are_passed_as_in_the_design():
    shared_memory = TradingMemoryStore(decay_half_life=7200)
    hedge = HedgeAgentWithMemory("Hedge", shared_memory)
    features = {"hedge": {"net_gamma_exposure": -0.7, "smart_flow_signal": 0.5}}
    h_signal, h_conf, _ = hedge.act_with_memory("SPY", 0, features)
    composer = Composer()
    final_signal = composer.decide([(h_signal, h_conf, hedge)])
    assert f"{final_signal} {final_signal.confidence:.1f}" == "long 0.7"


def test_a_signal_is_text_that_can_be_copied_and_serialised():
    signal = Composer().decide([("long", 0.9, a)])
    for other in (copy.deepcopy(signal), pickle.loads(pickle.dumps(signal))):  # noqa: S301  our own
        assert (other, other.confidence, other.decision_id) == ("long", 0.9, signal.decision_id)
        assert other.context == signal.context
    assert json.dumps(signal) == '"long"'


@pytest.mark.parametrize(
    ("votes", "field"),
    [
        ([], "votes"),
        ([("buy", 0.5, a)], "votes[0].signal"),
        ([("long", 0.5, a), ("long", 1.5, b)], "votes[1].confidence"),
        ([("long", 0.5, a), ("long", 0.5, a)], "votes[1].agent"),
    ],
)
def test_invalid_votes_are_named(votes, field):
    with pytest.raises(InvalidInput) as caught:
        Composer().decide(votes)
    assert caught.value.field == field
