"""The posterior distribution of a success rate, 0 to 1.

A pattern is found in earlier decisions and judged on later ones. Either what the earlier ones showed was chance, or has
ended, and says nothing about the later ones; or the rate persists. The later decisions themselves weigh the two: a
robust mixture prior. Schmidli et al., Robust meta-analytic-predictive priors in clinical trials with historical control
information, Biometrics 70 (2014) 1023-1032.
"""

from dataclasses import dataclass

import numpy as np

from agent_memory.learning.array_types import FloatArray
from agent_memory.learning.special_functions import log_beta


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalRate:
    """The rate of the earlier decisions, adjusted to the current base rate, and their effective sample size."""

    rate: float
    effective_size: float


@dataclass(frozen=True, slots=True, eq=False)
class BetaMixture:
    """A mixture of Beta distributions; `weights` add up to 1. All arrays have the shape (components,)."""

    weights: FloatArray
    alphas: FloatArray
    betas: FloatArray

    @property
    def mean(self) -> float:
        """The expected rate, which is the probability that the next decision succeeds."""
        return float(self.weights @ (self.alphas / (self.alphas + self.betas)))


def rate_posterior(
    successes: float, n: float, *, base_rate: float, prior_decisions: float, historical: HistoricalRate | None = None
) -> BetaMixture:
    """Return the posterior of a rate after n decisions. `successes` and `n` need not be integers.

    With b = `base_rate` and κ = `prior_decisions`, one prior is Beta(κb, κ(1−b)): no different from all decisions, with
    the weight of κ of them. The other is the same after the earlier decisions, of rate r and effective size m:
    Beta(κb + rm, κ(1−b) + (1−r)m). They are equally likely a priori, and a posteriori in the ratio of their marginal
    likelihoods B(α + successes, β + failures) / B(α, β). Conjugate updating: Gelman et al., Bayesian Data Analysis
    (2013) §2.4.
    """
    components = [(0.0, 0.0)] if historical is None else [(0.0, 0.0), (historical.rate, historical.effective_size)]
    rates, sizes = (np.array(values, dtype=np.float64) for values in zip(*components, strict=True))
    alphas = prior_decisions * base_rate + rates * sizes
    betas = prior_decisions * (1 - base_rate) + (1 - rates) * sizes
    log_likelihoods = log_beta(alphas + successes, betas + n - successes) - log_beta(alphas, betas)
    likelihoods = np.exp(log_likelihoods - np.max(log_likelihoods))
    return BetaMixture(likelihoods / np.sum(likelihoods), alphas + successes, betas + n - successes)
