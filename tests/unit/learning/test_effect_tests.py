"""Tests of effects against another implementation, and what they do with correlated outcomes."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.clusters import Clustering
from agent_memory.learning.effect_tests import NO_EFFECT, Cells, EffectTests


def clustering(labels, window_ms=None, *, is_by_facts=False):
    return Clustering(np.asarray(labels, dtype=np.int32), 1 + int(max(labels)), window_ms, is_by_facts)


def effects_in(success, clusterings=(), questions=None, given_facts=()):
    questions = np.zeros(len(success), dtype=np.int32) if questions is None else questions
    return EffectTests(success, clusterings, Cells.build(questions, given_facts))


def draw(seed, count=2_000, questions=3):
    """Outcomes that depend on the question, on a given fact and on whether a decision matches."""
    generator = np.random.default_rng(seed)
    asked = generator.integers(questions, size=count).astype(np.int32)
    fact = generator.random(count) < 0.3 + 0.1 * asked
    matching = generator.random(count) < 0.2 + 0.3 * fact
    success = generator.random(count) < 0.3 + 0.1 * asked + 0.2 * fact + 0.1 * matching
    return success, asked, fact, matching


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_effect_and_p_value_are_those_of_a_regression(seed):
    success, asked, fact, matching = draw(seed)
    columns = np.column_stack([matching, *(asked == one for one in range(3)), fact]).astype(float)
    fitted = sm.OLS(success.astype(float), columns).fit(cov_type="HC0")
    expected = 2 * stats.t.sf(abs(fitted.params[0] / fitted.bse[0]), len(success) - 2)
    result = effects_in(success, questions=asked, given_facts=[fact]).test(matching)
    assert result.effect == pytest.approx(fitted.params[0], abs=1e-9)
    assert result.p_value == pytest.approx(expected, rel=1e-6)
    assert result.design_effect == 1.0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_complement_has_the_opposite_effect(seed):
    success, asked, _, matching = draw(seed)
    clusters = clustering(np.arange(len(success)) // 20, 1)
    tests = effects_in(success, [clusters], questions=asked)
    one, other = tests.test(matching), tests.test(~matching)
    assert other.effect == pytest.approx(-one.effect)
    assert other.p_value == pytest.approx(one.p_value, rel=0.2, abs=1e-12)


@pytest.mark.parametrize("days", [1, 2, 7, 8, 60])
def test_a_record_of_a_few_days_has_no_more_degrees_of_freedom_than_eight_days(days):
    generator = np.random.default_rng(3)
    matching, success = generator.random(6_000) < 0.3, generator.random(6_000) < 0.5
    day = clustering(np.arange(6_000) * days // 6_000, DAY_MS)
    result = effects_in(success, [day]).test(matching)
    assert result.degrees_of_freedom == max(days - 1, 7)


def test_copies_count_once():
    generator = np.random.default_rng(5)
    matching, success = generator.random(400) < 0.3, generator.random(400) < 0.5
    once = effects_in(success).test(matching)
    copies = [np.repeat(one, 6) for one in (matching, success, np.arange(400))]
    result = effects_in(copies[1], [clustering(copies[2])]).test(copies[0])
    assert result.effect == pytest.approx(once.effect)
    assert result.design_effect == pytest.approx(6, rel=0.1)
    assert result.p_value == pytest.approx(once.p_value, rel=0.25)


def design_effects_among_few_facts(copies):
    """Of two facts that have an effect together: by clusters of the same facts, and by the same ones as any others."""
    generator = np.random.default_rng(8)
    facts = np.repeat(generator.random((8, 2_400 // copies)) < 0.5, copies, axis=1)
    matching = facts[0] & facts[1]
    success = np.repeat(generator.random(2_400 // copies), copies) < 0.45 + 0.35 * matching
    weeks = np.arange(2_400) * 12 // 2_400
    sets = np.unique(np.vstack([facts[:4], weeks]), axis=1, return_inverse=True)[1]
    for is_by_facts in (True, False):
        tests = effects_in(success, [clustering(sets, is_by_facts=is_by_facts)])
        tests.calibrate({f"fact_{n}=yes": one for n, one in enumerate(facts)})
        yield tests.test(matching).design_effect


def test_an_effect_is_no_correlation_of_decisions_with_the_same_facts():
    """On others, and on each of its facts alone, it looks like luck that those decisions share."""
    by_facts, otherwise = design_effects_among_few_facts(copies=1)
    assert by_facts < 1.5
    assert otherwise > 1.8


def test_without_clusters_the_design_effect_is_1():
    success, _, _, matching = draw(9)
    tests = effects_in(success)
    tests.calibrate({f"fact_{n}=yes": np.roll(matching, n) for n in range(10)})
    assert tests.test(matching).design_effect == 1


def test_copies_with_the_same_facts_count_once_whatever_their_effect():
    by_facts, _ = design_effects_among_few_facts(copies=4)
    assert by_facts > 3


def test_luck_that_all_share_does_not_count_against_a_fact_that_is_spread_evenly():
    generator = np.random.default_rng(6)
    days = np.repeat(np.arange(60), 50)
    rate = np.repeat(generator.uniform(0.2, 0.8, size=60), 50)
    evenly, for_days = generator.random(3_000) < 0.3, np.repeat(generator.random(60) < 0.3, 50)
    success = generator.random(3_000) < rate
    tests = effects_in(success, [clustering(days, 86_400_000)])
    assert tests.test(evenly).design_effect < 1.6
    assert tests.test(for_days).design_effect > 5


def days(*lengths, count):
    """Windows of these numbers of days; a decision an hour."""
    return [clustering(np.arange(count) // (24 * length), length * 86_400_000) for length in lengths]


def lasting(generator, count, hours, share=0.3):
    """Whether a state holds in each hour, which is drawn anew after so many hours on average."""
    drawn = generator.random(count) < share
    begins = np.where(generator.random(count) < 1 / hours, np.arange(count), 0)
    return drawn[np.maximum.accumulate(begins)]


def test_short_regimes_are_tested_with_daily_clusters():
    generator = np.random.default_rng(8)
    matching = lasting(generator, 2_400, hours=5)
    success = generator.random(2_400) < 0.45 + 0.25 * matching
    result = effects_in(success, days(1, 2, 4, 8, 16, count=2_400)).test(matching)
    assert result.degrees_of_freedom > 30
    assert result.p_value < 1e-6


def test_long_regimes_are_tested_with_weekly_clusters():
    generator = np.random.default_rng(9)
    matching = lasting(generator, 2_400, hours=168)
    success = generator.random(2_400) < 0.45 + 0.25 * matching
    result = effects_in(success, days(1, 2, 4, 8, 16, count=2_400)).test(matching)
    assert result.degrees_of_freedom < 15
    assert result.design_effect > 2


@pytest.mark.parametrize(("luck_hours", "lasts"), [(1, False), (120, True)])
def test_luck_of_symbols_of_their_own_counts_against_each_of_them(luck_hours, lasts):
    """Each symbol's rate of success is drawn anew every few days; on average all are alike."""
    generator = np.random.default_rng(10)
    hours = np.arange(2_400)
    rates = generator.uniform(0.2, 0.8, size=(2_400, 4))[hours // luck_hours]
    symbol = generator.integers(4, size=2_400)
    success = generator.random(2_400) < rates[hours, symbol]
    tests = effects_in(success, days(1, 2, 4, 8, 16, count=2_400))
    tests.calibrate({f"context.symbol={n}": symbol == n for n in range(4)})
    alone, of_key = (tests.test(symbol == 1, keys=keys) for keys in ((), ("context.symbol",)))
    assert (of_key.design_effect > 1.3 * alone.design_effect) is lasts
    assert (of_key.p_value > alone.p_value) is lasts
    assert of_key.shared_design_effect == alone.shared_design_effect


@pytest.mark.parametrize(("fact_hours", "luck_hours"), [(6, 240), (24, 48), (72, 72)])
def test_false_positive_rate_with_autocorrelated_facts_and_outcomes(fact_hours, luck_hours):
    generator = np.random.default_rng(10)
    below = 0
    for _ in range(200):
        matching, is_lucky = (lasting(generator, 2_400, hours) for hours in (fact_hours, luck_hours))
        success = generator.random(2_400) < 0.4 + 0.3 * is_lucky
        below += effects_in(success, days(1, 2, 4, 8, 16, count=2_400)).test(matching).p_value < 0.05
    assert below <= 20


def test_p_values_are_uniform_at_most_where_outcomes_are_shared():
    generator = np.random.default_rng(7)
    labels = np.repeat(np.arange(150), 8)
    below = 0
    for _ in range(200):
        success, matching = (np.repeat(generator.random(150) < share, 8) for share in (0.5, 0.3))
        below += effects_in(success, [clustering(labels)]).test(matching).p_value < 0.05
    assert below <= 20


def test_without_comparable_decisions_there_is_no_effect():
    success = np.array([True, False] * 50)
    questions = np.repeat([0, 1], 50).astype(np.int32)
    assert effects_in(success, questions=questions).test(questions == 1) == NO_EFFECT
    assert effects_in(success).test(np.zeros(100, dtype=bool)) == NO_EFFECT
    assert effects_in(success).test(np.ones(100, dtype=bool)) == NO_EFFECT


def test_a_rare_failure_is_tested_exactly():
    success = np.ones(2_000, dtype=bool)
    success[:20] = False
    matching = np.zeros(2_000, dtype=bool)
    matching[100:140] = True
    # None of 40 failed, of the others 1 %: t would call that certain, as a rate of 0 has no variance.
    assert effects_in(success).test(matching).p_value == 1.0


def test_few_comparable_decisions_beside_a_given_fact_are_tested_exactly():
    """Nearly all that have the given fact have the other one too: of the ten that lack it, all may have succeeded."""
    significant = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        given_fact, fact = generator.random(3_000) < 0.1, generator.random(3_000) < 0.965
        success = generator.random(3_000) < np.where(given_fact, 0.85, 0.6)
        tests = EffectTests(success, [], Cells.build(np.zeros(3_000, dtype=np.int32), [given_fact]))
        significant += tests.test(given_fact & fact).p_value < 0.01
    assert significant <= 3


def test_luck_is_expected_to_last_as_long_as_outcomes_take():
    """Of two sides one gains what the other loses for a week, which a dozen weeks do not show."""
    generator = np.random.default_rng(9)
    days, per_day = 84, 10
    luck = np.repeat(generator.choice([0.42, 0.58], size=days // 7), 7 * per_day)
    is_long = generator.random(days * per_day) < 0.5
    success = generator.random(days * per_day) < np.where(is_long, luck, 1 - luck)
    windows = [clustering(np.arange(days * per_day) // (per_day * n), n * DAY_MS) for n in (1, 2, 4, 8)]
    facts = {"reasoning.side=long": is_long, "reasoning.side=short": ~is_long}

    def tested(outcomes_take_ms):
        tests = effects_in(success, windows)
        tests.calibrate(facts, outcomes_take_ms=outcomes_take_ms)
        return tests.test(is_long, keys=["reasoning.side"])

    at_once, within_a_day, days_later = map(tested, (0.0, DAY_MS, 3 * DAY_MS))
    assert at_once == within_a_day
    week_later = tested(7 * DAY_MS)
    assert at_once.design_effect <= days_later.design_effect < week_later.design_effect
    assert week_later.degrees_of_freedom == 10  # of windows of eight days
    assert week_later.p_value > at_once.p_value
