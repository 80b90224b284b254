"""How often an experiment finds a difference that memory makes, and one that it does not: `make bench-experiments`.

Eight agents make 24 decisions a day each, and memory is withheld from half of them by `Experiment`. A life is looked at
after every day, as the nightly job does. In null lives memory makes no difference; in the others it adds three points
of success. Assignments, arms and intervals are the product's own; outcomes are drawn here.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from agent_memory.learning.uplift import Arm, Stratum, randomized_uplift
from agent_memory.model.experiments import Experiment
from benchmarks.tables import Row, print_table

AGENTS, CYCLES = 8, 24
SHARE = 0.5


class Lives(NamedTuple):
    """Lives of several agents with one experiment.

    Attributes:
        lives: how many.
        days: how many days each is looked at.
        base: success rate without memory.
        effect: what memory adds to it.
    """

    lives: int
    days: int
    base: float
    effect: float


def days_until_found(lives: Lives, *, seed: int = 0) -> list[int | None]:
    """The first day, from 1 on, at which the interval of each life excludes zero; None if it never does."""
    return [_first_night(lives, number, np.random.default_rng((seed, number))) for number in range(lives.lives)]


def share_found(found: Sequence[int | None]) -> float:
    """The share of lives whose interval excluded zero at some day."""
    return sum(one is not None for one in found) / len(found)


def _first_night(lives: Lives, number: int, rng: np.random.Generator) -> int | None:
    experiments = [Experiment(f"life-{number}-agent-{agent}", SHARE) for agent in range(AGENTS)]
    decided, succeeded = np.zeros((AGENTS, 2), dtype=np.int64), np.zeros((AGENTS, 2), dtype=np.int64)
    for day in range(lives.days):
        withheld = np.array([[one.withholds_from(f"{day}-{cycle}") for cycle in range(CYCLES)] for one in experiments])
        success = rng.random((AGENTS, CYCLES)) < lives.base + lives.effect * ~withheld
        for arm in (0, 1):
            decided[:, arm] += (withheld == arm).sum(axis=1)
            succeeded[:, arm] += (success & (withheld == arm)).sum(axis=1)
        strata = [
            Stratum(*(_arm(int(decided[agent, arm]), int(succeeded[agent, arm])) for arm in (0, 1)))
            for agent in range(AGENTS)
        ]
        if randomized_uplift(strata).excludes_zero:
            return day + 1
    return None


def _arm(decided: int, succeeded: int) -> Arm:
    """The arm of units with one decision each, from counts: what `Arm.of` gives for their results."""
    if not decided:
        return Arm.of([])
    rate = succeeded / decided
    return Arm(decided, decided, rate, rate * (1 - rate) / (decided - 1) if decided > 1 else None, rate)


def rows(lives: int) -> Iterator[Row]:
    """How often a difference is found, by base rate and by what memory adds."""
    for base in (0.5, 0.58):
        for effect, days, goal in ((0.0, 180, "≤ 5 %"), (0.03, 60, "≥ 80 %"), (-0.03, 60, ""), (0.06, 60, "")):
            found = days_until_found(Lives(lives, days, base, effect))
            median = f", in the median after {np.median(known):.0f}" if (known := [one for one in found if one]) else ""
            name = f"{100 * effect:+.0f} points on {base:.0%}, {days} days"
            yield name, f"{share_found(found):.1%} of {lives} lives{median}", goal


if __name__ == "__main__":
    print_table("Interval excludes zero at some day", list(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 200)))
