"""All that is remembered together changes a confidence by 30% at most, and one outcome changes nothing."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import InvalidInput
from tests.unit.trading_agents.agents.agent_samples import ALL, agent_of
from trading_agents import (
    AS_DESIGNED,
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    PosteriorRule,
    TradingMemoryStore,
    Unchanged,
    WinRateRule,
    WyckoffAgentWithMemory,
)

SIGNED = st.floats(-3, 3)
FEATURES = st.fixed_dictionaries(
    {
        "hedge": st.fixed_dictionaries(
            {"net_gamma_exposure": SIGNED, "smart_flow_signal": SIGNED},
            optional={"gamma_relative": SIGNED, "flow_relative": SIGNED, "quoted_at": st.integers(0, 3)},
        ),
        "liquidity": st.fixed_dictionaries(
            {
                "amihud": SIGNED,
                "kyle_lambda": st.floats(0.1, 10),
                "close": st.floats(80, 120),
                "value_area_low": st.just(95),
                "value_area_high": st.just(105),
                "volume": st.sampled_from([10.0, 11.0, 1_000.0]),
                "hour": st.just(9),
            }
        ),
        "sentiment": st.fixed_dictionaries(
            {"momentum": SIGNED, "trend_strength": st.floats(0, 60), "volatility": st.floats(0.001, 1)}
        ),
        "wyckoff": st.fixed_dictionaries(
            {"spring": st.booleans(), "upthrust": st.booleans(), "phase": st.just("markup")}
        ),
        "markov": st.fixed_dictionaries(
            {"p_turbulent": st.floats(0, 1), "regime": st.sampled_from(["calm", "turbulent", "rising", "falling"])}
        ),
    }
)


class Extreme:
    """A rule of one's own that asks for anything."""

    def __init__(self, factor):
        self._factor = factor

    def factor(self, record):  # noqa: ARG002
        return self._factor


RULES = st.sampled_from([WinRateRule(), WinRateRule(min_outcomes=0), PosteriorRule(min_outcomes=1), Unchanged()])
RULES |= st.floats(-1, 9).map(Extreme)


class Forgetful(TradingMemoryStore):
    """A memory that stores nothing."""

    def append(self, item):
        pass


class AdviserOf:
    """Memory that expects the same of longs and of shorts, beyond chance."""

    def __init__(self, rate):
        self._rate = rate

    def advise(self, decision_type, context, options, *, choice=None):  # noqa: ARG002
        interval = [max(0.0, self._rate - 0.01), min(1.0, self._rate + 0.01)]
        expected = {"expected": self._rate, "interval": interval, "is_prior": False}
        return {"options": [{"option": option, **expected} for option in options], "memory_ids": ["m"]}


ADVISERS = st.none() | st.floats(0, 1).map(AdviserOf)
LIQUIDITY_OF_VOLUME = partial(LiquidityAgentWithMemory, volume_patterns=True)
KINDS = st.sampled_from([*ALL, LIQUIDITY_OF_VOLUME])


@given(
    kinds=st.lists(KINDS, min_size=1, max_size=3),
    limit=st.sampled_from([0.3, 0.2, 0.0]),
    bars=st.lists(
        st.tuples(FEATURES, st.lists(st.floats(-9, 9), max_size=12), RULES, ADVISERS, st.floats(0, 200)),
        min_size=1,
        max_size=12,
    ),
)
def test_no_sequence_of_outcomes_and_rules_moves_a_confidence_beyond_the_limit(kinds, limit, bars):
    """Agents that share a memory, with rules and advice that change from bar to bar, as time passes."""
    hours = [0.0]
    memory = TradingMemoryStore(24 * 3_600, clock=lambda: 3_600 * hours[0])
    agents = [kind(f"A{number}", memory, max_adjustment=limit) for number, kind in enumerate(kinds)]
    for number, (features, profits, rule, adviser, passed) in enumerate(bars):
        hours[0] += passed
        memory.cleanup()
        for kind, agent in zip(kinds, agents, strict=True):
            agent.confidence_rule, agent.adviser = rule, adviser
            agent.perceive("SPY", number, features)
            signal, confidence, _ = agent.act_with_memory("SPY", number, features)
            forgetful = kind("A", Forgetful(), confidence_rule=Unchanged())
            same, alone, _ = forgetful.act_with_memory("SPY", number, features)
            assert signal == same
            assert (1 - limit) * alone - 1e-12 <= confidence <= min(1.0, (1 + limit) * alone) + 1e-12
            for trade, pnl in enumerate(profits):
                agent.remember_outcome("SPY", f"{number}-{trade}", pnl, 100.0, 101.0, setup=agent.setup("SPY"))


def spring(outcomes, **settings):
    agent = agent_of(WyckoffAgentWithMemory, **settings)
    for number, pnl in enumerate(outcomes):
        agent.remember_outcome("SPY", f"t{number}", pnl, 100.0, 101.0, setup="spring")
    return agent.act_with_memory("SPY", 0, {"wyckoff": {"spring": True}})[1]


@pytest.mark.parametrize(
    ("outcomes", "limited", "as_designed"),
    [([-1.0] * 10, 0.49, 0.343), ([1.0] * 7 + [-1.0] * 3, 0.91, 1.0), ([-1.0], 0.7, 0.49), ([-1.0] * 9, 0.7, 0.49)],
)
def test_setups_and_outcomes_together_are_limited_and_need_a_sample(outcomes, limited, as_designed):
    assert spring(outcomes) == pytest.approx(limited)
    assert spring(outcomes, **AS_DESIGNED) == pytest.approx(as_designed)


@pytest.mark.parametrize("limit", [-0.1, 1.1, float("nan")])
def test_the_limit_is_a_fraction(limit):
    with pytest.raises(InvalidInput, match="max_adjustment"):
        agent_of(HedgeAgentWithMemory, max_adjustment=limit)
