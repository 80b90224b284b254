"""How a known pattern stands on new evidence."""

import numpy as np
import pytest

from agent_memory.learning.change import log_odds_ratio
from agent_memory.learning.discovery import Record
from agent_memory.learning.following import Watch, follow, least_log_odds, population_of
from agent_memory.learning.patterns import PatternThresholds, identify_patterns, records_of
from agent_memory.learning.tables import tables_of
from agent_memory.model.evidence import Evidence
from benchmarks.worlds import PLANTED, planted_world

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
X = "context.x=1"
WATCH = Watch(log_odds=log_odds_ratio(0.6, 0.5), through_ms=0)


def record_of(rates, *, seed=0, per_day=100, matching=0.3) -> Record:
    """Days of decisions; those with X succeed at the first of a day's two rates, the rest at the second."""
    generator = np.random.default_rng(seed)
    evidence = []
    for day, (with_x, without) in enumerate(rates):
        for n in range(per_day):
            has_x = generator.random() < matching
            won = generator.random() < (with_x if has_x else without)
            at = day * DAY_MS + n * DAY_MS // per_day
            evidence.append(Evidence(f"{day}-{n}", "QUERY", at, bool(won), (X, "a=1") if has_x else ("a=1",)))
    (record,) = records_of(tables_of(evidence))
    return record


def standing(record, watch=WATCH, *, features=(X,), judged_from_ms=0, settled_ms=2**52):
    return follow(
        record,
        features,
        watch,
        judged_from_ms=judged_from_ms,
        settled_ms=settled_ms,
        thresholds=PatternThresholds(),
    )


def test_what_holds_raises_no_alarm_and_what_ends_does():
    assert not standing(record_of([(0.7, 0.5)] * 80)).has_alarm
    assert standing(record_of([(0.5, 0.5)] * 80)).has_alarm


def test_a_market_in_which_everything_fails_more_often_is_not_the_pattern_s_end():
    falling = [(0.85, 0.7)] * 30 + [(0.55, 0.4)] * 50
    assert not any(standing(record_of(falling, seed=seed)).has_alarm for seed in range(10))


def test_a_warning_is_watched_the_other_way_round():
    warning = Watch(log_odds=-WATCH.log_odds, through_ms=0)
    assert not standing(record_of([(0.3, 0.5)] * 80), warning).has_alarm
    assert standing(record_of([(0.5, 0.5)] * 80), warning).has_alarm
    assert standing(record_of([(0.3, 0.5)] * 80), warning).confidence > 0.99


def test_what_comes_back_raises_an_alarm_on_a_watch_for_return():
    gone = Watch(log_odds=WATCH.log_odds, through_ms=40 * DAY_MS, for_return=True)
    assert standing(record_of([(0.4, 0.5)] * 40 + [(0.75, 0.5)] * 20), gone).has_alarm
    assert not standing(record_of([(0.75, 0.5)] * 40 + [(0.5, 0.5)] * 20), gone).has_alarm


def test_the_watch_goes_on_where_it_stopped():
    record = record_of([(0.5, 0.5)] * 20)
    halfway = standing(record, settled_ms=10 * DAY_MS).watch
    assert halfway.through_ms == 10 * DAY_MS
    at_once, later = standing(record).watch, standing(record, halfway).watch
    assert later == at_once
    assert later.total > 0


def test_decisions_that_share_one_outcome_count_once():
    # Each decision logged five times over in the same minute.
    single = [(i * HOUR_MS, i % 2 == 0, (X,) if i % 3 == 0 else ()) for i in range(600)]
    evidence = [Evidence(f"{i}-{k}", "QUERY", i, won, facts) for i, won, facts in single for k in range(5)]
    (repeated,) = records_of(tables_of(evidence))
    (once,) = records_of(tables_of(evidence[::5]))
    ours, theirs = standing(repeated), standing(once)
    assert ours.whole.matching.effective == pytest.approx(theirs.whole.matching.effective, rel=0.01)
    assert ours.watch.total == pytest.approx(theirs.watch.total, rel=0.05)


def test_confidence_rests_on_the_decisions_from_a_time_on_and_on_the_newest_most():
    record = record_of([(0.9, 0.5)] * 30 + [(0.5, 0.5)] * 30)
    lately = standing(record, judged_from_ms=30 * DAY_MS)
    assert lately.recent.matching.occurrences < 0.6 * lately.whole.matching.occurrences
    assert abs(lately.recent.effect) < 0.1
    overall = standing(record)
    assert overall.recent.effect < overall.whole.effect
    assert overall.recent.matching.effective < overall.whole.matching.effective


def test_a_pattern_without_decisions_stands_nowhere():
    nowhere = standing(record_of([(0.5, 0.5)] * 5), features=("context.y=1",))
    assert (nowhere.whole.matching.occurrences, nowhere.first_seen_ms, nowhere.has_alarm) == (0, None, False)
    assert nowhere.confidence == pytest.approx(0.5, abs=1e-6)


def test_two_wordings_of_the_same_decisions_are_one_population():
    record = record_of([(0.5, 0.5)] * 3)
    assert population_of(record, (X,)) == population_of(record, ("a=1", X))
    assert population_of(record, (X,)) != population_of(record, ("a=1",))


@pytest.mark.parametrize("effect", [0.25, -0.25])
def test_a_pattern_is_held_to_the_least_effect_that_its_interval_leaves(effect):
    found = identify_patterns(planted_world(3, effect=effect)).patterns
    pattern = next(one for one in found if one.features == (PLANTED,))
    nearest_none = min(pattern.effect_interval, key=abs)
    assert least_log_odds(pattern, PatternThresholds()) == pytest.approx(
        log_odds_ratio(pattern.base_rate + nearest_none, pattern.base_rate)
    )
    strict = PatternThresholds(min_effect=0.4)
    held_to = pattern.base_rate + np.sign(effect) * 0.4
    assert least_log_odds(pattern, strict) == pytest.approx(log_odds_ratio(held_to, pattern.base_rate))
