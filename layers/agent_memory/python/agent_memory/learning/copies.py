"""Recognises decisions that may be copies of one position which the record does not name.

An agent that logs a position again and again records what the position is, which stays the same, and what the market
does meanwhile, which does not. Which facts are which is not known. But decisions of a few days that agree in all facts
of the position are much more frequent than by chance, while those that also agree in the facts of the market, or only
in some of the position's, are hardly more frequent than that.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import BoolArray, IntArray
from agent_memory.learning.evidence import key_of
from agent_memory.learning.feature_matrix import FeatureMatrix

_WINDOW_MS = 4 * DAY_MS
_MINUTE_MS = 60_000
# These are enough to see which facts copies agree in.
_PAIRS = 150_000
# Of the agreement of one decision and the next that is beyond chance.
_LASTING = 0.5
# Of the pairs that agree, more than half are then more than chance.
_LEAST_RATIO = 2.0
# In units of the logarithm of the likelihood. A few pairs agree in many of some dozens of keys, chosen afterwards.
_LEAST_EVIDENCE = 10.0
_LEAST_AGREEING = 10
# Keys are numbered by the bits of a word.
_MOST_KEYS = 63


def facts_of_positions(matrix: FeatureMatrix, times_ms: IntArray) -> list[list[int]]:
    """The facts, all or none of a key, in which pairs of decisions agree together more often than by chance.

    One key after the other is left out, that which leaves the most evidence: with m pairs that agree in all others,
    where e are expected if keys agreed independently of each other, the logarithm of Poisson's likelihood ratio,
    m·ln(m/e) - m + e. Leaving out a fact of the market multiplies the pairs that agree, and leaving out one of the
    position does not. So evidence has a peak where the facts of positions are left; it has others where several facts
    of the market go together, or facts of the position, of which the first and the last are taken.

    Facts of the market agree together, too, as long as they last. So the same is done with the keys of which one
    decision does not tell the next one's, as it does where the market, or one position after the other, is logged. And
    where no pairs agree in all keys, as among dozens that change all the time, it is not known which one to leave out:
    so it is also done with each group of these keys that agree two by two more often than by chance.

    Args:
        matrix: the facts that are worth counting.
        times_ms: of the decisions, ascending; shape (decisions,).

    Returns:
        Positions in the matrix, in some sets or none, each of which agrees together twice as often as by chance.
    """
    of_keys: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(matrix.names):
        of_keys[key_of(name)].append(number)
    if not of_keys or len(times_ms) < 2:  # noqa: PLR2004
        return []
    first, second = _pairs(times_ms)
    if not len(first):
        return []
    rows = list(of_keys.values())
    agree = [_agree(matrix, of_key, first, second) for of_key in rows]
    # Of more keys, those that tell decisions apart the most.
    kept = np.sort(np.argsort([np.count_nonzero(one) for one in agree], kind="stable")[:_MOST_KEYS])
    rows = [rows[key] for key in kept]
    pairs = _Pairs([agree[key] for key in kept])
    passing = _passing_keys(matrix, rows, times_ms, pairs.shares)
    found = [one for keys in (tuple(range(len(rows))), passing) for one in pairs.agreeing_together(keys)]
    others = [one for keys in pairs.groups(passing) for one in pairs.agreeing_together(keys)]
    found += [one for one in others if not any(set(one) <= set(other) for other in found)]
    return [[row for key in keys for row in rows[key]] for keys in dict.fromkeys(found)]


def _agree(matrix: FeatureMatrix, rows: Sequence[int], first: IntArray, second: IntArray) -> BoolArray:
    """Which of these pairs of decisions have the same of these facts."""
    agree = np.ones(len(first), dtype=np.bool_)
    for row in matrix.rows[rows]:
        agree &= row[first] == row[second]
    return agree


def _pairs(times_ms: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs of decisions of one window of time, but not of one minute, which windows of a minute know of.

    Returns:
        The position of the earlier and of the later one of each pair, of all of them or of as many as are enough.
    """
    bounds = np.searchsorted(times_ms, np.arange(times_ms[0], times_ms[-1] + _WINDOW_MS + 1, _WINDOW_MS))
    sizes = np.diff(bounds)
    ends = np.cumsum(sizes * (sizes - 1) // 2)  # of the pairs of each window, in order of their decisions
    chosen = _some(int(ends[-1]))
    window = np.searchsorted(ends, chosen, side="right")
    # How many pairs of the window follow, with this one: of the last k + 1 decisions there are k(k + 1) / 2.
    size, left = sizes[window], ends[window] - chosen
    later = ((np.sqrt(8.0 * left + 1) - 1) / 2).astype(np.int64)
    later += later * (later + 1) // 2 < left
    first = bounds[window] + size - 1 - later
    second = bounds[window] + size + later * (later - 1) // 2 - left
    is_apart = times_ms[first] // _MINUTE_MS < times_ms[second] // _MINUTE_MS
    return first[is_apart], second[is_apart]


def _some(count: int) -> IntArray:
    """All numbers below this, or as many of them, at random, as are enough; ascending."""
    return np.arange(count) if count <= _PAIRS else np.sort(np.random.default_rng(1).integers(0, count, size=_PAIRS))


def _passing_keys(
    matrix: FeatureMatrix, rows: Sequence[Sequence[int]], times_ms: IntArray, shares: Sequence[float]
) -> tuple[int, ...]:
    """The keys in which a decision and the next, of another minute, agree hardly more often than any two."""
    followed = _some(len(times_ms) - 1)
    followed = followed[times_ms[followed] // _MINUTE_MS < times_ms[followed + 1] // _MINUTE_MS]
    kept: list[int] = []
    for key, (of_key, share) in enumerate(zip(rows, shares, strict=True)):
        together = np.count_nonzero(_agree(matrix, of_key, followed, followed + 1)) / max(1, len(followed))
        if together - share < _LASTING * (1 - share):
            kept.append(key)
    return tuple(kept)


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

    @property
    def is_beyond_chance(self) -> bool:
        """Whether chance explains less than half of it."""
        is_certain = self.evidence > _LEAST_EVIDENCE and self.agreeing >= _LEAST_AGREEING
        return is_certain and self.agreeing > _LEAST_RATIO * self.expected


class _Pairs:
    """Pairs of decisions, by the keys in which they agree.

    Attributes:
        shares: how many of all pairs agree in each key.
    """

    def __init__(self, agree: Sequence[BoolArray]) -> None:
        """Count pairs, of which `agree` says for each key which ones agree in it."""
        self._agree = agree
        count = len(agree[0])
        # Of none it is not known how rare they are: at least half a pair.
        self.shares = [max(float(np.count_nonzero(one)), 0.5) / count for one in agree]
        keys = np.zeros(count, dtype=np.int64)
        for key, one in enumerate(agree):
            keys |= one.astype(np.int64) << key
        self._keys, self._counts = np.unique(keys, return_counts=True)
        self._count = count

    def agreeing_together(self, keys: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The first and the last of these keys, and of fewer and fewer of them, where evidence has a peak."""
        path = list(self._agreements(keys))
        evidence = [-1.0, *(one.evidence for one in path), -1.0]
        around = zip(path, evidence, evidence[2:], strict=False)
        peaks = [one for one, before, after in around if before < one.evidence >= after]
        certain = [one.keys for one in peaks if one.is_beyond_chance]
        return certain[:1] + certain[-1:]

    def _agreements(self, keys: tuple[int, ...]) -> Iterator[_Agreement]:
        """Agreement in all of these keys, then without one after the other: that which leaves the most evidence."""
        while len(keys) > 1:  # with one key there is nothing to agree together
            yield self._agreement(keys)
            fewer = (self._agreement((*keys[:turn], *keys[turn + 1 :])) for turn in range(len(keys)))
            # If no pairs agree in so many keys, the one that fewest agree in is left out.
            keys = max(fewer, key=lambda one: (one.evidence, one.expected)).keys

    def groups(self, keys: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The keys in groups, of which each key agrees together with another one more often than by chance."""
        agree = np.array([self._agree[key] for key in keys], dtype=np.float32)
        both = agree @ agree.T  # counts, which are exact up to 2^24
        group = {key: {key} for key in keys}
        for (turn, one), (other_turn, other) in combinations(enumerate(keys), 2):
            found = _Agreement((one, other), float(both[turn, other_turn]), self._expected((one, other)))
            if group[one] is not group[other] and found.evidence > _LEAST_EVIDENCE:
                group[one] |= group[other]
                group.update(dict.fromkeys(group[other], group[one]))
        return sorted({tuple(sorted(one)) for one in group.values() if len(one) > 1})

    def _agreement(self, keys: tuple[int, ...]) -> _Agreement:
        """Count the pairs that agree in all of these keys."""
        mask = sum(1 << key for key in keys)
        return _Agreement(keys, float(np.sum(self._counts[self._keys & mask == mask])), self._expected(keys))

    def _expected(self, keys: tuple[int, ...]) -> float:
        return self._count * float(np.prod([self.shares[key] for key in keys]))
