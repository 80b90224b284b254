"""The Hedge agent decides from option chains, and a setup seen three times in a week makes it cautious."""

import pytest

from trading_agents import HedgeAgentWithMemory, TradingMemoryStore

DAY = 86_400.0


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def readings(gamma=-0.9, flow=0.8, **more):
    return {"hedge": {"net_gamma_exposure": gamma, "smart_flow_signal": flow, **more}}


def votes(steps, **settings):
    """Confidences of one agent at (days, features)."""
    clock = Clock()
    agent = HedgeAgentWithMemory("Hedge", TradingMemoryStore(30 * DAY, clock=clock), **settings)
    for days, features in steps:
        clock.now = days * DAY
        yield agent.act_with_memory("SPY", clock.now, features)[:2]


def test_the_fourth_chain_with_the_same_setup_in_a_week_deserves_less_confidence():
    found = list(votes((day, readings(quoted_at=day)) for day in range(5)))
    assert found == [("long", 0.7)] * 3 + [("long", pytest.approx(0.56))] * 2


def test_many_bars_of_one_chain_are_one_sighting():
    steps = [(day + hour / 24, readings(quoted_at=day)) for day in range(3) for hour in range(7)]
    assert {confidence for _, confidence in votes(steps)} == {0.7}
    assert list(votes([*steps, (3, readings(quoted_at=3))]))[-1][1] == pytest.approx(0.56)


def test_without_the_time_of_a_chain_sightings_are_an_hour_apart():
    assert list(votes((n / 24, readings()) for n in range(10)))[-1][1] == pytest.approx(0.56)
    assert {confidence for _, confidence in votes((n / 240, readings()) for n in range(10))} == {0.7}


def test_setups_count_for_a_week_each_kind_by_itself():
    three = [(day, readings(quoted_at=day)) for day in range(3)]
    assert list(votes([*three, (10, readings(quoted_at=10))]))[-1][1] == 0.7
    assert list(votes([*three, (3, readings(0.9, -0.8, quoted_at=3))]))[-1] == ("short", 0.7)
    assert list(votes([*three, (3, readings(quoted_at=3))], remember_squeezes=False))[-1][1] == 0.7


def test_what_is_unusual_decides_where_it_is_known():
    assert next(votes([(0, readings(-0.2, -0.1))])) == ("neutral", 0.4)
    assert next(votes([(0, readings(-0.2, -0.1, gamma_relative=-1.2, flow_relative=0.9))])) == ("long", 0.7)
    assert next(votes([(0, readings(gamma_relative=0.0, flow_relative=0.0))])) == ("neutral", 0.4)
    assert next(votes([(0, readings(gamma_relative=float("nan"), flow_relative=0.0))])) == ("long", 0.7)
