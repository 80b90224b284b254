"""The posterior distribution of a success rate, and the probability that one rate is above another. Rates are 0 to 1.

A pattern is found in earlier decisions and judged on later ones. Either what the earlier ones showed was chance, or has
ended, and says nothing about the later ones; or the rate persists. The later decisions themselves weigh the two: a
robust mixture prior. Schmidli et al., Robust meta-analytic-predictive priors in clinical trials with historical control
information, Biometrics 70 (2014) 1023-1032.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from agent_memory.learning.array_types import FloatArray

_QUADRATURE_POINTS = 200


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

    def survival(self, rates: FloatArray) -> FloatArray:
        """Return the probability that the rate is above each of `rates`; shape (rates,)."""
        above = special.betaincc(self.alphas[:, None], self.betas[:, None], rates)
        return np.asarray(self.weights @ above, dtype=np.float64)


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
    log_likelihoods = special.betaln(alphas + successes, betas + n - successes) - special.betaln(alphas, betas)
    return BetaMixture(special.softmax(log_likelihoods), alphas + successes, betas + n - successes)


def probability_above(rate: BetaMixture, other_alpha: float, other_beta: float) -> float:
    """Return the probability that a rate is above another one with the posterior Beta(other_alpha, other_beta).

    P(θ₁ > θ₂) = ∫ f₂(x)·P(θ₁ > x) dx, as the mean of P(θ₁ > x) over 200 equally likely values x of θ₂, which is
    accurate to about 1e-3. Cook, Exact Calculation of Beta Inequalities (2005).
    """
    quantiles = (np.arange(_QUADRATURE_POINTS) + 0.5) / _QUADRATURE_POINTS
    others = np.asarray(special.betaincinv(other_alpha, other_beta, quantiles), dtype=np.float64)
    return float(np.clip(np.mean(rate.survival(others)), 0.0, 1.0))
