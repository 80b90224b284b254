"""What patterns would have foretold of decisions not yet made."""

import numpy as np
import pytest

from agent_memory.learning.controls import shuffled
from agent_memory.learning.foresight import past_forecasts
from agent_memory.learning.reliability import Forecasts
from benchmarks.worlds import planted_world


def test_what_holds_comes_true_and_is_expected_to():
    forecasts = past_forecasts(planted_world(3, effect=0.25))
    assert len(forecasts.stated) >= 6
    assert forecasts.came_true.mean() > 0.9
    assert forecasts.stated.mean() > 0.9


def test_nothing_is_foretold_where_there_is_nothing_to_learn():
    assert len(past_forecasts(shuffled(planted_world(3, count=2_000, planted=200, effect=0.3), 1)).stated) == 0
    assert len(past_forecasts([]).stated) == 0


def test_what_comes_later_changes_no_forecast_only_whether_it_came_true():
    world = planted_world(3, effect=0.25)
    end = round(len(world) * 0.9)
    tampered = [*world[:end], *shuffled(world[end:], 0)]
    assert past_forecasts(tampered).stated[:4].tolist() == past_forecasts(world).stated[:4].tolist()


def test_order_does_not_matter():
    world = planted_world(3, count=2_000, planted=200, effect=0.3)
    assert past_forecasts(world[::-1]).stated.tolist() == past_forecasts(world).stated.tolist()


def test_bins_brier_scores_and_distances_of_a_worked_example():
    forecasts = Forecasts(np.array([0.2, 0.4, 0.9, 1.0]), np.array([False, True, True, True]))
    low, high = forecasts.bins((0, 0.5, 1))
    assert (low.count, low.stated, low.came_true) == (2, pytest.approx(0.3), 0.5)
    assert (high.count, high.stated, high.came_true) == (2, pytest.approx(0.95), 1.0)
    assert low.interval[0] < 0.5 < low.interval[1]
    assert forecasts.brier == pytest.approx((0.04 + 0.36 + 0.01) / 4)
    assert forecasts.brier_of_base_rate == pytest.approx(0.75 * 0.25)
    assert forecasts.calibration_error((0, 0.5, 1)) == pytest.approx((2 * 0.2 + 2 * 0.05) / 4)
