"""Brings an estimate up to date with results that came after the nightly job made it.

The posterior of an option's effects is Gaussian, so that a result changes it in closed form: the update of a Kalman
filter whose state does not move (Kalman, "A new approach to linear filtering and prediction problems", Journal of
Basic Engineering 82, 1960). Only what the option itself is known by changes; what a result says about other options is
left to the next nightly job, and so are options that the estimate does not know.

Plain Python, because what serves requests has no numpy.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.learning.expected_results import covariance_of, lower_index, present_effects


@dataclass(frozen=True, slots=True)
class RecentResult:
    """A result of a decision that chose an option.

    Attributes:
        option: its name.
        facts: of the decision's context.
        result: success as 0 or 1, or a reward.
        share: its weight, where several results share one outcome.
    """

    option: str
    facts: Container[str]
    result: float
    share: float = 1.0


def with_recent(estimate: Mapping[str, Any], result: str, recent: Iterable[RecentResult]) -> dict[str, Any]:
    """Return an estimate's data after these results, which count as new decisions.

    Args:
        estimate: the data of the memory, which is not changed.
        result: which model of it these are results of, `success` or `reward`.
        recent: the results, in any order.
    """
    model = estimate[result]
    known = {one["option"]: one for one in model["options"] if one["weight"]}
    results: dict[tuple[str, tuple[int, ...]], list[tuple[float, float]]] = defaultdict(list)
    for one in recent:
        if one.option in known:
            present, _ = present_effects(estimate, known[one.option]["features"], one.facts)
            results[one.option, tuple(present)].append((one.result, one.share))
    variance = model["result_deviation"] ** 2 * model.get("design_effect", 1)
    for (option, effects), of_context in sorted(results.items()):
        stored, unit = covariance_of(known[option], model["result_deviation"])
        covariance = [unit * one for one in stored]
        known[option] = _updated(known[option], covariance, effects, of_context, variance)
    options = [known.get(one["option"], one) for one in model["options"]]
    return {**estimate, result: {**model, "options": options}}


def _updated(
    option: Mapping[str, Any],
    covariance: list[float],
    effects: Sequence[int],
    results: Sequence[tuple[float, float]],
    variance: float,
) -> dict[str, Any]:
    """An option after results, with their shares, in the context that has these effects; `covariance` is changed."""
    means = list(option["means"])
    weight = sum(share for _, share in results)
    mean_result = sum(share * result for result, share in results) / weight
    shared = [sum(covariance[lower_index(row, one)] for one in effects) for row in range(len(means))]
    total = sum(shared[one] for one in effects) + variance / weight
    surprise = mean_result - sum(means[one] for one in effects)
    gains = [one / total for one in shared]
    index = 0
    for row, gain in enumerate(gains):
        means[row] += gain * surprise
        for column in range(row + 1):
            covariance[index] -= gain * shared[column]
            index += 1
    return {**option, "means": means, "covariance": covariance, "weight": option["weight"] + weight}
