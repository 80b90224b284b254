"""Calibration of stated confidence, on synthetic patterns whose true effects are known."""

from dataclasses import dataclass

import numpy as np

from agent_memory.learning.calibration import Forecasts
from agent_memory.learning.comparison import Comparison, Sample
from agent_memory.learning.patterns import PatternThresholds

_MATCHING = (30, 60, 120, 300)
_REST_PER_MATCHING = 9
PROBABILITY_BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0)
"""Edges of the bins of stated confidence."""


@dataclass(frozen=True, slots=True)
class _SyntheticPattern:
    """True success rates: of the rest, and of the pattern's decisions in the train part and in the holdout."""

    base: float
    train: float
    holdout: float


def synthetic_forecasts(seed: int, count: int, *, lasting: float, effect_spread: float = 0.1) -> Forecasts:
    """State the confidence of synthetic patterns after their holdout, as the nightly job does.

    Success rates of the rest are uniform in 40 to 70 %; effects are normal with mean 0. The direction is the one
    observed in the train part, which is 7/3 as long as the holdout, as by default.

    Args:
        seed: of the random numbers.
        count: of patterns.
        lasting: share of the patterns whose effect persists in the holdout, 0 to 1; the others' is drawn again.
        effect_spread: standard deviation of the effects, as a difference of rates.
    """
    generator = np.random.default_rng(seed)
    confidence, is_right = np.empty(count), np.empty(count, dtype=np.bool_)
    for n in range(count):
        pattern = _draw_pattern(generator, effect_spread, lasts=generator.random() < lasting)
        confidence[n], is_right[n] = _state_confidence(generator, pattern, PatternThresholds())
    return Forecasts(confidence, is_right)


def _draw_pattern(generator: np.random.Generator, spread: float, *, lasts: bool) -> _SyntheticPattern:
    base = generator.uniform(0.4, 0.7)
    train, other = np.clip(base + generator.normal(0, spread, size=2), 0.02, 0.98)
    return _SyntheticPattern(base, float(train), float(train if lasts else other))


def _state_confidence(
    generator: np.random.Generator, pattern: _SyntheticPattern, thresholds: PatternThresholds
) -> tuple[float, bool]:
    matching = int(generator.choice(_MATCHING))
    train_count = round(matching * (1 - thresholds.newest_fraction) / thresholds.newest_fraction)
    train = _draw_comparison(generator, train_count, pattern.train, pattern.base)
    is_better = train.effect > 0
    holdout = _draw_comparison(generator, matching, pattern.holdout, pattern.base)
    confidence = holdout.confidence(higher=is_better, prior_decisions=thresholds.prior_decisions, before=train)
    return confidence, (pattern.holdout > pattern.base) == is_better


def _draw_comparison(generator: np.random.Generator, count: int, rate: float, base: float) -> Comparison:
    return Comparison(_draw_sample(generator, count, rate), _draw_sample(generator, count * _REST_PER_MATCHING, base))


def _draw_sample(generator: np.random.Generator, count: int, rate: float) -> Sample:
    won = int(generator.binomial(count, rate))
    return Sample(count, won, won / count, float(count))
