"""Posterior distributions against simulation and special cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agent_memory.learning.comparison import Comparison, Sample
from agent_memory.learning.posterior import BetaMixture, HistoricalRate, rate_posterior

PRIOR = 10.0


def sample(won, n):
    return Sample(n, won, won / n if n else 0.0, float(n))


def comparison(matching, rest):
    return Comparison(sample(*matching), sample(*rest))


def test_without_historical_decisions_the_posterior_is_a_single_beta():
    posterior = rate_posterior(7, 10, base_rate=0.5, prior_decisions=PRIOR)
    assert (posterior.weights.tolist(), posterior.alphas.tolist(), posterior.betas.tolist()) == ([1.0], [12.0], [8.0])
    assert posterior.mean == 0.6


def test_historical_decisions_count_if_the_newer_agree_and_hardly_if_they_do_not():
    historical = HistoricalRate(rate=0.75, effective_size=200)
    agreeing = rate_posterior(45, 60, base_rate=0.5, prior_decisions=PRIOR, historical=historical)
    contrary = rate_posterior(18, 60, base_rate=0.5, prior_decisions=PRIOR, historical=historical)
    assert agreeing.weights[1] > 0.8
    assert contrary.weights[1] < 1e-6
    alone = rate_posterior(18, 60, base_rate=0.5, prior_decisions=PRIOR)
    assert contrary.mean == pytest.approx(alone.mean, abs=1e-5)


def test_weights_are_in_the_ratio_of_marginal_likelihoods():
    historical = HistoricalRate(rate=0.8, effective_size=40)
    posterior = rate_posterior(14, 20, base_rate=0.5, prior_decisions=PRIOR, historical=historical)
    likelihoods = stats.betabinom.pmf(14, 20, [5, 5 + 32], [5, 5 + 8])
    assert posterior.weights == pytest.approx(likelihoods / likelihoods.sum())


def test_the_historical_rate_is_adjusted_to_the_current_base_rate():
    # +20 points before and +20 points now: that everything fails more often now is not a contradiction.
    before = comparison((280, 400), (2_000, 4_000))
    now = comparison((60, 120), (360, 1_200))
    posterior = now.posterior(prior_decisions=PRIOR, before=before)
    assert posterior.weights[1] > 0.8
    assert posterior.mean == pytest.approx(0.5, abs=0.02)


@pytest.mark.slow
@given(
    won=st.integers(0, 40),
    lost=st.integers(0, 40),
    rate=st.floats(0, 1),
    size=st.floats(0, 1_000),
    base=st.floats(0.01, 0.99),
)
def test_the_posterior_is_always_a_distribution(won, lost, rate, size, base):
    historical = HistoricalRate(rate=rate, effective_size=size)
    posterior = rate_posterior(won, won + lost, base_rate=base, prior_decisions=PRIOR, historical=historical)
    assert isinstance(posterior, BetaMixture)
    assert posterior.weights.sum() == pytest.approx(1)
    assert 0 <= posterior.mean <= 1
