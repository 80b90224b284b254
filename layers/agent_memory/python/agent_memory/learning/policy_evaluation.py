"""What another policy would have achieved, from decisions that were logged with their propensities.

With the probability π that the other policy makes the logged choice, its propensity p when it was made, and the result
r, the weight of a decision is w = min(π/p, M). Over n decisions:

    IPS     Σ w r / n                                     Horvitz and Thompson, J. Am. Stat. Assoc. 47 (1952) 663-685
    SNIPS   Σ w r / Σ w                                   Swaminathan and Joachims, NIPS 28 (2015) 3231-3239
    DR      Σ (Σₐ π(a) q(a) + w (r − q(chosen))) / n      Dudík, Erhan, Langford and Li, Statistical Science 29 (2014)
                                                          485-511

q(a) is the mean result of an option, shrunk towards that of all options as if there were ten more decisions with the
overall mean, and estimated from the other half of the decisions. Weights are capped at M = √n, so that the bias
vanishes as the variance does (Ionides, J. Comput. Graph. Stat. 17 (2008) 295-311). The effective number of decisions is
(Σ w)² / Σ w² (Kish, *Survey Sampling*, 1965).

Results that are rare make a skewed estimate, whose normal interval misses the truth on one side. The interval inverts
Hall's transformation (J. R. Stat. Soc. B 54 (1992) 221-228), which removes the skewness γ of the mean of n terms:

    g(T) = T + γT²/3√n + γ²T³/27n + γ/6√n
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import copysign, fsum, isfinite, sqrt
from numbers import Real
from typing import Any

from agent_memory.core.errors import InvalidInput, shown
from agent_memory.learning.intervals import Z_95

MIN_EFFECTIVE = 100.0
"""Effective decisions below which nothing is stated."""
MIN_SUPPORT = 0.8
"""The part of the other policy that the log must speak of; for the rest, it never or hardly ever chose alike."""
_MAX_MEAN_WEIGHT = 1.25
_PRIOR_DECISIONS = 10.0
_FOLDS = 2
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class LoggedChoice:
    """A choice that was made with a known probability, and what came of it.

    Attributes:
        option: what was chosen.
        propensity: the probability with which it was, over 0 and up to 1.
        reward: the result.
        probabilities: of each option under the other policy, in the same situation; those left out have 0.
        cluster: decisions with the same text share their luck and count as one; empty for a decision by itself.
    """

    option: str
    propensity: float
    reward: float
    probabilities: Mapping[str, float]
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The value of a policy, its mean reward, by one estimator; the interval covers 95 %."""

    value: float
    interval: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """The estimate as in the APIs."""
        return {"value": self.value, "interval": list(self.interval)}


@dataclass(frozen=True, slots=True)
class PolicyEvaluation:
    """What another policy would have achieved on the logged decisions, or why that cannot be known.

    Attributes:
        decisions: how many were used.
        effective: how many decisions of its own the weighted ones are worth.
        max_weight: the cap on weights.
        capped: how many weights were cut to it.
        support: the mean weight, near 1 if the log has what the policy would choose.
        logged: the mean reward of the decisions themselves; None without any.
        refused: why no estimate is given; None where there are estimates.
        ips, snips, doubly_robust: the estimates.
    """

    decisions: int
    effective: float
    max_weight: float
    capped: int
    support: float
    logged: float | None
    refused: str | None = None
    ips: Estimate | None = None
    snips: Estimate | None = None
    doubly_robust: Estimate | None = None

    def as_dict(self) -> dict[str, Any]:
        """The evaluation as in the APIs."""
        estimates = {"ips": self.ips, "snips": self.snips, "doubly_robust": self.doubly_robust}
        return {
            "decisions": self.decisions,
            "effective": self.effective,
            "max_weight": self.max_weight,
            "capped": self.capped,
            "support": self.support,
            "logged": self.logged,
            "refused": self.refused,
            **{name: None if one is None else one.as_dict() for name, one in estimates.items()},
        }


def evaluate_choices(choices: Sequence[LoggedChoice], *, max_weight: float | None = None) -> PolicyEvaluation:
    """Estimate what another policy would have achieved.

    Nothing is estimated below 100 effective decisions, and unless at least four fifths of the policy's choices are in
    the log: then `refused` says why.

    Args:
        choices: the logged choices, in the order of their time.
        max_weight: the cap on weights, 1 or more; by default the root of the number of decisions.

    Raises:
        InvalidInput: a propensity or a probability is none, or the probabilities of a situation exceed 1.
    """
    cap = _checked_cap(max_weight, len(choices))
    full = [_weight(one, index) for index, one in enumerate(choices)]
    weights = [min(weight, cap) for weight in full]
    total, squares = fsum(weights), fsum(weight * weight for weight in weights)
    count = len(choices)
    evaluation = PolicyEvaluation(
        decisions=count,
        effective=total * total / squares if squares else 0.0,
        max_weight=cap,
        capped=sum(weight > cap for weight in full),
        support=total / count if count else 0.0,
        logged=fsum(one.reward for one in choices) / count if count else None,
        refused=_refusal(weights, total, squares),
    )
    if evaluation.refused is not None:
        return evaluation
    weighted = [weight * one.reward for weight, one in zip(weights, choices, strict=True)]
    ips, snips = fsum(weighted) / count, fsum(weighted) / total
    influences = [weight * (one.reward - snips) * count / total for weight, one in zip(weights, choices, strict=True)]
    robust = _doubly_robust_terms(choices, weights)
    value = fsum(robust) / count
    clusters = [one.cluster for one in choices]
    return PolicyEvaluation(
        **{name: getattr(evaluation, name) for name in ("decisions", "effective", "max_weight", "capped", "support")},
        logged=evaluation.logged,
        ips=Estimate(ips, _interval(ips, [term - ips for term in weighted], clusters)),
        snips=Estimate(snips, _interval(snips, influences, clusters)),
        doubly_robust=Estimate(value, _interval(value, [term - value for term in robust], clusters)),
    )


