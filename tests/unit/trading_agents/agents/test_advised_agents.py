"""Agents and composer follow what memory expects, where it is more than chance, learned by the nightly job."""

import random
from datetime import date

import pytest

from agent_memory import MemoryManager
from agent_memory.core.clock import DAY_MS, FixedClock, day_start_ms
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.consolidation import consolidate
from agent_memory.storage.factory import in_memory_stores
from tests.outcomes import known_at_once
from trading_agents import Composer, HedgeAgentWithMemory, TradingMemoryStore

FIRST = date(2026, 7, 1)
DAYS = 10
FEATURES = {"hedge": {"net_gamma_exposure": -0.8, "smart_flow_signal": 0.6}}


def adviser_of(log_decisions, **settings):
    """The memory after nightly jobs on signals; `log_decisions` yields context, reasoning and success for one day."""
    stores = in_memory_stores(FixedClock(day_start_ms(FIRST) + DAYS * DAY_MS + 60_000))
    early = MemoryManager("desk", stores=stores, clock=FixedClock(day_start_ms(FIRST))).sync
    if settings:
        early.store_ltm("CONFIGURATION", "estimates", settings)
    log, chance = DecisionLog("desk", stores, stores.clock), random.Random(1)
    for n in range(DAYS):
        made = []
        for k, (context, reasoning, success) in enumerate(log_decisions(chance)):
            ms = day_start_ms(FIRST) + n * DAY_MS + k * 60_000
            made.append(
                (
                    {
                        "decision_id": decision_id_for("SIGNAL_GENERATION", ms / 1000, f"{n} {k}"),
                        "decision_type": "SIGNAL_GENERATION",
                        "context": context,
                        "reasoning": reasoning,
                    },
                    success,
                )
            )
        log.log([decision for decision, _ in made])
        outcomes = ({"decision_id": one["decision_id"], "outcome": {}, "success": won} for one, won in made)
        log.record_outcomes(known_at_once(outcomes))
    consolidate("desk", date.fromordinal(FIRST.toordinal() + DAYS - 1), stores)
    return MemoryManager("desk", stores=stores, clock=stores.clock).sync


@pytest.fixture(scope="module", params=[0.75, 0.25, 0.5])
def longs(request):
    """How often longs on short gamma succeed, and what memory says of it; shorts are a coin."""

    def signals(chance):
        for k in range(60):
            direction = ("long", "short")[k % 2]
            context = {"agent": "Hedge", "symbol": "SPY", "setup": ("short gamma", "")[k // 2 % 2]}
            rate = request.param if direction == "long" else 0.5
            yield context, {"direction": direction}, chance.random() < rate

    return request.param, adviser_of(signals)


def test_an_agent_is_as_confident_as_the_direction_has_been_right(longs):
    rate, adviser = longs
    agent = HedgeAgentWithMemory("Hedge", TradingMemoryStore(), adviser=adviser)
    plain = HedgeAgentWithMemory("Hedge", TradingMemoryStore())
    (signal, confidence, context), (_, without, _) = (one.act_with_memory("SPY", 1, FEATURES) for one in (agent, plain))
    assert signal == "long"
    expected = {0.75: 1.3, 0.25: 0.7, 0.5: 1.0}[rate]  # by at most 30 %; a coin changes nothing
    assert confidence / without == pytest.approx(expected, abs=0.02)
    assert context["memory_ids"][:1] == ([] if rate == 0.5 else ["SIGNAL_GENERATION:reasoning.direction"])


def test_the_composer_follows_the_agent_that_has_been_right_in_the_regime():
    def votes(chance):
        for k in range(80):
            agent, regime = ("Good", "Bad")[k % 2], ("ranging", "trending")[k // 2 % 2]
            rate = 0.5 if regime == "trending" else {"Good": 0.8, "Bad": 0.2}[agent]
            context = {"symbol": "SPY", "market": {"regime": regime}}
            yield context, {"agent": agent, "direction": "long"}, chance.random() < rate

    adviser = adviser_of(votes, choices=["reasoning.agent"])
    good, bad = (HedgeAgentWithMemory(name, TradingMemoryStore()) for name in ("Good", "Bad"))
    against = [("long", 0.6, good), ("short", 0.6, bad)]
    found = Composer(adviser=adviser).decide(against, regime="ranging")
    assert (found, Composer().decide(against, regime="ranging")) == ("long", "neutral")
    assert found.context["weights"]["Good"] > 0.7
    assert found.context["memory_ids"][0] == "SIGNAL_GENERATION:reasoning.agent"
    assert sum(found.context["weights"].values()) == pytest.approx(1.0)
