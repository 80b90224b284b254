"""The probability that an effect still lasts."""

from itertools import product

import numpy as np
import pytest

from agent_memory.learning import persistence
from agent_memory.learning.cusum import log_likelihood_ratios
from agent_memory.learning.persistence import probability_of_lasting, question_rates, same_day_rates

DAY_MS = 86_400_000
DURATION_MS = 100 * DAY_MS


def probability(daily_rates, *, per_day=20, seed=0, base=0.5, is_better=True, weight=1.0, idle_days=0):
    generator = np.random.default_rng(seed)
    success = np.concatenate([generator.random(per_day) < rate for rate in daily_rates])
    times = np.repeat(np.arange(len(daily_rates)), per_day) * DAY_MS
    return probability_of_lasting(
        times,
        success,
        np.full(len(success), base),
        is_better=is_better,
        weight=weight,
        now_ms=int(times[-1]) + idle_days * DAY_MS,
        mean_duration_ms=DURATION_MS,
    )


def test_an_effect_that_lasts_is_nearly_certain_and_never_quite():
    assert 0.97 < probability([0.7] * 60) < 1.0


def test_an_effect_that_has_ended_is_given_up_within_two_weeks():
    assert probability([0.7] * 60 + [0.5] * 14) < 0.1


def test_an_effect_that_has_begun_is_believed():
    assert probability([0.5] * 60 + [0.7] * 20) > 0.9


def test_a_warning_is_an_effect_too():
    assert probability([0.3] * 60, is_better=False) > 0.97
    assert probability([0.3] * 60, is_better=True) < 0.05


def test_certainty_fades_while_nothing_is_known():
    fading = [probability([0.7] * 60, idle_days=days) for days in (0, 10, 50, 1_000)]
    assert fading == sorted(fading, reverse=True)
    assert fading[-1] == pytest.approx(0.5, abs=0.01)


def test_correlated_outcomes_say_less():
    assert probability([0.6] * 10, weight=0.1) < probability([0.6] * 10)


def test_it_is_the_sum_over_all_histories(monkeypatch):
    """Each history of six days is weighed on its own."""
    monkeypatch.setattr(persistence, "_SIZES", np.array([0.4, 1.0]))
    monkeypatch.setattr(persistence, "_LOG_PRIOR", np.log([0.3, 0.7]))
    success = np.array([True, True, False, True, True, False, True, True, True])
    days = np.array([0, 0, 1, 1, 2, 4, 4, 5, 7])
    base = np.linspace(0.4, 0.6, len(days))
    observed = np.unique(days)
    gaps = np.append(np.diff(observed), 9 - observed[-1])
    change = (1 - np.exp(-2 * gaps * DAY_MS / DURATION_MS)) / 2
    lasting = total = 0.0
    for size, prior in ((0.4, 0.3), (1.0, 0.7)):
        ratios = -log_likelihood_ratios(success, base, size)
        for states in product((0, 1), repeat=len(observed) + 1):
            odds = prior * 0.5
            for n, day in enumerate(observed):
                odds *= np.exp(states[n] * ratios[days == day].sum())
                odds *= change[n] if states[n] != states[n + 1] else 1 - change[n]
            total += odds
            lasting += odds * states[-1]
    found = probability_of_lasting(
        days * DAY_MS, success, base, is_better=True, weight=1.0, now_ms=9 * DAY_MS, mean_duration_ms=DURATION_MS
    )
    assert found == pytest.approx(lasting / total, rel=1e-9)


def test_the_rate_of_the_rest_is_that_of_its_question_and_day():
    generator = np.random.default_rng(1)
    count = 60_000
    times = np.sort(generator.integers(30 * DAY_MS, size=count))
    questions = generator.integers(2, size=count).astype(np.int32)
    matching = generator.random(count) < 0.2
    by_day = generator.uniform(-0.15, 0.15, size=30)[times // DAY_MS]
    expected = 0.3 + 0.4 * questions + by_day
    success = generator.random(count) < expected
    rates = same_day_rates(times, success, matching, questions)
    assert np.mean(np.abs(rates - expected[matching])) < 0.02
    assert question_rates(success, ~matching, questions) == pytest.approx([0.3, 0.7], abs=0.03)
