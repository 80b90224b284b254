"""How long outcomes take is learned, and what is known too one-sidedly is not promoted."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agent_memory.core.clock import DAY_MS, HOUR_MS
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets, identify_in_datasets
from agent_memory.learning.outcome_delays import (
    MAX_WAIT_MS,
    Missing,
    Side,
    hold_back,
    kaplan_meier,
    learn_delays,
    mature,
    missing_outcomes,
)
from agent_memory.model.evidence import Evidence

DAYS = 90
END_MS = DAYS * DAY_MS


def table(delay_days, *, seed=1, per_day=24, rate=lambda strategy: 0.5, end_ms=END_MS):  # noqa: ARG005
    """Decisions of 90 days with two strategies, as known at a time; `delay_days` is of strategy and success."""
    chance = random.Random(seed)
    rows = []
    for n in range(DAYS * per_day):
        at = n * DAY_MS // per_day
        strategy = chance.choice("ab")
        success = chance.random() < rate(strategy)
        days = delay_days(chance, strategy, success)
        row = Evidence(f"d-{n}", "QUERY", at, None, (f"metadata.strategy={strategy}",))
        if days is not None:
            row = row.with_results([(at + int(days * DAY_MS), success)])
        rows.append(row)
    (found,) = build_tables(known for row in rows if (known := row.known_before(end_ms)))
    return found


def promoted(found):
    delays = learn_delays(found, END_MS)
    old = mature(found, delays.mature_before_ms)
    identification = identify_in_datasets(build_datasets([old]))
    return identification.patterns, hold_back(identification, [old], [delays])


def test_outcomes_that_are_known_at_once_make_nothing_wait():
    delays = learn_delays(table(lambda *_: 0.0), END_MS)
    assert (delays.mature_before_ms, delays.without_outcome, delays.median_ms) == (END_MS, 0, 0)
    assert (delays.decisions, delays.mature) == (DAYS * 24, DAYS * 24)
    assert not delays.lateness_depends_on_result


@pytest.mark.parametrize("mean", [1, 3, 7])
def test_decisions_wait_about_as_long_as_most_outcomes_take(mean):
    delays = learn_delays(table(lambda chance, *_: chance.expovariate(1 / mean)), END_MS)
    waits = (END_MS - delays.mature_before_ms) / DAY_MS
    assert 0.5 * mean < waits <= 1.2 * mean * -np.log(0.05)
    assert 0 < delays.mature_without_outcome < 0.03 * delays.mature
    assert not delays.lateness_depends_on_result
    assert delays.sentence() is None


@given(st.lists(st.integers(0, 20), min_size=1), st.lists(st.integers(0, 20)))
def test_the_share_of_outcomes_that_have_come_is_that_of_kaplan_and_meier(delays, ages):
    at_ms, share = kaplan_meier(np.array(delays), np.array(ages, dtype=np.int64))
    expected = stats.ecdf(stats.CensoredData(uncensored=delays, right=ages)).cdf
    assert at_ms.tolist() == expected.quantiles.tolist()
    assert share == pytest.approx(expected.probabilities)


def test_outcomes_that_never_come_are_counted_and_waited_for_no_longer():
    delays = learn_delays(table(lambda chance, *_: None if chance.random() < 0.2 else 0.5), END_MS)
    assert (END_MS - delays.mature_before_ms) / DAY_MS < 1
    assert 0.15 < delays.mature_without_outcome / delays.mature < 0.25
    assert not delays.lateness_depends_on_result


def test_a_type_without_any_outcome_is_counted():
    delays = learn_delays(table(lambda *_: None), END_MS)
    assert (delays.without_outcome, delays.median_ms, delays.lateness_p_value) == (DAYS * 24, None, None)
    assert END_MS - delays.mature_before_ms <= END_MS


def test_the_wait_is_limited():
    delays = learn_delays(table(lambda chance, *_: chance.expovariate(1 / 60)), END_MS)
    assert END_MS - delays.mature_before_ms == MAX_WAIT_MS


def test_a_history_that_was_logged_at_once_is_complete():
    """Every outcome is recorded at the end of 90 days, and a day later there are a few decisions without one."""
    delays = learn_delays(table(lambda *_: 0.0), END_MS)
    rows = [Evidence(f"d-{n}", "QUERY", n * DAY_MS, True, (), known_ms=END_MS - 1) for n in range(DAYS)]
    (imported,) = build_tables(rows)
    assert learn_delays(imported, END_MS).mature_before_ms == delays.mature_before_ms == END_MS


@pytest.mark.parametrize("mean", [14, 30])
def test_lateness_that_goes_with_the_result_is_said(mean):
    found = table(lambda chance, name, success: chance.expovariate(1 / mean) if name == "a" and not success else 0.0)
    delays = learn_delays(found, END_MS)
    assert delays.lateness_depends_on_result
    assert "have no outcome" in delays.sentence()
    assert delays.as_data()["note"] == delays.sentence()
    _, kept = promoted(found)
    assert kept.patterns == ()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7])
def test_an_effect_that_missing_outcomes_could_make_up_is_not_promoted(share):
    """Losses of one strategy that never come in look like an advantage of the strategy."""
    found = table(lambda chance, name, success: None if name == "a" and not success and chance.random() < share else 0)
    plain, kept = promoted(found)
    assert kept.patterns == ()
    assert [one.pattern_id for one in kept.emerging if one in plain] == [one.pattern_id for one in plain]


def test_a_rare_fact_may_lack_its_losses_although_hardly_any_outcome_is_missing():
    """Of 90 decisions of one strategy 28 losses are missing: 0.2 % of the type's outcomes."""
    rows = [
        Evidence(f"d-{n}", "QUERY", n * HOUR_MS // 6, n % 2 == 0, (f"metadata.strategy={'a' if n % 144 < 1 else 'b'}",))
        for n in range(DAYS * 144)
    ]
    chance, rare = random.Random(4), 0
    for n, row in enumerate(rows):
        if row.features == ("metadata.strategy=a",):
            rare += 1
            success = None if rare % 3 == 0 else chance.random() < 0.9
            rows[n] = replace(row, success=success)
    (found,) = build_tables(rows)
    delays = learn_delays(found, END_MS)
    assert delays.is_complete
    plain, kept = promoted(found)
    assert [one.features for one in plain] == [("metadata.strategy=a",)]
    assert kept.patterns == ()


def test_lateness_that_goes_with_the_result_in_opposite_ways_is_found_on_each_side():
    """Successes of one strategy and failures of the other come at once, all else late: no sum of all shows it."""
    found = table(lambda chance, name, success: 0.0 if (name == "a") is success else chance.expovariate(1 / 90))
    assert not learn_delays(found, END_MS).lateness_depends_on_result
    plain, kept = promoted(found)
    assert plain
    assert kept.patterns == ()


def amended_table(amendment_days, rate):
    """Decisions whose outcomes are known at once, and amended after the days of `amendment_days`, if any."""
    chance, rows = random.Random(2), []
    for n in range(DAYS * 48):
        at = n * DAY_MS // 48
        strategy = "a" if chance.random() < 0.1 else "b"
        success = chance.random() < rate(strategy)
        days = amendment_days(strategy, success)
        earlier = () if days is None else ((at, not success),)
        known = at + int((days or 0) * DAY_MS)
        rows.append(
            Evidence(f"d-{n}", "QUERY", at, success, (f"metadata.strategy={strategy}",), known, earlier=earlier)
        )
    (found,) = build_tables(known for row in rows if (known := row.known_before(END_MS)))
    return found


def test_decisions_wait_until_outcomes_are_no_longer_amended():
    """Losses of a rare strategy are gains for their first 40 days."""
    found = amended_table(lambda name, success: 40 if name == "a" and not success else None, lambda _: 0.5)
    assert identify_in_datasets(build_datasets([found])).patterns
    assert END_MS - learn_delays(found, END_MS).mature_before_ms == 40 * DAY_MS
    _, kept = promoted(found)
    assert kept.patterns == ()


def test_a_few_amendments_make_nothing_wait():
    chance = random.Random(6)
    found = amended_table(lambda *_: 20 if chance.random() < 0.003 else None, lambda name: 0.8 if name == "a" else 0.5)
    assert learn_delays(found, END_MS).mature_before_ms == END_MS
    _, kept = promoted(found)
    assert [one.features for one in kept.patterns] == [("metadata.strategy=a",)]


def test_a_true_effect_is_promoted_although_outcomes_are_missing():
    found = table(
        lambda chance, *_: None if chance.random() < 0.1 else chance.expovariate(0.3),
        rate=lambda strategy: 0.65 if strategy == "a" else 0.45,
    )
    _, kept = promoted(found)
    assert {one.features for one in kept.patterns} & {("metadata.strategy=a",), ("metadata.strategy=b",)}


def test_a_success_rate_that_changes_is_not_taken_for_lateness():
    """Younger outcomes have had less time, and are better here; delays do not depend on the result."""
    chance = random.Random(3)
    rows = []
    for n in range(4_000):
        at = n * END_MS // 4_000
        known = at + int(chance.expovariate(1 / 10) * DAY_MS)
        success = chance.random() < (0.2 if at < END_MS / 2 else 0.8)
        rows.append(Evidence(f"d-{n}", "QUERY", at, success, (), known_ms=known))
    (found,) = build_tables(known for row in rows if (known := row.known_before(END_MS)))
    assert learn_delays(found, END_MS).lateness_p_value > 0.001


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_the_test_of_lateness_is_that_of_van_elteren(decisions):
    """On one day it is the test of Wilcoxon, Mann and Whitney without its correction for continuity."""
    (found,) = build_tables(
        Evidence(f"d-{n}", "QUERY", day * DAY_MS, success, (), known_ms=day * DAY_MS + hours * HOUR_MS)
        for n, (day, hours, success) in enumerate(decisions)
    )
    actual = learn_delays(found, END_MS).lateness_p_value
    total = variance = 0.0
    for day in {one[0] for one in decisions}:
        hours = np.array([one[1] for one in decisions if one[0] == day])
        failed = np.array([not one[2] for one in decisions if one[0] == day])
        n, failures = len(hours), failed.sum()
        ranks = stats.rankdata(hours)
        if 0 < failures < n:
            total += (ranks[failed].sum() - failures * (n + 1) / 2) / (n + 1)
            variance += failures * (n - failures) / n * ranks.var(ddof=1) / (n + 1) ** 2
    expected = None if variance == 0 else 2 * stats.norm.sf(abs(total) / variance**0.5)
    assert actual == (expected if expected is None else pytest.approx(expected, abs=1e-9))


@given(
    st.lists(st.tuples(st.integers(0, 9), st.none() | st.booleans(), st.booleans()), min_size=1, max_size=30),
    st.integers(0, 10),
)
def test_mature_decisions_are_those_before_a_time(decisions, before):
    rows = [
        Evidence(f"d-{n}", "QUERY", at, success, ("a=1",) if has else ("b=1",), question="q" * (n % 3))
        for n, (at, success, has) in enumerate(decisions)
    ]
    (found,) = build_tables(rows)
    kept = mature(found, before)
    old = [row for row in rows if row.timestamp_ms < before]
    assert kept.success.tolist() == [
        success for _, success in sorted((row.timestamp_ms, row.success) for row in old if row.success is not None)
    ]
    assert len(kept.pending) == sum(row.success is None for row in old)
    missing = missing_outcomes(kept, ["a=1"])
    for side, has in ((missing.matching, True), (missing.rest, False)):
        rows_of_side = [row for row in old if (row.features == ("a=1",)) is has]
        without = [row for row in rows_of_side if row.success is None]
        assert side == Side(len(rows_of_side), len(without), sum(row.success is True for row in rows_of_side))
    for part in (kept, kept.pending):
        assert len(part) == len(part.question_codes) == len(part.cluster_codes) == part.features.decisions


@pytest.mark.parametrize(
    ("matching", "rest", "effect", "explained"),
    [
        (Side(100, 0, 70), Side(900, 0, 450), 0.2, False),  # nothing is missing
        (Side(1_000, 500, 500), Side(1_000, 0, 500), 0.5, True),  # no loss was recorded
        (Side(1_000, 500, 500), Side(3_000, 500, 1_500), 0.4, True),  # the rest lacks some losses too
        (Side(1_000, 100, 600), Side(1_000, 100, 400), 0.22, False),  # as many on both sides
        (Side(1_000, 500, 0), Side(1_000, 0, 500), -0.5, True),  # no win was recorded
        (Side(1_000, 100, 300), Side(1_000, 0, 700), -0.36, False),  # too few are missing for this
    ],
)
def test_an_effect_has_to_remain_with_whatever_is_missing(matching, rest, effect, explained):
    assert Missing(matching, rest).explain(effect) is explained


def test_delays_of_decisions_that_were_logged_later_do_not_count():
    rows = [Evidence(f"d-{n}", "QUERY", n * DAY_MS, True, (), known_ms=n * DAY_MS) for n in range(DAYS)]
    late = replace(rows[0], known_ms=80 * DAY_MS, earlier=((80 * DAY_MS, None),))
    (found,) = build_tables([late, *rows[1:]])
    assert found.logged_ms[0] == 80 * DAY_MS
    assert learn_delays(found, END_MS).median_ms == 0
