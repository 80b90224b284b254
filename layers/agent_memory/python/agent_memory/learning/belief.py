"""What is believed of a success rate, and how sure it is that one rate lies above another. Rates are 0 to 1.

A pattern was found in older decisions and is judged on newer ones. Either the older ones were luck or are past, and say
nothing of the newer; or the rate goes on. Which of the two is weighed by the newer decisions themselves: a robust
mixture prior. Schmidli et al., Robust meta-analytic-predictive priors in clinical trials with historical control
information, Biometrics 70 (2014) 1023-1032.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from agent_memory.learning.columns import FloatArray

_QUADRATURE_POINTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Decisions that a rate was noticed in: their rate, moved to today's base rate, and how many they are worth."""

    rate: float
    worth: float


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """A mixture of Betas: `won` and `lost` are their parameters, `weights` add up to 1; shape (parts,) each."""

    weights: FloatArray
    won: FloatArray
    lost: FloatArray

    @property
    def mean(self) -> float:
        """The expected rate, which is the chance that the next decision succeeds."""
        return float(self.weights @ (self.won / (self.won + self.lost)))

    def above(self, rates: FloatArray) -> FloatArray:
        """Probability that the rate lies above each of `rates`; shape (rates,)."""
        chances = special.betaincc(self.won[:, None], self.lost[:, None], rates)
        return np.asarray(self.weights @ chances, dtype=np.float64)

    def chances_of(self, n: int) -> FloatArray:
        """Probability of 0, 1, … n successes in the next n decisions; shape (n + 1,). Beta-binomial."""
        successes = np.arange(n + 1)
        return np.asarray(self.weights @ stats.betabinom.pmf(successes, n, self.won[:, None], self.lost[:, None]))


def belief_in(
    successes: float, n: float, *, base: float, prior_decisions: float, earlier: Earlier | None = None
) -> Belief:
    """Return what is believed of a rate after n decisions. Counts may be effective ones, that is, no whole numbers.

    With b = `base` and κ = `prior_decisions`, the one prior is Beta(κb, κ(1−b)): before looking, decisions are believed
    to do as everything does, as firmly as κ decisions would make one believe. The other is the same after the earlier
    decisions, of rate r and worth m: Beta(κb + rm, κ(1−b) + (1−r)m). Both are equally likely at first, and afterwards
    in the ratio of their marginal likelihoods B(α + wins, β + losses) / B(α, β). Conjugate updating: Gelman et al.,
    Bayesian Data Analysis (2013) §2.4.
    """
    parts = [(0.0, 0.0)] if earlier is None else [(0.0, 0.0), (earlier.rate, earlier.worth)]
    rates, worths = (np.array(values, dtype=np.float64) for values in zip(*parts, strict=True))
    won = prior_decisions * base + rates * worths
    lost = prior_decisions * (1 - base) + (1 - rates) * worths
    likelihoods = special.betaln(won + successes, lost + n - successes) - special.betaln(won, lost)
    return Belief(special.softmax(likelihoods), won + successes, lost + n - successes)


def chance_above(ours: Belief, other_successes: float, other_lost: float) -> float:
    """Return the probability that our rate lies above another one of posterior Beta(other_successes, other_lost).

    P(θ₁ > θ₂) = ∫ f₂(x)·P(θ₁ > x) dx is the mean of P(θ₁ > x) over 200 equally likely values x of θ₂, exact to about
    1e-3. Cook, Exact Calculation of Beta Inequalities (2005).
    """
    points = (np.arange(_QUADRATURE_POINTS) + 0.5) / _QUADRATURE_POINTS
    others = special.betaincinv(other_successes, other_lost, points)
    return min(1.0, max(0.0, float(np.mean(ours.above(others)))))
