"""Whether a pattern has stopped holding: a Bernoulli CUSUM on the outcomes since it was learned.

What the pattern promised is a log odds ratio θ between its decisions and the rest. With b the rest's success rate at
the same time, its decisions succeed with p = b·e^θ / (1 − b + b·e^θ) while it holds, and with b once it does not.
Each outcome x moves the sum by its log-likelihood ratio:

    S = max(0, S + ℓ),   ℓ = x·ln(b/p) + (1 − x)·ln((1 − b)/(1 − p))

The alarm is S ≥ h = ln A. Since e^ℓ has an expectation of at most 1 while the odds ratio is θ or further from 0, A
decisions or more pass on average before a false alarm (Lorden). Once it is gone, the sum rises by I = E ℓ =
b·ln(b/p) + (1 − b)·ln((1 − b)/(1 − p)) a decision, so that on average at most (h + max ℓ)/I decisions pass (Wald).

Page, Biometrika 41 (1954) 100-115; Bernoulli: Reynolds and Stoumbos, Journal of Quality Technology 31 (1999) 87-108;
with a risk of its own for each case, as the base rate is here: Steiner, Cook, Farewell and Treasure, Biostatistics 1
(2000) 441-452; both bounds: Lorden, Annals of Mathematical Statistics 42 (1971) 1897-1908.
"""

from math import exp, log

import numpy as np

from agent_memory.learning.tables import BoolArray, FloatArray, IntArray

_DAY_MS = 86_400_000
BASE_RATE_DAYS = 14
"""The rest's success rate "at the same time" is that of so many days before: long enough for a few hundred decisions,
short enough to follow the market."""
# A rate of 0 or 1 would be certain of what comes next.
_LEAST_RATE = 0.005


def log_odds_ratio(rate: float, base_rate: float) -> float:
    """Return θ = logit(rate) − logit(base_rate); rates are kept 0.005 off 0 and 1."""
    return _logit(_kept_off(rate)) - _logit(_kept_off(base_rate))


def shifted(base_rate: float, log_odds: float) -> float:
    """Return the success rate p whose odds are e^θ times those of the base rate."""
    odds = exp(_logit(_kept_off(base_rate)) + log_odds)
    return odds / (1 + odds)


def local_base_rates(
    times_ms: IntArray, success: BoolArray, matching: BoolArray, *, prior_decisions: float
) -> FloatArray:
    """Return the rest's success rate in the `BASE_RATE_DAYS` up to each matching decision.

    Where few of the rest were made, the rate leans on that of all the rest, as firmly as `prior_decisions` would.

    Args:
        times_ms: shape (decisions,), ascending.
        success: shape (decisions,).
        matching: shape (decisions,).
        prior_decisions: weight of the rest's rate over the whole time.

    Returns:
        Shape (matching decisions,), each between 0.005 and 0.995.
    """
    rest = ~matching
    made, won = np.cumsum(rest), np.cumsum(rest & success)
    overall = won[-1] / made[-1] if len(made) and made[-1] else 0.5
    here = times_ms[matching]
    last = np.searchsorted(times_ms, here, side="right")
    first = np.searchsorted(times_ms, here - BASE_RATE_DAYS * _DAY_MS, side="right")
    count, wins = (np.concatenate(([0], total)) for total in (made, won))
    rates = (wins[last] - wins[first] + prior_decisions * overall) / (count[last] - count[first] + prior_decisions)
    return np.asarray(np.clip(rates, _LEAST_RATE, 1 - _LEAST_RATE), dtype=np.float64)


def steps_towards_change(success: BoolArray, base_rates: FloatArray, log_odds: float) -> FloatArray:
    """Return ℓ of each outcome, in order: above 0 where it speaks for "no different from the rest".

    With the sign turned it speaks for a pattern that has come back.
    """
    odds = base_rates / (1 - base_rates) * exp(log_odds)
    held = odds / (1 + odds)
    return np.where(success, np.log(base_rates / held), np.log((1 - base_rates) / (1 - held)))


def running_sums(steps: FloatArray, start: float = 0.0) -> FloatArray:
    """Return S before the first step and after each, beginning at `start`; shape (steps + 1,)."""
    walk = np.concatenate(([start], steps)).cumsum()
    return np.asarray(walk - np.minimum(np.minimum.accumulate(walk), 0.0), dtype=np.float64)


def mean_delay(base_rate: float, log_odds: float, false_alarm_decisions: float) -> float:
    """Return how many matching decisions pass at most, on average, from the end of a pattern to its alarm.

    Args:
        base_rate: the rest's success rate, which the pattern's decisions have fallen to.
        log_odds: what the pattern was held to.
        false_alarm_decisions: A, the mean number of decisions between false alarms, at least.
    """
    base = _kept_off(base_rate)
    steps = steps_towards_change(np.array([True, False]), np.array([base, base]), log_odds)
    rise = base * steps[0] + (1 - base) * steps[1]
    return float((log(false_alarm_decisions) + np.max(steps)) / rise)


def _kept_off(rate: float) -> float:
    return min(max(rate, _LEAST_RATE), 1 - _LEAST_RATE)


def _logit(rate: float) -> float:
    return log(rate / (1 - rate))
