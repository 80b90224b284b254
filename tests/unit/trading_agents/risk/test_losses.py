"""Losses reduce exposure and pause trading; pauses are remembered and end."""

import math

import pytest

from agent_memory import InvalidInput
from trading_agents import LossMemory, TradingMemoryStore


class Clock:
    now = 1_795_176_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def memory(clock):
    return TradingMemoryStore(clock=clock)


def texts(memory):
    return [item.content for item in memory.items]


def test_exposure_falls_with_the_drawdown_and_comes_back_with_the_equity(memory):
    losses = LossMemory(memory)
    assert losses.exposure == 1.0
    losses.record(-0.05)
    assert (losses.drawdown, losses.exposure) == (pytest.approx(0.05), pytest.approx(0.75))
    losses.record(0.10)
    assert (losses.drawdown, losses.exposure, losses.deepest_drawdown) == (0.0, 1.0, pytest.approx(0.05))


def test_a_losing_streak_pauses_trading_for_a_time(memory, clock):
    losses = LossMemory(memory, max_losses=3, pause_seconds=3_600)
    for net_return in (-0.001, -0.001, 0.001, -0.001, -0.001):
        losses.record(net_return)
    assert (losses.losing_streak, losses.pause) == (2, None)
    losses.record(-0.001)
    assert (losses.pause.reason, losses.exposure) == ("losing streak", 0.0)
    clock.now += 3_599
    assert losses.exposure == 0.0
    clock.now += 1
    assert losses.exposure > 0.9
    assert losses.losing_streak == 0
    assert texts(memory) == ["Trading paused: 3 losses in a row", "Trading resumed: the pause is over"]
    assert memory.search("paused", kind="risk")[0].score == 2.0


def test_a_win_on_paper_ends_a_pause_and_losses_on_paper_do_not_count(memory):
    losses = LossMemory(memory, max_losses=2)
    losses.record(-0.01)
    losses.record(-0.01)
    losses.record(-0.5, on_paper=True)
    assert (losses.exposure, losses.drawdown) == (0.0, pytest.approx(0.0199))
    losses.record(0.01, on_paper=True)
    assert losses.pause is None
    assert texts(memory)[-1] == "Trading resumed: a trade on paper won"


def test_after_a_drawdown_pause_the_drawdown_is_measured_again(memory, clock):
    losses = LossMemory(memory, max_drawdown=0.1)
    losses.record(-0.12)
    assert losses.pause.reason == "drawdown"
    clock.now += 86_400
    assert (losses.exposure, losses.drawdown, losses.deepest_drawdown) == (1.0, 0.0, pytest.approx(0.12))
    losses.record(-0.01)
    assert losses.pause is None
    losses.record(-0.10)
    assert losses.pause.reason == "drawdown"


def test_a_maximum_drawdown_of_one_is_no_limit(memory):
    losses = LossMemory(memory, max_losses=10**9, max_drawdown=1.0, least_exposure=1.0)
    for _ in range(50):
        losses.record(-0.3)
    assert (losses.pause, losses.exposure) == (None, 1.0)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"max_losses": 0}, "max_losses"),
        ({"max_drawdown": 1.1}, "max_drawdown"),
        ({"max_drawdown": 0}, "max_drawdown"),
        ({"least_exposure": 2}, "least_exposure"),
        ({"pause_seconds": 0}, "pause_seconds"),
    ],
)
def test_invalid_settings_are_named(memory, settings, field):
    with pytest.raises(InvalidInput) as caught:
        LossMemory(memory, **settings)
    assert caught.value.field == field


@pytest.mark.parametrize("net_return", [-1.0, math.nan, math.inf])
def test_an_invalid_return_is_named(memory, net_return):
    with pytest.raises(InvalidInput, match="net_return"):
        LossMemory(memory).record(net_return)
