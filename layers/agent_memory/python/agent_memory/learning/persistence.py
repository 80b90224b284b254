"""The probability that an effect still lasts, although it may have ended, or begun, at any time.

A hidden Markov model with three states: the effect has not begun, it lasts, or it is over. While it lasts, matching
decisions succeed with odds that are e^θ times those of the rest; else they succeed as often as the rest. It begins at
the rate 1 / mean duration, ends at the rate 1 / T, and does not return: an effect that does is one that begins later.
The size θ and the duration T are unknown: each pair of several sizes in the direction found and several durations is
filtered separately, and they are weighted by how well they explain the outcomes. The forward recursion is that of
Rabiner, Proceedings of the IEEE 77 (1989) 257-286; with one size, one duration and the first two states exchanged with
the others it is the detection statistic of Shiryaev, Theory of Probability and its Applications 8 (1963) 22-46.
"""

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import BoolArray, CodeArray, FloatArray, IntArray
from agent_memory.learning.cusum import MIN_RATE, log_likelihood_ratios

# A half-normal prior of the size: most effects are below one unit of log odds, which is 23 points from 50 %.
_SIZES = np.linspace(0.1, 2.0, 20)
_FORTNIGHT = 15
_SHRINKAGE = 30.0
_LOG_PRIOR = -(_SIZES**2) / (2 * 0.6**2)
# Of the mean duration; equally likely.
_DURATIONS = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
# How likely an effect has not begun, lasts, and is over at the first decision.
_AT_FIRST = (0.2, 0.6, 0.2)


def probability_of_lasting(
    times_ms: IntArray,
    success: BoolArray,
    base_rates: FloatArray,
    *,
    is_better: bool,
    weight: float,
    now_ms: int,
    mean_duration_ms: float,
) -> float:
    """Return the probability, 0 to 1, that the effect lasts now.

    Args:
        times_ms: of the matching decisions, ascending; shape (decisions,).
        success: which of them succeeded.
        base_rates: the success rate of comparable decisions at the time of each; between 0 and 1.
        is_better: whether the effect is that matching decisions succeed more often.
        weight: how many independent outcomes an outcome is worth, above 0, at most 1.
        now_ms: for when the probability is stated, in milliseconds since 1970.
        mean_duration_ms: how long an effect lasts, about: from a quarter to four times as long is taken for possible.
    """
    days, starts = np.unique(times_ms // DAY_MS, return_index=True)
    sizes = _SIZES if is_better else -_SIZES
    daily = np.array(
        [np.add.reduceat(-weight * log_likelihood_ratios(success, base_rates, size), starts) for size in sizes]
    )
    durations_ms = mean_duration_ms * _DURATIONS
    log_weights = np.repeat(_LOG_PRIOR[:, np.newaxis], len(durations_ms), axis=1)
    before, lasts, over = (np.full(log_weights.shape, share) for share in _AT_FIRST)
    gaps_ms = np.diff(days, append=max(now_ms // DAY_MS, int(days[-1]))) * DAY_MS
    begins = -np.expm1(-gaps_ms / mean_duration_ms)
    ends = -np.expm1(-gaps_ms[:, np.newaxis] / durations_ms)
    for ratios, begun, ended in zip(daily.T[:, :, np.newaxis], begins, ends, strict=True):
        scale = np.maximum(ratios, 0)
        unexplained = np.exp(-scale)
        before, lasts, over = before * unexplained, lasts * np.exp(ratios - scale), over * unexplained
        total = before + lasts + over
        log_weights += np.log(total) + scale
        before, lasts, over = before / total, lasts / total, over / total
        before, lasts, over = before * (1 - begun), lasts * (1 - ended) + before * begun, over + lasts * ended
    weights = np.exp(log_weights - np.max(log_weights))
    return min(1.0, float(np.sum(weights * lasts) / np.sum(weights)))  # a mean of ones may round to more


def same_day_rates(times_ms: IntArray, success: BoolArray, matching: BoolArray, questions: CodeArray) -> FloatArray:
    """Return the rate of comparable decisions on the day of each matching decision; shape (matching decisions,).

    It is the rest's rate in the same question, plus how much better the rest did on that day than its questions let
    expect. A day of few decisions says little, so this is shrunk towards the fortnight around it, and that towards 0,
    each with the weight of `_SHRINKAGE` decisions.

    Args:
        times_ms: shape (decisions,), ascending; at least one.
        success: shape (decisions,).
        matching: shape (decisions,).
        questions: the question that each decision answers, numbered from 0; shape (decisions,).
    """
    rest = ~matching
    days = (times_ms - times_ms[0]) // DAY_MS
    length = 1 + int(days[-1])
    usual = question_rates(success, rest, questions)[questions]
    count = np.bincount(days[rest], minlength=length).astype(np.float64)
    surplus = np.bincount(days[rest], weights=(success - usual)[rest], minlength=length).astype(np.float64)
    window = np.ones(_FORTNIGHT)
    nearby = _sums(surplus, window) / (_sums(count, window) + _SHRINKAGE)
    daily = (surplus + _SHRINKAGE * nearby) / (count + _SHRINKAGE)
    return np.asarray(np.clip((usual + daily[days])[matching], MIN_RATE, 1 - MIN_RATE), dtype=np.float64)


def question_rates(success: BoolArray, rest: BoolArray, questions: CodeArray) -> FloatArray:
    """Return the rest's success rate in each question, shrunk towards 1/2 by one decision; shape (questions,)."""
    length = 1 + int(questions.max(initial=0))
    count = np.bincount(questions[rest], minlength=length)
    won = np.bincount(questions[rest & success], minlength=length)
    return np.asarray((won + 0.5) / (count + 1.0), dtype=np.float64)


def _sums(values: FloatArray, window: FloatArray) -> FloatArray:
    """The sums over a window around each value."""
    padded = np.pad(values, len(window) // 2)
    return np.asarray(np.convolve(padded, window, mode="valid"), dtype=np.float64)
