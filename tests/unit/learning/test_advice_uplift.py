"""What advice earns in the worlds of `benchmarks.uplift`: one night's estimate, held for the rest of a life."""

import numpy as np
import pytest

from benchmarks.uplift import (
    advised,
    by_own_scores,
    earned,
    nightly_estimates,
    nightly_table,
    table_of,
    with_recent_results,
)
from benchmarks.uplift_worlds import CYCLES_PER_DAY, DAYS, world

NIGHT = 20


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "low", "high"), [("rules", 2.5, 9.0), ("none", -0.1, 0.1)])
def test_advice_earns_with_rules_and_costs_nothing_without(kind, low, high):
    life = world(3, kind)
    tables = dict.fromkeys(range(NIGHT, DAYS), table_of(nightly_estimates(life, [NIGHT])[NIGHT]))
    selected = advised(life, tables, np.random.default_rng(1), rule="greedy")
    over_random = earned(life, selected) - 100 * life.rates.mean(axis=1)
    assert low <= over_random[NIGHT * CYCLES_PER_DAY :].mean() <= high


@pytest.mark.slow
def test_the_benchmarks_estimates_are_those_of_the_nightly_job():
    life = world(4, "rules")
    for fast, real in zip(table_of(nightly_estimates(life, [NIGHT])[NIGHT]), nightly_table(life, NIGHT), strict=True):
        assert fast == pytest.approx(real, abs=1e-6)


@pytest.mark.slow
def test_counting_the_results_of_the_day_earns_more_than_the_estimate_of_its_beginning():
    over_estimates, over_own_scores = [], []
    for seed in range(4):
        life = world(seed, "rules")
        estimates = nightly_estimates(life, range(1, NIGHT))
        chance = np.random.default_rng(seed)
        tables = {day: table_of(one) for day, one in estimates.items()}
        by_estimates = earned(life, advised(life, tables, chance, rule="greedy"))
        by_results = earned(life, with_recent_results(life, estimates, chance))
        own = earned(life, by_own_scores(life, chance))
        days = slice(CYCLES_PER_DAY, NIGHT * CYCLES_PER_DAY)
        over_estimates.append((by_results - by_estimates)[days].mean())
        over_own_scores.append((by_results - own)[days].mean())
    assert np.mean(over_estimates) > 0
    assert np.mean(over_own_scores) > 1
