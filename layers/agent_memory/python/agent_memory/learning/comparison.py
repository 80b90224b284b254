"""Two groups of decisions compared: those that match a combination of features, and the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agent_memory.learning.array_types import BoolArray, FloatArray
from agent_memory.learning.design_effect import CorrelatedClusters, effective_sample_sizes
from agent_memory.learning.intervals import newcombe_interval, wilson_interval
from agent_memory.learning.posterior import BetaMixture, HistoricalRate, rate_posterior


@dataclass(frozen=True, slots=True)
class Sample:
    """A group of decisions: how many, how many succeeded, their success rate and their effective sample size.

    `rate` is 0 to 1, and 0 for an empty group. It is the weighted rate if decisions have weights.
    """

    occurrences: int
    successes: int
    rate: float
    effective_size: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the rate, on the effective sample size."""
        return wilson_interval(self.rate, self.effective_size)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The decisions that match a combination against the rest of their decision type."""

    matching: Sample
    rest: Sample

    @property
    def effect(self) -> float:
        """Success rate of the matching decisions minus that of the rest."""
        return self.matching.rate - self.rest.rate

    @property
    def effect_interval(self) -> tuple[float, float]:
        """95 % Newcombe interval of the effect, on effective sample sizes."""
        matching, rest = self.matching, self.rest
        return newcombe_interval(matching.rate, matching.effective_size, rest.rate, rest.effective_size)

    @property
    def has_both_groups(self) -> bool:
        """Whether neither group is empty."""
        return bool(self.matching.occurrences and self.rest.occurrences)

    def posterior(self, *, prior_decisions: float, before: "Comparison | None" = None) -> BetaMixture:
        """Posterior of the matching decisions' rate; see `learning.posterior`.

        Args:
            prior_decisions: weight of the prior "no different from all decisions", as a number of decisions.
            before: the decisions in which the combination was found, if they are others than these.
        """
        matching = self.matching
        historical = None
        if before is not None and before.has_both_groups:
            # The earlier effect is added to the rest's current rate: a market in which everything succeeds more often
            # is not the combination's merit.
            rate = min(1.0, max(0.0, self.rest.rate + before.effect))
            historical = HistoricalRate(rate=rate, effective_size=before.matching.effective_size)
        return rate_posterior(
            matching.rate * matching.effective_size,
            matching.effective_size,
            base_rate=self._pooled_rate,
            prior_decisions=prior_decisions,
            historical=historical,
        )

    def discounted(self, factor: float) -> "Comparison":
        """The same comparison with both effective sample sizes multiplied by `factor` (0 to 1)."""
        return Comparison(
            replace(self.matching, effective_size=factor * self.matching.effective_size),
            replace(self.rest, effective_size=factor * self.rest.effective_size),
        )

    @property
    def _pooled_rate(self) -> float:
        """Rate of all decisions, kept away from 0 and 1."""
        matching, rest = self.matching, self.rest
        won = matching.rate * matching.effective_size + rest.rate * rest.effective_size
        return (won + 0.5) / (matching.effective_size + rest.effective_size + 1.0)


def compare(
    matching: BoolArray,
    success: BoolArray,
    clusterings: Sequence[CorrelatedClusters],
    weights: FloatArray | None = None,
    *,
    least_design_effect: float = 1.0,
) -> Comparison:
    """Compare the matching decisions with the rest.

    Args:
        matching: shape (decisions,).
        success: shape (decisions,).
        clusterings: the decisions in correlated clusters, in several ways.
        weights: shape (decisions,), above 0; None for equal weights.
        least_design_effect: what the design effect of both groups is at least.
    """
    matching_size, rest_size = effective_sample_sizes(matching, clusterings, least_design_effect=least_design_effect)
    return Comparison(
        _sample(success, matching, matching_size, weights),
        _sample(success, ~matching, rest_size, weights),
    )


def half_life_weights(ages: FloatArray, half_life: float) -> FloatArray:
    """Return 0.5^(age / half-life), the ages in the half-life's unit."""
    return np.asarray(np.exp2(-ages / half_life), dtype=np.float64)


def effect_data(overall: Comparison, recent: Comparison) -> dict[str, Any]:
    """Return rates and effect with their 95 % intervals as plain numbers for JSON.

    Args:
        overall: a group against the rest of its decision type, over all evidence.
        recent: the same with more weight on newer decisions, returned under the key `recent`.
    """
    return {
        "occurrences": overall.matching.occurrences,
        "successes": overall.matching.successes,
        "base_occurrences": overall.rest.occurrences,
        **_rates(overall),
        "recent": _rates(recent),
    }


def _rates(comparison: Comparison) -> dict[str, Any]:
    return {
        "success_rate": comparison.matching.rate,
        "interval": list(comparison.matching.interval),
        "base_rate": comparison.rest.rate,
        "effect": comparison.effect,
        "effect_interval": list(comparison.effect_interval),
        "effective_sample_size": comparison.matching.effective_size,
    }


def _sample(success: BoolArray, chosen: BoolArray, effective_size: float, weights: FloatArray | None) -> Sample:
    """With weights w, n decisions are worth (Σw)²/Σw², divided by their design effect. Kish, Survey Sampling (1965)."""
    won = success[chosen]
    count, wins = len(won), int(np.count_nonzero(won))
    if weights is None or not count:
        return Sample(count, wins, wins / count if count else 0.0, effective_size)
    chosen_weights = weights[chosen]
    total = float(np.sum(chosen_weights))
    weighted_size = total * total / float(np.einsum("i,i->", chosen_weights, chosen_weights))
    return Sample(count, wins, float(np.sum(chosen_weights[won])) / total, weighted_size * effective_size / count)
