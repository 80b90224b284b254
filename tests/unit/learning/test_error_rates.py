"""How often true effects are found and chance is mistaken for an effect: the rates that docs/decisions states."""

import math
from collections.abc import Iterable

import numpy as np
import pytest

from agent_memory.learning import dataset
from agent_memory.learning.identification import identify_patterns
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.model.evidence import Evidence
from benchmarks.calibration import PROBABILITY_BINS, synthetic_forecasts
from benchmarks.monitoring import simulate_monitoring
from benchmarks.synthetic_records import (
    LASTING,
    PLANTED,
    cycles_record,
    null_record,
    permute_outcomes,
    planted_record,
    regimes_record,
)


def count_with_patterns(records: Iterable[list[Evidence]], thresholds: PatternThresholds | None = None) -> int:
    """Count the records in which any pattern is identified."""
    chosen = thresholds or PatternThresholds()
    return sum(bool(identify_patterns(record, chosen).patterns) for record in records)


def count_with_planted(records: Iterable[list[Evidence]]) -> int:
    """Count the records in which the planted feature itself is identified."""
    return sum(
        any(pattern.features == (PLANTED,) for pattern in identify_patterns(record).patterns) for record in records
    )


@pytest.mark.slow
def test_no_pattern_is_found_in_chance():
    assert count_with_patterns(null_record(seed) for seed in range(10)) == 0


@pytest.mark.slow
def test_no_pattern_is_found_in_fifty_records_of_chance():
    assert count_with_patterns(null_record(seed) for seed in range(50)) <= 2


@pytest.mark.slow
def test_patterns_are_found_in_at_most_ten_of_two_hundred_permuted_records():
    record = planted_record(1, count=3_000, planted=600, effect=0.3)
    assert count_with_planted([record]) == 1
    assert count_with_patterns(permute_outcomes(record, seed) for seed in range(200)) <= 10


@pytest.mark.slow
def test_fifteen_points_are_found():
    assert count_with_planted(planted_record(seed) for seed in range(5)) >= 4


@pytest.mark.slow
def test_fifteen_points_are_found_in_nine_of_ten_records():
    assert count_with_planted(planted_record(seed) for seed in range(30)) >= 27


def test_an_effect_that_ended_is_not_found():
    assert count_with_patterns(planted_record(seed, effect=0.2, until=0.7) for seed in range(100, 105)) == 0


@pytest.mark.slow
def test_an_effect_that_ended_is_rarely_found():
    records = [planted_record(seed, effect=0.2, until=0.7) for seed in range(40)]
    assert count_with_patterns(records) <= 6


def test_decisions_that_share_one_outcome_count_once():
    assert count_with_patterns(cycles_record(seed) for seed in range(5)) == 0


@pytest.mark.slow
def test_decisions_that_share_one_outcome_count_once_in_many_records(monkeypatch):
    records = [cycles_record(seed) for seed in range(20)]
    assert count_with_patterns(records) <= 1
    # Without any clusters the same records do mislead, which shows that the assertion above is not vacuous.
    monkeypatch.setattr(dataset, "clusterings", lambda *_: ())
    assert count_with_patterns(records) >= 5


@pytest.mark.slow
def test_persistent_regimes_are_not_mistaken_for_effects():
    records = [regimes_record(seed) for seed in range(15)]
    assert count_with_patterns(records) <= 1
    assert count_with_patterns(records, PatternThresholds(correlation_windows_ms=(60_000,))) >= 4


@pytest.mark.slow
@pytest.mark.parametrize(("dwell_hours", "least"), [(6, 5), (24, 4)])
def test_effects_of_persistent_facts_are_found(dwell_hours, least):
    found = [
        [one.features for one in identify_patterns(record).patterns]
        for record in (
            regimes_record(seed, dwell_hours=dwell_hours, spread=0.1, market_effect=0.15) for seed in range(6)
        )
    ]
    assert sum((LASTING,) in features for features in found) >= least


@pytest.mark.slow
def test_small_and_rare_effects_are_found_sometimes():
    # Not guaranteed; this notices if detection gets worse. See the table in docs/decisions.
    assert count_with_planted(planted_record(seed, effect=0.10) for seed in range(30)) >= 6
    assert count_with_planted(planted_record(seed, count=3_000, planted=300) for seed in range(30)) >= 6


@pytest.mark.slow
def test_confidence_is_not_above_how_often_the_direction_is_right():
    stated, is_right = [], []
    for seed in range(40):
        for pattern in identify_patterns(planted_record(seed, effect=0.12)).patterns:
            stated.append(pattern.confidence)
            is_right.append((pattern.effect > 0) == (pattern.features == (PLANTED,)))
    assert len(stated) >= 30
    assert np.mean(is_right) >= np.mean(stated) - 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("mean_days", "max_error"), [(60, 0.2), (150, 0.1), (math.inf, 0.13)])
def test_confidence_is_calibrated_about_as_well_as_the_mean_duration_is_known(mean_days, max_error):
    assert synthetic_forecasts(1, 400, mean_days=mean_days).calibration_error(PROBABILITY_BINS) < max_error


@pytest.mark.slow
def test_confidence_is_better_than_the_base_rate_and_right_where_it_is_high():
    forecasts = synthetic_forecasts(1, 2_000, mean_days=150)
    assert forecasts.brier_score < 0.5 * forecasts.base_rate_brier_score
    # Below, it is too high where effects end once and do not return: the model expects that they may.
    [highest] = forecasts.bins((0.9, 1.0))
    assert highest.mean_probability == pytest.approx(highest.frequency, abs=0.03)


@pytest.mark.slow
def test_a_pattern_that_reverses_is_deprecated_in_time_and_one_that_holds_is_not():
    reversed_effects = [simulate_monitoring(seed, rate=0.4) for seed in range(30)]
    delays = [(one.decisions_to_alarm, one.delay_bound) for one in reversed_effects if one is not None]
    assert len(delays) >= 27
    assert np.mean([delay <= bound for delay, bound in delays]) >= 0.95
    persistent = [simulate_monitoring(seed, rate=0.7) for seed in range(30)]
    assert sum(one.decisions_to_alarm < np.inf for one in persistent if one is not None) <= 1
