"""Forecasts of patterns for later decisions, and their calibration."""

import numpy as np
import pytest

from agent_memory.learning.calibration import Forecasts
from agent_memory.learning.forecasts import rolling_origin_forecasts
from benchmarks.synthetic_records import permute_outcomes, planted_record


def test_forecasts_of_a_pattern_that_holds_are_confident_and_come_true():
    forecasts = rolling_origin_forecasts(planted_record(3, effect=0.25))
    assert len(forecasts) >= 6
    assert forecasts.happened.mean() > 0.9
    assert forecasts.probabilities.mean() > 0.9


def test_there_are_no_forecasts_if_there_is_nothing_to_learn():
    permuted = permute_outcomes(planted_record(3, count=2_000, planted=200, effect=0.3), 1)
    assert len(rolling_origin_forecasts(permuted)) == 0
    assert len(rolling_origin_forecasts([])) == 0


@pytest.mark.slow
def test_later_decisions_do_not_change_a_forecast():
    record = planted_record(3, effect=0.25)
    end = round(len(record) * 0.9)
    changed = [*record[:end], *permute_outcomes(record[end:], 0)]
    before, after = rolling_origin_forecasts(record), rolling_origin_forecasts(changed)
    assert after.probabilities[:4].tolist() == before.probabilities[:4].tolist()


def test_the_order_of_evidence_does_not_matter():
    record = planted_record(3, count=2_000, planted=200, effect=0.3)
    forecasts, reversed_forecasts = rolling_origin_forecasts(record), rolling_origin_forecasts(record[::-1])
    assert reversed_forecasts.probabilities.tolist() == forecasts.probabilities.tolist()


def test_bins_brier_scores_and_calibration_error_of_an_example():
    forecasts = Forecasts(np.array([0.2, 0.4, 0.9, 1.0]), np.array([False, True, True, True]))
    low, high = forecasts.bins((0, 0.5, 1))
    assert (low.count, low.mean_probability, low.frequency) == (2, pytest.approx(0.3), 0.5)
    assert (high.count, high.mean_probability, high.frequency) == (2, pytest.approx(0.95), 1.0)
    assert low.interval[0] < 0.5 < low.interval[1]
    assert forecasts.brier_score == pytest.approx((0.04 + 0.36 + 0.01) / 4)
    assert forecasts.base_rate_brier_score == pytest.approx(0.75 * 0.25)
    assert forecasts.calibration_error((0, 0.5, 1)) == pytest.approx((2 * 0.2 + 2 * 0.05) / 4)
