"""Decisions made close in time share the market's luck: how many independent ones they are worth."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent_memory.learning.columns import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Decisions in order of time, grouped into blocks, and how alike outcomes within a block are.

    `of[i]` is the number of decision i's block and never falls; `correlation` lies between 0 and 1. `last` are
    the places of each block's last decision, `sizes` how many decisions each has.
    """

    of: IntArray
    correlation: float
    last: IntArray = field(init=False)
    sizes: IntArray = field(init=False)

    def __post_init__(self) -> None:
        is_last = np.append(self.of[1:] != self.of[:-1], True) if len(self.of) else np.empty(0, np.bool_)
        last = np.flatnonzero(is_last)
        object.__setattr__(self, "last", last)
        object.__setattr__(self, "sizes", np.diff(last, prepend=-1))

    def only(self, which: IntArray | slice) -> "Blocks":
        """Return some of the decisions, in order of time still, with the correlation of all."""
        return Blocks(self.of[which], self.correlation)


def blocks_of(times_ms: IntArray, success: BoolArray, step_ms: int) -> Blocks:
    """Group decisions whose times fall into the same step of `step_ms` and estimate their correlation."""
    _, of = np.unique(times_ms // step_ms, return_inverse=True)
    of = of.astype(np.int64)
    return Blocks(of, intra_class_correlation(of, success))


def effective_sizes(matching: BoolArray, scales: Sequence[Blocks]) -> tuple[float, float]:
    """Return how many independent decisions the matching ones are worth, and the rest.

    Of several scales of time (a moment, a day) the one that leaves the fewest counts.
    """
    # Of decisions in order of time, a block's matching ones are a difference of running totals.
    running = np.cumsum(matching, dtype=np.int64)
    ours = int(running[-1]) if len(running) else 0
    others = len(matching) - ours
    our_effect, other_effect = 1.0, 1.0
    for blocks in scales:
        if blocks.correlation > 0:
            here = np.diff(running[blocks.last], prepend=0)
            our_effect = max(our_effect, design_effect(here, blocks.correlation))
            other_effect = max(other_effect, design_effect(blocks.sizes - here, blocks.correlation))
    return ours / our_effect, others / other_effect


def intra_class_correlation(blocks: IntArray, success: BoolArray) -> float:
    """Estimate the correlation of two outcomes of one block, 0 to 1, by analysis of variance.

    With k blocks of m_i decisions, N in all: ρ = (MSB − MSW) / (MSB + (m₀ − 1)·MSW), where MSB and MSW are the
    mean squares between and within blocks and m₀ = (N − Σm_i²/N)/(k − 1). An estimate below 0 counts as 0.
    Donner, International Statistical Review 54 (1986) 67-82; Ridout, Demétrio and Firth, Biometrics 55 (1999)
    137-148, for binary outcomes.
    """
    sizes = np.bincount(blocks).astype(np.float64)
    total, count = float(len(success)), len(sizes)
    if count < 2 or total == count:  # noqa: PLR2004
        return 0.0
    won = np.bincount(blocks, weights=success.astype(np.float64))
    between_and_mean = float(np.sum(won * won / sizes))
    mean_square_between = (between_and_mean - float(won.sum()) ** 2 / total) / (count - 1)
    mean_square_within = (float(won.sum()) - between_and_mean) / (total - count)
    typical_size = (total - float(np.sum(sizes * sizes)) / total) / (count - 1)
    spread = mean_square_between + (typical_size - 1) * mean_square_within
    if spread <= 0:
        return 0.0
    return float(np.clip((mean_square_between - mean_square_within) / spread, 0.0, 1.0))


def design_effect(sizes: IntArray | FloatArray, correlation: float) -> float:
    """Return by how much blocks of these sizes blow up the variance of a rate; at least 1.

    deff = 1 + (m′ − 1)·ρ with m′ = Σm²/Σm, the size of block that a decision sees on average. n/deff is the
    effective sample size. Kish, Survey Sampling (1965) §5.4; unequal sizes: Kerry and Bland, Statistics in
    Medicine 20 (2001) 377-390; dividing counts by it: Rao and Scott, Biometrics 48 (1992) 577-585.
    """
    total = float(np.sum(sizes))
    if total == 0:
        return 1.0
    seen = float(np.dot(sizes, sizes)) / total
    return max(1.0, 1.0 + (seen - 1.0) * correlation)
