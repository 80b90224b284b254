"""Recognises decisions that may be copies of one position which the record does not name.

An agent that logs a position again and again records what the position is, which stays the same, and what the market
does meanwhile, which does not. Which facts are which is not known. But decisions of a few days that agree in all facts
of the position are much more frequent than by chance, while those that also agree in the facts of the market, or only
in some of the position's, are hardly more frequent than that.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import IntArray, WordArray
from agent_memory.learning.evidence import key_of
from agent_memory.learning.feature_matrix import FeatureMatrix

_WINDOW_MS = 4 * DAY_MS
_MINUTE_MS = 60_000
# Of more decisions, these are enough to see which facts copies agree in.
_SAMPLE = 8_000
# Of the pairs that agree, more than half are then more than chance.
_LEAST_RATIO = 2.0
# Of the agreement of one decision and the next that is beyond chance.
_LASTING = 0.5
# In units of the logarithm of the likelihood.
_LEAST_EVIDENCE = 10.0


def facts_of_positions(matrix: FeatureMatrix, times_ms: IntArray) -> list[list[int]]:
    """The facts, all or none of a key, in which pairs of decisions agree together more often than by chance.

    Of all sets of keys that leaving out one key after the other leads to, it is the one whose pairs are the least
    probable if keys agreed independently of each other: with m pairs that agree, where e are expected, the logarithm of
    Poisson's likelihood ratio, m·ln(m/e) - m + e, is largest.

    Facts of the market agree together as well, as long as they last. So a second set is that of the keys of which one
    decision does not tell the next one's, as it does where the market, or one position after the other, is logged.

    Args:
        matrix: the facts that are worth counting.
        times_ms: of the decisions, ascending; shape (decisions,).

    Returns:
        Positions in the matrix, in none, one or two sets: those that agree together twice as often as by chance.
    """
    of_keys: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(matrix.names):
        of_keys[key_of(name)].append(number)
    if len(times_ms) < 2:  # noqa: PLR2004
        return []
    sample, rows = _sample(times_ms), list(of_keys.values())
    random = random_words(len(matrix.names))
    pairs = _Pairs([_sums(matrix, of_key, sample, random) for of_key in rows], times_ms[sample])
    found: list[tuple[int, ...]] = []
    for keys in (tuple(range(len(rows))), pairs.passing_keys()):
        best = max(pairs.agreements(keys), key=lambda one: one.evidence, default=None)
        if best and best.evidence > _LEAST_EVIDENCE and best.agreeing > _LEAST_RATIO * best.expected:
            found.append(best.keys)
    return [[row for key in keys for row in rows[key]] for keys in dict.fromkeys(found)]


def random_words(count: int, seed: int = 0) -> WordArray:
    """Random 64-bit numbers, one for each fact; two sets have the same sum with a probability of 2^-64."""
    return np.random.default_rng(seed).integers(0, 2**63, size=count, dtype=np.uint64)


def _sums(matrix: FeatureMatrix, rows: Sequence[int], decisions: IntArray, random: WordArray) -> WordArray:
    """A number for the facts that each of these decisions has of these."""
    has_fact = matrix.rows[rows][:, decisions]
    return np.asarray(np.where(has_fact, random[rows, None], np.uint64(0)).sum(axis=0), dtype=np.uint64)


def _sample(times_ms: IntArray) -> IntArray:
    """The positions of the decisions of as many windows, spread over the record, as the sample has room for."""
    if len(times_ms) <= _SAMPLE:
        return np.arange(len(times_ms))
    windows = (times_ms - times_ms[0]) // _WINDOW_MS
    _, first, counts = np.unique(windows, return_index=True, return_counts=True)
    room = max(1, int(_SAMPLE / np.mean(counts)))
    chosen = np.unique(np.linspace(0, len(first) - 1, room).astype(np.int64))
    return np.concatenate([np.arange(first[one], first[one] + min(counts[one], _SAMPLE)) for one in chosen])


@dataclass(frozen=True, slots=True)
class _Agreement:
    """How many pairs of decisions agree in all of these keys, and how many would by chance."""

    keys: tuple[int, ...]
    agreeing: float
    expected: float

    @property
    def evidence(self) -> float:
        """The logarithm of the likelihood ratio of more pairs than expected; 0 for fewer."""
        if self.agreeing <= self.expected:
            return 0.0
        return self.agreeing * float(np.log(self.agreeing / self.expected)) - self.agreeing + self.expected


class _Pairs:
    """Pairs of decisions of one window of time, but not of one minute, which windows of a minute know of."""

    def __init__(self, sums: Sequence[WordArray], times_ms: IntArray) -> None:
        self._sums = sums
        self._is_followed = np.diff(times_ms // _MINUTE_MS) > 0  # by one that is not of the same minute
        self._window, self._minute = (
            _words((times_ms - times_ms[0]) // length_ms, seed)
            for seed, length_ms in enumerate((_WINDOW_MS, _MINUTE_MS), start=1)
        )
        self._count = self._agreeing(np.zeros(len(times_ms), dtype=np.uint64))
        # Of none it is not known how rare they are: at least half a pair.
        self._shares = [max(self._agreeing(one), 0.5) / max(self._count, 1.0) for one in sums]

    def passing_keys(self) -> tuple[int, ...]:
        """The keys in which a decision and the next agree hardly more often than any two."""
        followed = max(1, int(np.count_nonzero(self._is_followed)))
        kept: list[int] = []
        for key, (sums, share) in enumerate(zip(self._sums, self._shares, strict=True)):
            together = np.count_nonzero((sums[1:] == sums[:-1]) & self._is_followed) / followed
            if together - share < _LASTING * (1 - share):
                kept.append(key)
        return tuple(kept)

    def agreements(self, keys: tuple[int, ...]) -> Iterator[_Agreement]:
        """Agreement in all of these keys, then without one after the other, as long as that is more evidence."""
        if len(keys) < 2:  # noqa: PLR2004  with one key there is nothing to agree together
            return
        latest = self._agreement(keys)
        yield latest
        while len(keys) > 2:  # noqa: PLR2004
            others = [self._agreement((*keys[:turn], *keys[turn + 1 :])) for turn in range(len(keys))]
            # If no pairs agree in so many keys, the one that fewest agree in is left out.
            following = max(others, key=lambda one: (one.evidence, one.expected))
            if following.evidence < latest.evidence:
                return
            yield following
            keys, latest = following.keys, following

    def _agreement(self, keys: tuple[int, ...]) -> _Agreement:
        """Count the pairs that agree in all of these keys."""
        expected = self._count * float(np.prod([self._shares[key] for key in keys]))
        return _Agreement(keys, self._agreeing(np.sum([self._sums[key] for key in keys], axis=0)), expected)

    def _agreeing(self, sums: WordArray) -> float:
        return _equal_pairs(sums + self._window) - _equal_pairs(sums + self._minute)


def _words(numbers: IntArray, seed: int) -> WordArray:
    """A random word for each number, the same for equal ones."""
    distinct, position = np.unique(numbers, return_inverse=True)
    return random_words(len(distinct), seed)[position]


def _equal_pairs(words: WordArray) -> float:
    counts = np.unique(words, return_counts=True)[1].astype(np.float64)
    return float(np.sum(counts * (counts - 1)) / 2)
