"""Chooses among options by what to expect of them, with the probability of each choice.

Thompson sampling (Biometrika 25, 1933) draws a result for each option from its posterior and takes the highest: options
are chosen as often as they are the best as far as is known. The draws are independent, so that probabilities are
integrals over one dimension: an option i is among the k best where at most k - 1 others exceed it,

    P(i among the k best) = ∫ φ_i(x) P(fewer than k of the others exceed x) dx

and a set S is chosen where the highest of all others, with the density f, is below each of its members:

    P(S) = ∫ f(x) Π_{i in S} (1 - Φ_i(x)) dx

They are computed by Gauss-Legendre quadrature to 1e-6. The greedy rule takes the k highest expectations; with a set
probability, the last of them is replaced by one of the others, each alike.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

PROPENSITY_ERROR = 1e-6
"""By how much a probability of Thompson sampling may be off."""
_LEAST = 1e-12
_SPAN = 7
_NODES = (
    (-0.8611363115940526, 0.3478548451374538),
    (-0.3399810435848563, 0.6521451548625461),
    (0.3399810435848563, 0.6521451548625461),
    (0.8611363115940526, 0.3478548451374538),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, best first.

    Attributes:
        chosen: the options.
        propensities: the probability of each option to be among the chosen ones.
        joint_propensity: the probability of exactly this set.
    """

    chosen: tuple[str, ...]
    propensities: Mapping[str, float]
    joint_propensity: float


def choose_greedily(means: Mapping[str, float], count: int, exploration: float, chance: random.Random) -> Choice:
    """Choose the options with the highest means; of equal ones those that are named first."""
    ranked = sorted(means, key=lambda option: -means[option])
    best, others = ranked[:count], ranked[count:]
    if not others:
        return Choice(tuple(best), dict.fromkeys(best, 1.0), 1.0)
    explores = chance.random() < exploration
    chosen = [*best[:-1], others[chance.randrange(len(others))]] if explores else best
    propensities = dict.fromkeys(best[:-1], 1.0) | {best[-1]: 1 - exploration}
    propensities |= dict.fromkeys(others, exploration / len(others))
    return Choice(tuple(chosen), propensities, exploration / len(others) if explores else 1 - exploration)


def choose_by_thompson_sampling(
    posteriors: Mapping[str, tuple[float, float]], count: int, chance: random.Random
) -> Choice:
    """Choose the options whose draws are highest; `posteriors` are their means and standard deviations, above 0."""
    draws = {option: chance.gauss(mean, deviation) for option, (mean, deviation) in posteriors.items()}
    ranked = sorted(draws, key=lambda option: -draws[option])
    chosen, names = tuple(ranked[:count]), list(posteriors)
    if len(ranked) <= count:
        return Choice(chosen, dict.fromkeys(names, 1.0), 1.0)
    normals = list(posteriors.values())
    is_chosen = [option in chosen for option in names]
    inclusion, joint = [0.0] * len(names), 0.0
    for x, weight in _nodes(normals):
        below = [_cumulative((x - mean) / deviation) for mean, deviation in normals]
        densities = [_density((x - mean) / deviation) / deviation for mean, deviation in normals]
        for index, fewer in enumerate(_probabilities_of_fewer(below, count)):
            inclusion[index] += weight * densities[index] * fewer
        joint += weight * _density_of_set(below, densities, is_chosen)
    propensities = {option: _probability(one) for option, one in zip(names, inclusion, strict=True)}
    return Choice(chosen, propensities, _probability(joint))


def _nodes(normals: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield the nodes and weights of an integral over everything that the densities of these normals cover."""
    edges = sorted({mean + step * deviation for mean, deviation in normals for step in range(-_SPAN, _SPAN + 1)})
    for low, high in pairwise(edges):
        half, middle = (high - low) / 2, (high + low) / 2
        for node, weight in _NODES:
            yield middle + half * node, half * weight


def _probabilities_of_fewer(below: Sequence[float], count: int) -> list[float]:
    """For each option the probability that fewer than `count` of the others exceed x, by a product from both sides."""
    before = [[1.0] + [0.0] * (count - 1)]
    for one in below[:-1]:
        before.append(_with_another(before[-1], one))
    after, found = [1.0] + [0.0] * (count - 1), []
    for index in range(len(below) - 1, -1, -1):
        cumulated, total = 0.0, 0.0
        for others in range(count):
            cumulated += after[others]
            total += before[index][count - 1 - others] * cumulated
        found.append(total)
        after = _with_another(after, below[index])
    return found[::-1]


def _with_another(exceeding: Sequence[float], below: float) -> list[float]:
    """The probabilities that 0, 1, ... options exceed x, with one more, which is below it with this probability."""
    shifted = [0.0, *exceeding[:-1]]
    return [same * below + fewer * (1 - below) for same, fewer in zip(exceeding, shifted, strict=True)]


def _density_of_set(below: Sequence[float], densities: Sequence[float], is_chosen: Sequence[bool]) -> float:
    """The density of the highest other option at x, times the probability that all chosen ones are above x."""
    none, highest, above = 1.0, 0.0, 1.0
    for probability, density, chosen in zip(below, densities, is_chosen, strict=True):
        if chosen:
            above *= 1 - probability
        else:
            highest = highest * probability + none * density
            none *= probability
    return highest * above


def _probability(value: float) -> float:
    """A probability without the error of the quadrature at its ends; what may be chosen never has the probability 0."""
    return min(max(value, _LEAST), 1.0)


def _cumulative(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


def _density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
