"""What memory earns is estimated within strata and by unit, with an interval that holds at every night at once."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.confidence_sequences import always_valid_interval
from agent_memory.learning.uplift import (
    Arm,
    Observation,
    Stratum,
    paired_uplift,
    pooled_pairs,
    randomized_uplift,
)
from benchmarks.experiments import Lives, days_until_found, share_found


@pytest.mark.slow
def test_null_experiments_exclude_zero_on_any_day_in_at_most_5_percent():
    assert share_found(days_until_found(Lives(60, 90, 0.58, 0.0))) <= 0.05


@pytest.mark.slow
def test_three_points_pooled_over_eight_agents_are_found_within_60_nights():
    assert share_found(days_until_found(Lives(60, 60, 0.58, 0.03))) >= 0.8


@given(st.floats(-1, 1), st.floats(1e-7, 1), st.floats(0.1, 1))
def test_an_interval_has_the_estimate_and_narrows_with_its_variance(estimate, variance, scale):
    low, high = always_valid_interval(estimate, variance, scale)
    assert low < estimate < high
    assert high - estimate > estimate - low  # less of the error rate is spent above
    narrower = always_valid_interval(estimate, variance / 4, scale)
    assert low < narrower[0]
    assert narrower[1] < high


@given(st.floats(-1, 1), st.floats(1e-6, 1), st.floats(0.1, 1), st.floats(0.001, 1000))
def test_the_interval_does_not_depend_on_the_unit_of_the_outcome(estimate, variance, scale, factor):
    plain = always_valid_interval(estimate, variance, scale)
    scaled = always_valid_interval(estimate * factor, variance * factor**2, scale * factor)
    assert scaled == pytest.approx(tuple(limit * factor for limit in plain), rel=1e-6, abs=1e-9 * factor)


def test_copies_of_a_decision_in_its_unit_say_no_more_than_one():
    chance = random.Random(1)
    once = [Observation(f"c{n}", n % 2 == 0, float(chance.random() < 0.5)) for n in range(200)]
    copied = [one for one in once for _ in range(5)]
    plain, repeated = randomized_uplift([Stratum.of(once)]), randomized_uplift([Stratum.of(copied)])
    assert repeated.difference == pytest.approx(plain.difference)
    assert repeated.interval == pytest.approx(plain.interval)


def test_agents_of_unequal_success_are_compared_within_themselves():
    """Pooled without strata, the agent that has more memory would make it look good."""
    chance = random.Random(4)
    good = [Observation(f"g{n}", n % 10 == 0, float(chance.random() < 0.9)) for n in range(2_000)]
    poor = [Observation(f"p{n}", n % 10 != 0, float(chance.random() < 0.1)) for n in range(2_000)]
    assert abs(randomized_uplift([Stratum.of([*good, *poor])]).difference) > 0.5
    pooled = randomized_uplift([Stratum.of(good), Stratum.of(poor)])
    assert abs(pooled.difference) < 0.05


@pytest.mark.parametrize("units", [0, 1, 2, 29])
def test_no_interval_is_stated_for_a_few_units(units):
    observations = [Observation(f"c{n}", n % 2 == 0, float(n % 3 == 0)) for n in range(2 * units)]
    assert randomized_uplift([Stratum.of(observations)]).interval is None
    assert not randomized_uplift([Stratum.of(observations)]).excludes_zero


def test_outcomes_that_are_all_alike_have_no_interval():
    found = randomized_uplift([Stratum.of([Observation(f"c{n}", n % 2 == 0, 1.0) for n in range(200)])])
    assert (found.difference, found.interval) == (0, None)


def test_paired_differences_find_what_randomization_cannot_yet_tell():
    chance = random.Random(2)
    pairs, arms = [], []
    for n in range(600):
        without = chance.random() < 0.55
        differs = chance.random() < 0.3
        with_memory = (chance.random() < 0.85) if differs else without
        pairs.append((f"c{n}", float(with_memory) - float(without)))
        withheld = n % 2 == 0
        arms.append(Observation(f"c{n}", withheld, float(without if withheld else with_memory)))
    assert not randomized_uplift([Stratum.of(arms)]).excludes_zero
    assert paired_uplift(pairs).excludes_zero
    halves = [Arm.of(pairs[:250]), Arm.of(pairs[250:])]
    assert pooled_pairs(halves).difference == pytest.approx(paired_uplift(pairs).difference)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.booleans(), st.floats(-5, 5)), max_size=30))
def test_arms_come_back_from_their_stored_form(rows):
    stratum = Stratum.of([Observation(*row) for row in rows])
    assert Stratum.from_data(stratum.as_data()) == stratum
