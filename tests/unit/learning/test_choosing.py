"""The probability that is stated for a choice is the one with which it is made."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.learning.choosing import PROPENSITY_ERROR, choose_by_thompson_sampling, choose_greedily

POSTERIORS = {
    "a": (0.60, 0.03), "b": (0.55, 0.05), "c": (0.50, 0.2), "d": (0.52, 0.001), "e": (0.1, 0.02), "f": (0.58, 0.03),
}  # fmt: skip
DRAWS = 40_000


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_propensities_of_thompson_sampling_are_the_frequencies_of_its_choices(count):
    chance = random.Random(count)
    chosen, sets = Counter(), Counter()
    for _ in range(DRAWS):
        draws = {option: chance.gauss(*posterior) for option, posterior in POSTERIORS.items()}
        best = sorted(draws, key=lambda option: -draws[option])[:count]
        chosen.update(best)
        sets[frozenset(best)] += 1
    stated = {}
    for seed in range(60):
        choice = choose_by_thompson_sampling(POSTERIORS, count, random.Random(seed))
        stated[frozenset(choice.chosen)] = choice.joint_propensity
    for option, propensity in choice.propensities.items():
        assert chosen[option] / DRAWS == pytest.approx(propensity, abs=0.012)
    for members, propensity in stated.items():
        assert sets[members] / DRAWS == pytest.approx(propensity, abs=0.012)


deviations = st.floats(1e-3, 1).map(lambda value: value)
normals = st.lists(st.tuples(st.floats(-1, 1), deviations), min_size=2, max_size=8)


@settings(max_examples=40, deadline=None)
@given(normals=normals, count=st.integers(1, 8), seed=st.integers(0, 9))
def test_the_probabilities_of_all_options_add_up_to_the_number_that_is_chosen(normals, count, seed):
    posteriors = {str(n): normal for n, normal in enumerate(normals)}
    choice = choose_by_thompson_sampling(posteriors, count, random.Random(seed))
    expected = min(count, len(normals))
    assert len(choice.chosen) == expected
    assert sum(choice.propensities.values()) == pytest.approx(expected, abs=len(normals) * PROPENSITY_ERROR)
    assert 0 < choice.joint_propensity <= min(choice.propensities[one] for one in choice.chosen) + PROPENSITY_ERROR


def test_the_probability_of_one_is_that_of_the_set_of_one():
    choice = choose_by_thompson_sampling(POSTERIORS, 1, random.Random(3))
    assert choice.joint_propensity == pytest.approx(choice.propensities[choice.chosen[0]], abs=PROPENSITY_ERROR)


def test_the_greedy_rule_takes_the_best_and_explores_with_its_probability():
    means = {"a": 0.1, "b": 0.5, "c": 0.4, "d": 0.2}
    choices = [choose_greedily(means, 2, 0.3, random.Random(seed)) for seed in range(5_000)]
    counts = Counter(one.chosen for one in choices)
    assert counts.keys() == {("b", "c"), ("b", "a"), ("b", "d")}
    for one in choices:
        assert counts[one.chosen] / 5_000 == pytest.approx(one.joint_propensity, abs=0.03)
    assert choices[0].propensities == pytest.approx({"b": 1.0, "c": 0.7, "a": 0.15, "d": 0.15})
    assert choose_greedily(means, 4, 0.3, random.Random(1)).joint_propensity == 1
