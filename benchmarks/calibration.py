"""Whether stated confidence can be taken at its word: many patterns whose truth is known."""

from dataclasses import dataclass

import numpy as np

from agent_memory.learning.comparison import Comparison, Sample
from agent_memory.learning.model import PatternThresholds
from agent_memory.learning.reliability import Forecasts

_MATCHING = (30, 60, 120, 300)
_REST_PER_MATCHING = 9
CHANCES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0)
"""Bounds of the bins of stated confidence."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A made-up pattern: success rates of all others, of its decisions before and now."""

    base: float
    before: float
    now: float


def judged_patterns(seed: int, count: int, *, lasting: float, effect_spread: float = 0.1) -> Forecasts:
    """State the confidence of made-up patterns after their holdout, as the night does.

    Success rates of the rest are uniform in 40 to 70 %, effects normal around none with `effect_spread`. The direction
    is the one seen in an older part of the record, 7/3 as long as the holdout, as by default.

    Args:
        seed: of the random numbers.
        count: of patterns.
        lasting: share of the patterns whose effect goes on, 0 to 1. The others' has nothing to do with the one before.
        effect_spread: standard deviation of the effects, as a difference of rates.
    """
    generator = np.random.default_rng(seed)
    stated, true = np.empty(count), np.empty(count, dtype=np.bool_)
    for one in range(count):
        made = _made(generator, effect_spread, lasts=generator.random() < lasting)
        stated[one], true[one] = _judged(generator, made, PatternThresholds())
    return Forecasts(stated, true)


def _made(generator: np.random.Generator, spread: float, *, lasts: bool) -> _Made:
    base = generator.uniform(0.4, 0.7)
    before, other = np.clip(base + generator.normal(0, spread, size=2), 0.02, 0.98)
    return _Made(base, float(before), float(before if lasts else other))


def _judged(generator: np.random.Generator, made: _Made, thresholds: PatternThresholds) -> tuple[float, bool]:
    matching = int(generator.choice(_MATCHING))
    older = round(matching * (1 - thresholds.holdout_fraction) / thresholds.holdout_fraction)
    before = _comparison(generator, older, made.before, made.base)
    is_better = before.effect > 0
    newer = _comparison(generator, matching, made.now, made.base)
    stated = newer.confidence(higher=is_better, prior_decisions=thresholds.prior_decisions, before=before)
    return stated, (made.now > made.base) == is_better


def _comparison(generator: np.random.Generator, count: int, rate: float, base: float) -> Comparison:
    return Comparison(_drawn(generator, count, rate), _drawn(generator, count * _REST_PER_MATCHING, base))


def _drawn(generator: np.random.Generator, count: int, rate: float) -> Sample:
    won = int(generator.binomial(count, rate))
    return Sample(count, won, won / count, float(count))
