"""Whether stated confidence can be taken at its word: many patterns whose truth is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from agent_memory.learning.comparison import Comparison, Sample
from agent_memory.learning.model import PatternThresholds

_MATCHING = (30, 60, 120, 300)
_REST_PER_MATCHING = 9
_EVEN = 0.5
_EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Judgements:
    """What was stated of each pattern, 0 to 1, and whether it was true."""

    stated: NDArray[np.float64]
    true: NDArray[np.bool_]

    @property
    def brier(self) -> float:
        """Mean squared difference of statement and truth; Brier, Monthly Weather Review 78 (1950) 1-3."""
        return float(np.mean((self.stated - self.true) ** 2))

    @property
    def brier_of_base_rate(self) -> float:
        """The same for one who states the share of true ones every time."""
        share = float(np.mean(self.true))
        return share * (1 - share)

    def reliability(self) -> Iterator[tuple[float, float, int, float, float]]:
        """Bins of stated confidence: from, to, how many, mean stated, share true."""
        for low, high in pairwise(_EDGES):
            here = (self.stated >= low) & ((self.stated < high) | (high == 1.0))
            if np.any(here):
                yield low, high, int(np.sum(here)), float(np.mean(self.stated[here])), float(np.mean(self.true[here]))

    @property
    def calibration_error(self) -> float:
        """Mean distance of what was stated from what was true, bin by bin, weighted by their sizes."""
        return sum(count * abs(stated - true) for *_, count, stated, true in self.reliability()) / len(self.true)


def judged_patterns(seed: int, count: int, *, effect_spread: float = 0.1, is_found: bool = False) -> Judgements:
    """State the confidence of made-up patterns from their holdout, as the night does.

    Success rates of the rest are uniform in 40 to 70 %, effects normal around none with `effect_spread`.

    Args:
        seed: of the random numbers.
        count: of patterns.
        effect_spread: standard deviation of the effects, as a difference of rates.
        is_found: the direction is the one seen in an older part of the record, 7/3 as long as the holdout as by
            default, and holds on. Else that has become worth nothing and the direction is a coin's: what confidence
            takes for granted.
    """
    generator = np.random.default_rng(seed)
    thresholds = PatternThresholds()
    older = (1 - thresholds.holdout_fraction) / thresholds.holdout_fraction
    stated, true = np.empty(count), np.empty(count, dtype=np.bool_)
    for one in range(count):
        base = generator.uniform(0.4, 0.7)
        rate = float(np.clip(base + generator.normal(0, effect_spread), 0.02, 0.98))
        matching = int(generator.choice(_MATCHING))
        before = round(matching * older)
        is_better = generator.binomial(before, rate) / before > base if is_found else generator.random() < _EVEN
        comparison = Comparison(
            _drawn(generator, matching, rate), _drawn(generator, matching * _REST_PER_MATCHING, base)
        )
        stated[one] = comparison.confidence(higher=bool(is_better), prior_decisions=thresholds.prior_decisions)
        true[one] = (rate > base) == is_better
    return Judgements(stated, true)


def _drawn(generator: np.random.Generator, count: int, rate: float) -> Sample:
    won = int(generator.binomial(count, rate))
    return Sample(count, won, won / count, float(count))
