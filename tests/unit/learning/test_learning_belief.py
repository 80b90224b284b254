"""What is believed of a rate, against simulation and special cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agent_memory.learning.belief import Belief, Earlier, belief_in, chance_above
from agent_memory.learning.comparison import Comparison, Sample

PRIOR = 10.0


def sample(won, n):
    return Sample(n, won, won / n if n else 0.0, float(n))


def compared(ours, others):
    return Comparison(sample(*ours), sample(*others))


@pytest.mark.parametrize(
    ("ours", "others"), [((60, 100), (500, 1000)), ((3, 4), (10, 20)), ((0, 30), (300, 600)), ((90, 100), (1, 10))]
)
def test_confidence_equals_simulated_posteriors(ours, others):
    base = (ours[0] + others[0] + 0.5) / (ours[1] + others[1] + 1)
    generator = np.random.default_rng(0)

    def draw(won: int, n: int) -> np.ndarray:
        return generator.beta(PRIOR * base + won, PRIOR * (1 - base) + n - won, size=400_000)

    simulated = np.mean(draw(*ours) > draw(*others))
    higher, lower = (compared(ours, others).confidence(higher=is_it, prior_decisions=PRIOR) for is_it in (True, False))
    assert higher == pytest.approx(simulated, abs=4e-3)
    assert higher + lower == pytest.approx(1.0)


def test_confidence_without_decisions_is_even():
    nothing = compared((0, 0), (0, 0))
    assert nothing.confidence(higher=True, prior_decisions=PRIOR) == pytest.approx(0.5, abs=1e-6)


def test_without_earlier_decisions_belief_is_one_beta():
    belief = belief_in(7, 10, base=0.5, prior_decisions=PRIOR)
    assert (belief.weights.tolist(), belief.won.tolist(), belief.lost.tolist()) == ([1.0], [12.0], [8.0])
    assert belief.mean == 0.6
    assert belief.chances_of(6) == pytest.approx(stats.betabinom.pmf(np.arange(7), 6, 12, 8))


def test_earlier_decisions_count_where_the_newer_agree_and_hardly_where_they_do_not():
    earlier = Earlier(rate=0.75, worth=200)
    agreeing = belief_in(45, 60, base=0.5, prior_decisions=PRIOR, earlier=earlier)
    contrary = belief_in(18, 60, base=0.5, prior_decisions=PRIOR, earlier=earlier)
    assert agreeing.weights[1] > 0.8
    assert contrary.weights[1] < 1e-6
    alone = belief_in(18, 60, base=0.5, prior_decisions=PRIOR)
    assert contrary.mean == pytest.approx(alone.mean, abs=1e-5)


def test_weights_are_in_the_ratio_of_what_was_likely():
    earlier = Earlier(rate=0.8, worth=40)
    belief = belief_in(14, 20, base=0.5, prior_decisions=PRIOR, earlier=earlier)
    plain, lasting = stats.betabinom.pmf(14, 20, 5, 5), stats.betabinom.pmf(14, 20, 5 + 32, 5 + 8)
    assert belief.weights == pytest.approx(np.array([plain, lasting]) / (plain + lasting))


def test_what_was_noticed_before_is_moved_to_today_s_base_rate():
    # +20 points before, +20 points now: that everything fails more often now is no contradiction.
    before = compared((280, 400), (2_000, 4_000))
    now = compared((60, 120), (360, 1_200))
    believed = now.belief(prior_decisions=PRIOR, before=before)
    assert believed.weights[1] > 0.8
    assert believed.mean == pytest.approx(0.5, abs=0.02)


@given(
    won=st.integers(0, 40),
    more=st.integers(0, 40),
    rate=st.floats(0, 1),
    worth=st.floats(0, 1_000),
    base=st.floats(0.01, 0.99),
)
def test_belief_is_always_a_distribution(won, more, rate, worth, base):
    belief = belief_in(won, won + more, base=base, prior_decisions=PRIOR, earlier=Earlier(rate=rate, worth=worth))
    assert isinstance(belief, Belief)
    assert belief.weights.sum() == pytest.approx(1)
    assert 0 <= belief.mean <= 1
    assert belief.chances_of(9).sum() == pytest.approx(1)
    assert 0 <= chance_above(belief, 5, 5) <= 1
    assert np.all(np.diff(belief.above(np.linspace(0, 1, 11))) <= 1e-12)
