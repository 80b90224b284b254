"""A Bernoulli CUSUM: detects that the outcomes of a pattern's decisions no longer differ from the rest's.

A pattern claims a log odds ratio θ between its decisions and the rest. With b the rest's success rate at the same time,
its decisions succeed with p = b·e^θ / (1 − b + b·e^θ) while it holds, and with b once it does not. Each outcome x moves
the sum by its log-likelihood ratio:

    S = max(0, S + ℓ),   ℓ = x·ln(b/p) + (1 − x)·ln((1 − b)/(1 − p))

There is an alarm when S ≥ h = ln A. E e^ℓ is at most 1 while the odds ratio is θ or further from 0, so on average at
least A decisions pass before a false alarm (Lorden). Once the pattern has ended, the sum rises by
I = E ℓ = b·ln(b/p) + (1 − b)·ln((1 − b)/(1 − p)) per decision, so on average at most (h + max ℓ)/I decisions pass
before the alarm (Wald).

Page, Biometrika 41 (1954) 100-115; Bernoulli: Reynolds and Stoumbos, Journal of Quality Technology 31 (1999) 87-108;
with an individual risk per case, as the base rate is here: Steiner, Cook, Farewell and Treasure, Biostatistics 1
(2000) 441-452; both bounds: Lorden, Annals of Mathematical Statistics 42 (1971) 1897-1908.
"""

from math import log

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import BoolArray, FloatArray, IntArray
from agent_memory.learning.special_functions import expit, logit

BASE_RATE_DAYS = 14
"""The rest's success rate "at the same time" is that of these many days before: enough for a few hundred decisions, and
few enough to follow the market."""
MIN_RATE = 0.005
"""Rates are kept this far from 0 and 1, where an outcome would be certain."""


def log_odds_ratio(rate: float, base_rate: float) -> float:
    """Return θ = logit(rate) − logit(base_rate); both rates are kept 0.005 away from 0 and 1."""
    return float(logit(_clip(rate)) - logit(_clip(base_rate)))


def rate_at(base_rate: float, log_odds: float) -> float:
    """Return the success rate p whose odds are e^θ times those of the base rate."""
    return float(expit(logit(_clip(base_rate)) + log_odds))


def local_base_rates(
    times_ms: IntArray, success: BoolArray, matching: BoolArray, *, prior_decisions: float
) -> FloatArray:
    """Return the rest's success rate in the `BASE_RATE_DAYS` up to each matching decision.

    It is shrunk towards the rate of all the rest, with the weight of `prior_decisions`.

    Args:
        times_ms: shape (decisions,), ascending.
        success: shape (decisions,).
        matching: shape (decisions,).
        prior_decisions: weight of the rest's rate over the whole time.

    Returns:
        Shape (matching decisions,), each between 0.005 and 0.995.
    """
    rest = ~matching
    total, won = np.cumsum(rest), np.cumsum(rest & success)
    overall = won[-1] / total[-1] if len(total) and total[-1] else 0.5
    at = times_ms[matching]
    last = np.searchsorted(times_ms, at, side="right")
    first = np.searchsorted(times_ms, at - BASE_RATE_DAYS * DAY_MS, side="right")
    count, wins = (np.concatenate(([0], cumulative)) for cumulative in (total, won))
    rates = (wins[last] - wins[first] + prior_decisions * overall) / (count[last] - count[first] + prior_decisions)
    return _clip(rates)


def log_likelihood_ratios(success: BoolArray, base_rates: FloatArray, log_odds: float) -> FloatArray:
    """Return ℓ of each outcome, in order: positive if it favours "no different from the rest".

    With the opposite sign it favours a pattern that holds again.
    """
    claimed = expit(logit(base_rates) + log_odds)
    return np.where(success, np.log(base_rates / claimed), np.log((1 - base_rates) / (1 - claimed)))


def cumulative_sums(steps: FloatArray, start: float = 0.0) -> FloatArray:
    """Return S before the first step and after each, beginning at `start`; shape (steps + 1,)."""
    walk = np.concatenate(([start], steps)).cumsum()
    return np.asarray(walk - np.minimum(np.minimum.accumulate(walk), 0.0), dtype=np.float64)


def max_mean_delay(base_rate: float, log_odds: float, false_alarm_decisions: float) -> float:
    """Return how many matching decisions pass at most, on average, from the end of a pattern to its alarm.

    Args:
        base_rate: the rest's success rate, which is also that of the pattern's decisions after its end.
        log_odds: the pattern's claim θ.
        false_alarm_decisions: A, the least mean number of decisions between false alarms.
    """
    base = _clip(base_rate)
    steps = log_likelihood_ratios(np.array([True, False]), np.array([base, base]), log_odds)
    mean_step = base * steps[0] + (1 - base) * steps[1]
    return float((log(false_alarm_decisions) + np.max(steps)) / mean_step)


def _clip(rate: FloatArray | float) -> FloatArray:
    return np.asarray(np.clip(rate, MIN_RATE, 1 - MIN_RATE), dtype=np.float64)
