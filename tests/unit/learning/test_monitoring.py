"""The state of a known pattern on new evidence."""

import numpy as np
import pytest

from agent_memory.learning.cusum import log_odds_ratio
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets, identify_patterns, match_digest
from agent_memory.learning.monitoring import DriftMonitor, claimed_log_odds, evaluate
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.model.evidence import Evidence
from benchmarks.synthetic_records import PLANTED, planted_record

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
X = "context.x=1"
MONITOR = DriftMonitor(log_odds=log_odds_ratio(0.6, 0.5), through_ms=0)


def dataset_of(daily_rates, *, seed=0, per_day=100, matching=0.3) -> Dataset:
    """Days of decisions; those with X succeed at the first of a day's two rates, the rest at the second."""
    generator = np.random.default_rng(seed)
    evidence = []
    for day, (with_x, without) in enumerate(daily_rates):
        for n in range(per_day):
            has_x = generator.random() < matching
            won = generator.random() < (with_x if has_x else without)
            at = day * DAY_MS + n * DAY_MS // per_day
            evidence.append(Evidence(f"{day}-{n}", "QUERY", at, bool(won), (X, "a=1") if has_x else ("a=1",)))
    (dataset,) = build_datasets(build_tables(evidence))
    return dataset


def state_of(dataset, monitor=MONITOR, *, features=(X,), judged_from_ms=0, final_before_ms=2**52):
    return evaluate(
        dataset,
        features,
        monitor,
        judged_from_ms=judged_from_ms,
        final_before_ms=final_before_ms,
        thresholds=PatternThresholds(),
    )


def test_a_pattern_that_ends_raises_an_alarm_and_one_that_holds_does_not():
    assert not state_of(dataset_of([(0.7, 0.5)] * 80)).has_alarm
    assert state_of(dataset_of([(0.5, 0.5)] * 80)).has_alarm


def test_a_market_in_which_everything_fails_more_often_does_not_end_a_pattern():
    falling = [(0.85, 0.7)] * 30 + [(0.55, 0.4)] * 50
    assert not any(state_of(dataset_of(falling, seed=seed)).has_alarm for seed in range(10))


@pytest.mark.slow
def test_a_warning_is_monitored_in_the_opposite_direction():
    warning = DriftMonitor(log_odds=-MONITOR.log_odds, through_ms=0)
    assert not state_of(dataset_of([(0.3, 0.5)] * 80), warning).has_alarm
    assert state_of(dataset_of([(0.5, 0.5)] * 80), warning).has_alarm
    assert state_of(dataset_of([(0.3, 0.5)] * 80), warning).confidence > 0.95


def test_a_deprecated_pattern_that_holds_again_raises_an_alarm():
    deprecated = DriftMonitor(log_odds=MONITOR.log_odds, through_ms=40 * DAY_MS, detects_return=True)
    assert state_of(dataset_of([(0.4, 0.5)] * 40 + [(0.75, 0.5)] * 20), deprecated).has_alarm
    assert not state_of(dataset_of([(0.75, 0.5)] * 40 + [(0.5, 0.5)] * 20), deprecated).has_alarm


def test_the_monitor_continues_where_it_stopped():
    dataset = dataset_of([(0.5, 0.5)] * 20)
    halfway = state_of(dataset, final_before_ms=10 * DAY_MS).monitor
    assert halfway.through_ms == 10 * DAY_MS
    at_once, continued = state_of(dataset).monitor, state_of(dataset, halfway).monitor
    assert continued == at_once
    assert continued.total > 0


def test_decisions_that_share_one_outcome_count_once():
    # Each decision is logged five times within the same minute.
    single = [(i * HOUR_MS, i % 2 == 0, (X,) if i % 3 == 0 else ()) for i in range(600)]
    evidence = [Evidence(f"{i}-{k}", "QUERY", i, won, facts) for i, won, facts in single for k in range(5)]
    (repeated,) = build_datasets(build_tables(evidence))
    (once,) = build_datasets(build_tables(evidence[::5]))
    of_repeated, of_once = state_of(repeated), state_of(once)
    effective_size = of_once.overall.matching.effective_size
    assert of_repeated.overall.matching.effective_size == pytest.approx(effective_size, rel=0.01)
    assert of_repeated.monitor.total == pytest.approx(of_once.monitor.total, rel=0.05)


def test_recent_figures_rest_most_on_the_newest_decisions():
    dataset = dataset_of([(0.9, 0.5)] * 30 + [(0.5, 0.5)] * 30)
    state = state_of(dataset, judged_from_ms=30 * DAY_MS)
    assert state.recent.matching.occurrences < 0.6 * state.overall.matching.occurrences
    assert abs(state.recent.effect) < 0.1
    state = state_of(dataset)
    assert state.recent.effect < state.overall.effect
    assert state.recent.matching.effective_size < state.overall.matching.effective_size


def test_the_state_of_a_pattern_without_decisions():
    state = state_of(dataset_of([(0.5, 0.5)] * 5), features=("context.y=1",))
    assert (state.overall.matching.occurrences, state.first_seen_ms, state.has_alarm) == (0, None, False)
    assert state.confidence == pytest.approx(0.5, abs=1e-6)


def test_combinations_that_match_the_same_decisions_have_the_same_digest():
    features = dataset_of([(0.5, 0.5)] * 3).table.features
    only_x, both, only_a = (match_digest(features.matching(one)) for one in ((X,), ("a=1", X), ("a=1",)))
    assert only_x == both
    assert only_x != only_a


@pytest.mark.parametrize("effect", [0.25, -0.25])
def test_a_pattern_claims_the_smallest_effect_that_its_interval_allows(effect):
    found = identify_patterns(planted_record(3, effect=effect)).patterns
    pattern = next(one for one in found if one.features == (PLANTED,))
    smallest = min(pattern.effect_interval, key=abs)
    assert claimed_log_odds(pattern, PatternThresholds()) == pytest.approx(
        log_odds_ratio(pattern.base_rate + smallest, pattern.base_rate)
    )
    strict = PatternThresholds(min_effect=0.4)
    rate = pattern.base_rate + np.sign(effect) * 0.4
    assert claimed_log_odds(pattern, strict) == pytest.approx(log_odds_ratio(rate, pattern.base_rate))
