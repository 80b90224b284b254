"""Two groups of decisions side by side: those that match a combination, and the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent_memory.learning.belief import Belief, Earlier, belief_in, chance_above
from agent_memory.learning.clustering import Blocks, effective_sizes
from agent_memory.learning.columns import BoolArray, FloatArray
from agent_memory.learning.intervals import newcombe_interval, wilson_interval
from agent_memory.learning.statistics import exact_p_values


@dataclass(frozen=True, slots=True)
class Sample:
    """Decisions, successes, their rate, and how many independent decisions they are worth.

    `rate` lies between 0 and 1, and is 0 where there are no decisions. Where decisions weigh differently it is the
    weighted one.
    """

    occurrences: int
    successes: int
    rate: float
    effective: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the rate, on the effective sample size."""
        return wilson_interval(self.rate, self.effective)

    @property
    def effective_counts(self) -> tuple[int, int]:
        """Whole (successes, occurrences) of the effective sample, for the exact test."""
        count = int(self.effective)
        return round(self.rate * count), count


@dataclass(frozen=True, slots=True)
class Comparison:
    """A combination's decisions against the rest of their decision type."""

    matching: Sample
    rest: Sample

    @property
    def effect(self) -> float:
        """Success rate of the matching decisions minus that of the rest."""
        return self.matching.rate - self.rest.rate

    @property
    def effect_interval(self) -> tuple[float, float]:
        """95 % Newcombe interval of the effect, on effective sample sizes."""
        return newcombe_interval(self.matching.rate, self.matching.effective, self.rest.rate, self.rest.effective)

    def p_value(self) -> float:
        """Two-sided exact p-value of the effect."""
        return self._tail(sided=2)

    def p_value_of(self, *, higher: bool) -> float:
        """One-sided exact p-value for an effect in the given direction; 1 when it points the other way."""
        if not self.has_both or (self.effect > 0) != higher or self.effect == 0:
            return 1.0
        return self._tail(sided=1)

    def belief(self, *, prior_decisions: float, before: "Comparison | None" = None) -> Belief:
        """What is believed of the matching decisions' rate; see `learning.belief`.

        Args:
            prior_decisions: how many decisions the belief "no different from the rest" is worth.
            before: the decisions in which the combination was noticed, if these are others.
        """
        ours = self.matching
        earlier = None
        if before is not None and before.has_both:
            # Markets in which everything succeeds more often are not the combination's doing.
            rate = min(1.0, max(0.0, self.rest.rate + before.effect))
            earlier = Earlier(rate=rate, worth=before.matching.effective)
        return belief_in(
            ours.rate * ours.effective,
            ours.effective,
            base=self._pooled_rate,
            prior_decisions=prior_decisions,
            earlier=earlier,
        )

    def confidence(self, *, higher: bool, prior_decisions: float, before: "Comparison | None" = None) -> float:
        """Posterior probability, 0 to 1, that the effect points in the given direction. Arguments as `belief`."""
        rest, prior = self.rest, prior_decisions * self._pooled_rate
        ours = self.belief(prior_decisions=prior_decisions, before=before)
        won = rest.rate * rest.effective
        above = chance_above(ours, prior + won, prior_decisions - prior + rest.effective - won)
        return above if higher else 1.0 - above

    def faded(self, by: float) -> "Comparison":
        """The same of decisions that are worth `by` (0 to 1) of what they were."""
        return Comparison(
            replace(self.matching, effective=by * self.matching.effective),
            replace(self.rest, effective=by * self.rest.effective),
        )

    @property
    def _pooled_rate(self) -> float:
        """Rate of all decisions, kept a little off 0 and 1."""
        ours, rest = self.matching, self.rest
        won = ours.rate * ours.effective + rest.rate * rest.effective
        return (won + 0.5) / (ours.effective + rest.effective + 1.0)

    @property
    def has_both(self) -> bool:
        """Whether there are decisions of either kind."""
        return bool(self.matching.occurrences and self.rest.occurrences)

    def _tail(self, *, sided: int) -> float:
        if not self.has_both:
            return 1.0
        tail = exact_p_values(*self.matching.effective_counts, *self.rest.effective_counts, sided=sided)
        return float(tail[0])


def compare(
    matching: BoolArray, success: BoolArray, scales: Sequence[Blocks], weights: FloatArray | None = None
) -> Comparison:
    """Compare the matching decisions with the rest.

    Args:
        matching: shape (decisions,).
        success: shape (decisions,).
        scales: the decisions' blocks of time, at one scale or more.
        weights: shape (decisions,), above 0; None where all count the same.
    """
    ours, others = effective_sizes(matching, scales)
    return Comparison(
        _sample(success, matching, ours, weights),
        _sample(success, ~matching, others, weights),
    )


def half_life_weights(ages: FloatArray, half_life: float) -> FloatArray:
    """Return 0.5^(age / half-life), the ages in the half-life's unit."""
    return np.asarray(np.exp2(-ages / half_life), dtype=np.float64)


def _sample(success: BoolArray, chosen: BoolArray, effective: float, weights: FloatArray | None) -> Sample:
    """Weighted, n decisions are worth (Σw)²/Σw², times what shared luck leaves. Kish, Survey Sampling (1965)."""
    won = success[chosen]
    count, wins = len(won), int(np.count_nonzero(won))
    if weights is None or not count:
        return Sample(count, wins, wins / count if count else 0.0, effective)
    ours = weights[chosen]
    total = float(np.sum(ours))
    worth = total * total / float(np.einsum("i,i->", ours, ours))
    return Sample(count, wins, float(np.sum(ours[won])) / total, worth * effective / count)
