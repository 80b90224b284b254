"""The probability that an effect still lasts, although it may have ended, or begun, at any time.

A hidden Markov model with two states: while the effect lasts, matching decisions succeed with odds that are e^θ times
those of the rest; while it does not, they succeed as often as the rest. It ends, or begins anew, at a constant rate:
after d days the state differs with the probability (1 − e^(−2d / mean duration)) / 2. The size θ is unknown: each of
several sizes in the direction found is filtered separately, and they are weighed by how well they explain the outcomes.
The forward recursion is that of Rabiner, Proceedings of the IEEE 77 (1989) 257-286; without a return it is the
detection statistic of Shiryaev, Theory of Probability and its Applications 8 (1963) 22-46.
"""

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import BoolArray, CodeArray, FloatArray, IntArray
from agent_memory.learning.cusum import MIN_RATE, log_likelihood_ratios
from agent_memory.learning.divided_clusters import distinct

# A half-normal prior of the size: most effects are below one unit of log odds, which is 23 points from 50 %.
_SIZES = np.linspace(0.1, 2.0, 20)
_FORTNIGHT = 15
_SHRINKAGE = 30.0
_LOG_PRIOR = -(_SIZES**2) / (2 * 0.6**2)


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
        mean_duration_ms: how long an effect lasts on average.
    """
    days, day_of = np.unique(times_ms // DAY_MS, return_inverse=True)
    sizes = _SIZES if is_better else -_SIZES
    daily = weight * _daily_log_likelihoods(day_of, success, base_rates, sizes)
    lasts = np.full(len(sizes), 0.5)
    over = np.full(len(sizes), 0.5)
    log_scale = _LOG_PRIOR.copy()
    gaps_ms = np.diff(days, append=max(now_ms // DAY_MS, int(days[-1]))) * DAY_MS
    changes = -np.expm1(-2 * gaps_ms / mean_duration_ms) / 2
    for ratios, change in zip(daily.T, changes, strict=True):
        lasts *= np.exp(ratios - np.maximum(ratios, 0))
        over *= np.exp(-np.maximum(ratios, 0))
        total = lasts + over
        log_scale += np.log(total) + np.maximum(ratios, 0)
        lasts, over = lasts / total, over / total
        lasts, over = lasts * (1 - change) + over * change, over * (1 - change) + lasts * change
    weights = np.exp(log_scale - np.max(log_scale))
    return min(1.0, float(weights @ lasts / np.sum(weights)))  # a mean of ones may round to more


def _daily_log_likelihoods(
    day_of: IntArray, success: BoolArray, base_rates: FloatArray, sizes: FloatArray
) -> FloatArray:
    """How much each size of the effect explains each day's outcomes better than none; shape (sizes, days).

    Decisions of one day with the same base rate, of which there are many, are counted.
    """
    rates, rate_of = np.unique(base_rates, return_inverse=True)
    cells, cell_of, counts = distinct(day_of * len(rates) + rate_of, (1 + int(day_of[-1])) * len(rates))
    won = np.bincount(cell_of[np.flatnonzero(success)], minlength=len(cells))
    lost = counts - won
    day_of_cell, rate_of_cell = np.divmod(cells, len(rates))
    starts = np.searchsorted(day_of_cell, np.arange(1 + int(day_of[-1])))
    has_won, has_lost = np.ones(len(rates), dtype=np.bool_), np.zeros(len(rates), dtype=np.bool_)

    def of_size(size: float) -> FloatArray:
        of_won, of_lost = (log_likelihood_ratios(one, rates, size)[rate_of_cell] for one in (has_won, has_lost))
        return np.asarray(np.add.reduceat(-(won * of_won + lost * of_lost), starts), dtype=np.float64)

    return np.array([of_size(size) for size in sizes])


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
