"""Objects restored from a snapshot behave like the originals."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from agent_memory import InvalidInput
from trading_agents import (
    AgentHealth,
    Composer,
    CostGate,
    FixedShare,
    Hedge,
    LossMemory,
    MarketOutcome,
    MarkovAgentWithMemory,
    RegimeMemory,
    TradingMemoryStore,
    VolatilityMemory,
    WyckoffAgentWithMemory,
)
from trading_agents.portfolio.weights import rule_from_state

EARLIER, LATER = np.random.default_rng(5).normal(0, 0.01, (2, 150)).tolist()


def through_json(state):
    return json.loads(json.dumps(state, allow_nan=False))


def volatility(memory, part):
    for one in part:
        memory.observe(one)
    return memory.multiplier, memory.sigma


def health(memory, part):
    return [memory.observe(name, one - 0.002) for one in part for name in ("a", "b")]


def gate(memory, part):
    allowed = []
    for number, one in enumerate(part):
        memory.observe(abs(one), 1_000.0 * (number + (0 if part is EARLIER else len(EARLIER))))
        allowed.append((memory.median, memory.allows(0.01)))
    return allowed


def regimes(memory, part):
    for number, one in enumerate(part):
        memory.observe("calm" if number % 3 else "wild", one, {"a": one, "b": -one})
    return [memory.describe(name) for name in memory]


def composer(memory, part):
    results = []
    for number, one in enumerate(part):
        votes = [("long", 0.6, SimpleNamespace(name="a")), ("short", 0.5, SimpleNamespace(name="b"))]
        regime = "wild" if number % 3 else None
        signal = memory.decide(votes, decision_id=f"{id(part)}-{number}", regime=regime)
        memory.learn([MarketOutcome(signal.decision_id, one)])
        results.append((signal, signal.confidence, signal.context["weights"], signal.context["regime_memory"]))
    return results


@pytest.mark.parametrize(
    ("make", "restore", "use"),
    [
        (lambda: VolatilityMemory(7), VolatilityMemory.from_state, volatility),
        (lambda: AgentHealth(with_lifetime=False), AgentHealth.from_state, health),
        (lambda: CostGate(window_days=0.5), CostGate.from_state, gate),
        (RegimeMemory, RegimeMemory.from_state, regimes),
        (lambda: Composer(rule=Hedge(0.3), threshold=0.01), Composer.from_state, composer),
    ],
)
def test_a_restored_object_behaves_like_the_original(make, restore, use):
    original = make()
    use(original, EARLIER)
    state = through_json(original.to_state())
    restored = restore(state)
    assert through_json(restored.to_state()) == state
    assert use(restored, LATER) == use(original, LATER)
    assert through_json(restored.to_state()) == through_json(original.to_state())
    assert through_json(original.to_state()) != state


def test_losses_are_restored_with_pause_and_drawdown():
    clock = SimpleNamespace(now=0.0)
    stores = [TradingMemoryStore(clock=lambda: clock.now) for _ in range(2)]
    original = LossMemory(stores[0], max_losses=2, pause_seconds=100, max_drawdown=0.4)
    for one in (0.1, -0.02, -0.03):
        original.record(one)
    assert original.pause is not None
    restored = LossMemory.from_state(through_json(original.to_state()), stores[1])
    exposures = []
    for at, one in ((50.0, -0.01), (120.0, -0.2), (130.0, 0.01), (140.0, -0.3)):
        clock.now = at
        for memory in (original, restored):
            memory.record(one)
        assert restored.exposure == original.exposure
        exposures.append(original.exposure)
    assert len(set(exposures)) > 1
    assert restored.to_state() == original.to_state()


def test_a_trading_memory_is_restored_with_order_and_settings():
    now = 1_000.0
    store = TradingMemoryStore(50, half_lives={"a": 9.0}, max_items=40, clock=lambda: now)
    for number in range(60):
        now += 1
        store.add("ab"[number % 2], f"word{number % 7} other", score=1 + number % 3, metadata={"pnl": 0.1 * number})
    again = TradingMemoryStore.from_state(through_json(store.to_state()), clock=lambda: now)
    assert again.items == store.items
    assert again.to_state() == store.to_state()
    for query in ("word3 other", "", "word5"):
        assert again.search(query, topk=20) == store.search(query, topk=20)


def test_agents_restore_their_state_outside_the_memory():
    store = TradingMemoryStore(clock=lambda: 0.0)
    markov = MarkovAgentWithMemory("Markov", store)
    markov.act_with_memory("SPY", 0, {"markov": {"regime": "calm"}})
    wyckoff = WyckoffAgentWithMemory("Wyckoff", store)
    wyckoff.act_with_memory("SPY", 0, {"wyckoff": {"spring": True}})
    other = TradingMemoryStore(clock=lambda: 0.0)
    markov_again, wyckoff_again = MarkovAgentWithMemory("Markov", other), WyckoffAgentWithMemory("Wyckoff", other)
    markov_again.restore(through_json(markov.to_state()))
    wyckoff_again.restore(through_json(wyckoff.to_state()))
    markov_again.act_with_memory("SPY", 0, {"markov": {"regime": "turbulent"}})
    wyckoff_again.remember_outcome("SPY", "t", 1.0, 1.0, 2.0)
    assert [item.content for item in other.get_recent("regime")] == ["Regime changed from calm to turbulent"]
    assert [item.content for item in other.get_recent("setup_outcome")] == ["spring worked"]
    with pytest.raises(InvalidInput, match="belongs to 'Markov', not to Other"):
        MarkovAgentWithMemory("Other", store).restore(markov.to_state())
    with pytest.raises(InvalidInput, match="not a snapshot of a WyckoffAgentWithMemory"):
        WyckoffAgentWithMemory("Markov", store).restore(markov.to_state())


@pytest.mark.parametrize("rule", [Hedge(0.1), FixedShare(0.2, 0.01)])
def test_weight_rules_keep_their_settings(rule):
    assert rule_from_state(through_json(rule.to_state())) == rule


def test_other_data_is_refused():
    with pytest.raises(InvalidInput, match=r"state: is not a snapshot of a VolatilityMemory"):
        VolatilityMemory.from_state(AgentHealth().to_state())
    with pytest.raises(InvalidInput, match="has version 2 of a Composer; supported is 1"):
        Composer.from_state({**Composer().to_state(), "version": 2})


def test_a_custom_rule_has_to_be_passed_again():
    class ConstantRule:
        def updated(self, weights, gains):  # noqa: ARG002
            return dict(weights)

    rule = ConstantRule()
    state = Composer(rule=rule).to_state()
    with pytest.raises(InvalidInput, match="rule: the composer had a custom rule"):
        Composer.from_state(state)
    assert Composer.from_state(state, rule=rule).to_state() == state
