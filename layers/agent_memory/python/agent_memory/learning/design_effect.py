"""The design effect: how many independent decisions a sample of correlated ones is worth.

Decisions that are made close in time share the market's fortune, so their outcomes are correlated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent_memory.learning.array_types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class TimeBlocks:
    """Decisions in order of time, grouped into blocks, and the correlation of outcomes within a block.

    `labels[i]` is the block of decision i and never decreases; `correlation` is 0 to 1. `ends` are the positions of
    each block's last decision, `sizes` the number of decisions in each.
    """

    labels: IntArray
    correlation: float
    ends: IntArray = field(init=False)
    sizes: IntArray = field(init=False)

    def __post_init__(self) -> None:
        labels = self.labels
        is_end = np.append(labels[1:] != labels[:-1], True) if len(labels) else np.empty(0, np.bool_)
        ends = np.flatnonzero(is_end)
        object.__setattr__(self, "ends", ends)
        object.__setattr__(self, "sizes", np.diff(ends, prepend=-1))

    def select(self, which: IntArray | slice) -> "TimeBlocks":
        """Return the blocks of some of the decisions, with the correlation of all of them."""
        return TimeBlocks(self.labels[which], self.correlation)


def time_blocks(times_ms: IntArray, success: BoolArray, window_ms: int) -> TimeBlocks:
    """Group decisions by consecutive windows of `window_ms`, and estimate the correlation within a window."""
    _, labels = np.unique(times_ms // window_ms, return_inverse=True)
    labels = labels.astype(np.int64)
    return TimeBlocks(labels, intraclass_correlation(labels, success))


def effective_sample_sizes(matching: BoolArray, windows: Sequence[TimeBlocks]) -> tuple[float, float]:
    """Return how many independent decisions the matching ones are worth, and the rest.

    Of several windows (a minute, a day) the one with the largest design effect counts.
    """
    # Decisions are in order of time, so a block's matching ones are a difference of cumulative counts.
    cumulative = np.cumsum(matching, dtype=np.int64)
    matching_count = int(cumulative[-1]) if len(cumulative) else 0
    rest_count = len(matching) - matching_count
    matching_effect, rest_effect = 1.0, 1.0
    for blocks in windows:
        if blocks.correlation > 0:
            sizes = np.diff(cumulative[blocks.ends], prepend=0)
            matching_effect = max(matching_effect, design_effect(sizes, blocks.correlation))
            rest_effect = max(rest_effect, design_effect(blocks.sizes - sizes, blocks.correlation))
    return matching_count / matching_effect, rest_count / rest_effect


def intraclass_correlation(labels: IntArray, success: BoolArray) -> float:
    """Estimate the correlation of two outcomes of one block, 0 to 1, by analysis of variance.

    With k blocks of m_i decisions, N in all: ρ = (MSB − MSW) / (MSB + (m₀ − 1)·MSW), where MSB and MSW are the mean
    squares between and within blocks and m₀ = (N − Σm_i²/N)/(k − 1). A negative estimate counts as 0.
    Donner, International Statistical Review 54 (1986) 67-82; Ridout, Demétrio and Firth, Biometrics 55 (1999)
    137-148, for binary outcomes.
    """
    sizes = np.bincount(labels).astype(np.float64)
    total, count = float(len(success)), len(sizes)
    if count < 2 or total == count:  # noqa: PLR2004
        return 0.0
    won = np.bincount(labels, weights=success.astype(np.float64))
    between_and_mean = float(np.sum(won * won / sizes))
    mean_square_between = (between_and_mean - float(won.sum()) ** 2 / total) / (count - 1)
    mean_square_within = (float(won.sum()) - between_and_mean) / (total - count)
    typical_size = (total - float(np.sum(sizes * sizes)) / total) / (count - 1)
    spread = mean_square_between + (typical_size - 1) * mean_square_within
    if spread <= 0:
        return 0.0
    return float(np.clip((mean_square_between - mean_square_within) / spread, 0.0, 1.0))


def design_effect(sizes: IntArray | FloatArray, correlation: float) -> float:
    """Return the factor by which blocks of these sizes inflate the variance of a rate; at least 1.

    deff = 1 + (m′ − 1)·ρ with m′ = Σm²/Σm, the mean size of the block that a decision is in. n/deff is the effective
    sample size. Kish, Survey Sampling (1965) §5.4; unequal sizes: Kerry and Bland, Statistics in Medicine 20 (2001)
    377-390; dividing counts by it: Rao and Scott, Biometrics 48 (1992) 577-585.
    """
    total = float(np.sum(sizes))
    if total == 0:
        return 1.0
    mean_size = float(np.dot(sizes, sizes)) / total
    return max(1.0, 1.0 + (mean_size - 1.0) * correlation)