def _checked_cap(max_weight: float | None, count: int) -> float:
    if max_weight is None:
        return max(1.0, sqrt(count))
    if not _is_number(max_weight) or not isfinite(max_weight) or max_weight < 1:
        raise InvalidInput("max_weight", f"{shown(max_weight)} is not a number of 1 or more")
    return float(max_weight)


def _weight(choice: LoggedChoice, index: int) -> float:
    if not 0 < choice.propensity <= 1:
        raise InvalidInput(f"choices/{index}/propensity", f"{shown(choice.propensity)} is not over 0 and up to 1")
    if not isfinite(choice.reward):
        raise InvalidInput(f"choices/{index}/reward", f"{shown(choice.reward)} is not a number")
    total = 0.0
    for option, probability in choice.probabilities.items():
        if not _is_number(probability) or not 0 <= probability <= 1 + _TOLERANCE:
            raise InvalidInput(f"policy/{option}", f"{shown(probability)} is not a probability")
        total += probability
    if total > 1 + _TOLERANCE:
        raise InvalidInput("policy", f"the probabilities of the options add up to {total:.6g}, over 1")
    return choice.probabilities.get(choice.option, 0.0) / choice.propensity


def _is_number(value: object) -> bool:
    return isinstance(value, Real)


def _refusal(weights: Sequence[float], total: float, squares: float) -> str | None:
    count = len(weights)
    if not count:
        return "no decision has a propensity and an outcome"
    effective = total * total / squares if squares else 0.0
    mean = total / count
    error = sqrt(max(0.0, squares / count - mean * mean) / count)
    if mean + Z_95 * error < MIN_SUPPORT:
        return (
            f"weights average {mean:.2f}: the log has only about that part of what the policy would choose, "
            f"and {MIN_SUPPORT:.0%} are needed; let the logged policy explore more"
        )
    if effective < MIN_EFFECTIVE:
        return (
            f"the decisions are worth {effective:.0f} of the policy's own, and {MIN_EFFECTIVE:.0f} are needed: "
            "take a longer time, or a policy that is closer to the logged one"
        )
    if mean - Z_95 * error > _MAX_MEAN_WEIGHT:
        return f"weights average {mean:.2f} instead of 1: the logged propensities are not those of these choices"
    return None


def _doubly_robust_terms(choices: Sequence[LoggedChoice], weights: Sequence[float]) -> list[float]:
    """Each decision's term of the estimate, with means of the other fold."""
    terms = [0.0] * len(choices)
    for fold in range(_FOLDS):
        others = [one for index, one in enumerate(choices) if index % _FOLDS != fold]
        means, overall = _option_means(others)
        for index in range(fold, len(choices), _FOLDS):
            one = choices[index]
            # Probability that the policy leaves out is that of options which nothing is known of.
            rest = 1.0 - fsum(one.probabilities.values())
            expected = fsum(p * means.get(option, overall) for option, p in one.probabilities.items()) + rest * overall
            terms[index] = expected + weights[index] * (one.reward - means.get(one.option, overall))
    return terms


def _option_means(choices: Sequence[LoggedChoice]) -> tuple[dict[str, float], float]:
    """The shrunk mean reward of each option, and that of all decisions."""
    if not choices:
        return {}, 0.0
    overall = fsum(one.reward for one in choices) / len(choices)
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for one in choices:
        sums[one.option] = sums.get(one.option, 0.0) + one.reward
        counts[one.option] = counts.get(one.option, 0) + 1
    means = {
        name: (total + _PRIOR_DECISIONS * overall) / (counts[name] + _PRIOR_DECISIONS) for name, total in sums.items()
    }
    return means, overall


def _interval(value: float, deviations: Sequence[float], clusters: Sequence[str]) -> tuple[float, float]:
    """The 95 % interval of a mean whose terms deviate by these amounts, terms of a cluster taken together."""
    sums: dict[str, float] = {}
    terms: list[float] = []
    for deviation, cluster in zip(deviations, clusters, strict=True):
        if cluster:
            sums[cluster] = sums.get(cluster, 0.0) + deviation
        else:
            terms.append(deviation)
    terms += sums.values()
    # Of as many terms as there are decisions, so that the mean stays that of decisions.
    scale = len(terms) / len(deviations)
    variance = fsum(term * term for term in terms) / len(terms)
    if variance == 0:
        return value, value
    spread, root = sqrt(variance), sqrt(len(terms))
    skewness = fsum(term**3 for term in terms) / len(terms) / spread**3
    lower, upper = (_untransformed(z, skewness / root) * spread / root * scale for z in (Z_95, -Z_95))
    return value - lower, value - upper


def _untransformed(z: float, skew: float) -> float:
    """The T for which Hall's transformation is z, where `skew` is γ/√n."""
    if abs(skew) < _TOLERANCE:
        return z
    inner = 1 + skew * (z - skew / 6)
    return 3 / skew * (copysign(pow(abs(inner), 1 / 3), inner) - 1)
