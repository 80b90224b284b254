"""Discovers, one after the other, the combinations of facts that differ from comparable decisions.

The search is stagewise. The strongest single fact becomes a statement; from then on its effect is given, so that a
fact that merely occurs together with a stated one explains nothing any more. When no single fact is left, pairs follow,
which have to say more than the sum of what is stated, then triples. After each of them every statement has to hold
beside all others, or it is dropped: a pair replaces its parts where it explains them.

Error rate: of all combinations of a size, m, one is stated if its p-value times m is at most the size's share of
`familywise_error_rate` (Bonferroni). The probability of any false statement is at most that rate in each stage; the
shares keep six thousand triples from costing forty single facts their power. Dunn, J. Am. Stat. Assoc. 56 (1961) 52-64;
weights: Holm, Scandinavian Journal of Statistics 6 (1979) 65-70; stage by stage, with the stated effects removed:
Romano and Wolf, J. Am. Stat. Assoc. 100 (2005) 94-108.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from agent_memory.learning.array_types import BoolArray, FloatArray, IntArray
from agent_memory.learning.counting import (
    CellCounter,
    CombinationCounts,
    FactBytes,
    count_combinations,
    remove_redundant,
)
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.effect_tests import CONFIDENCE, EffectTest, EffectTests, estimate_effects
from agent_memory.learning.evidence import key_of
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.special_functions import normal_cdf

MAX_STATEMENTS = 12
"""Of one decision type; each one may double the number of cells that decisions are counted in."""
_SHARES = {1: 0.75, 2: 0.15, 3: 0.1}
# How much more often a combination that is only noticed may be false.
_NOTICED_FACTOR = 3.0
_MAX_NOTICED = 5
# Decisions of fewer moments, or minutes, may all have had the same luck.
_MIN_MOMENTS = 8
_MINUTE_MS = 60_000
_BLOCK_CELLS = 1 << 16
# Relative difference of p-values of combinations that explain exactly the same, and how many of them are compared.
_EQUAL = 1e-6
# A level that is smaller may round to 0, which has no quantile.
_LEAST_LEVEL = 1e-300
_MAX_EQUAL = 8


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A combination that was found.

    Attributes:
        dataset: of its decision type.
        members: row numbers of the dataset's feature matrix.
        test: of its effect beside the statements before it.
        adjusted_p_value: the familywise error rate at which it would still have been found.
    """

    dataset: Dataset
    members: tuple[int, ...]
    test: EffectTest
    adjusted_p_value: float

    @property
    def is_better(self) -> bool:
        """Whether its decisions succeed more often."""
        return self.test.effect > 0

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the combined features."""
        return self.dataset.feature_names(self.members)

    def matching(self) -> BoolArray:
        """Return which decisions match. Computed on every call, because thousands of these would fill the memory."""
        return self.dataset.matching(self.members)


@dataclass(frozen=True, slots=True, eq=False)
class Discovery:
    """The combinations found, those that are only noticed, and how many were tested."""

    found: tuple[Candidate, ...]
    noticed: tuple[Candidate, ...]
    tested: int


def discover(datasets: Sequence[Dataset], thresholds: PatternThresholds) -> Discovery:
    """Search every decision type; the error rate is that of all of them together."""
    searches = [_Search(dataset, thresholds) for dataset in datasets]
    sizes = np.concatenate([search.combinations.counts.sizes for search in searches] or [np.empty(0, np.int64)])
    factors = _factors(sizes)
    found: list[Candidate] = []
    noticed: list[Candidate] = []
    while searches:
        search = searches.pop(0)  # what it holds is given up before the next one begins
        statements = search.find(factors, thresholds.familywise_error_rate)
        found.extend(statements)
        limit = min(0.5, _NOTICED_FACTOR * thresholds.familywise_error_rate)
        noticed.extend(search.notice(statements, factors, limit))
    return Discovery(tuple(found), tuple(noticed), len(sizes))


def _factors(sizes: IntArray) -> dict[int, float]:
    """By what the p-value of a combination of each size is multiplied."""
    counts = {size: int(np.count_nonzero(sizes == size)) for size in _SHARES}
    total = sum(share for size, share in _SHARES.items() if counts[size])
    return {size: counts[size] * total / share for size, share in _SHARES.items() if counts[size]}


class _Combinations:
    """The combinations of facts of a dataset that are worth testing.

    Attributes:
        dataset: the decisions.
        counts: of all decisions.
    """

    def __init__(self, dataset: Dataset, thresholds: PatternThresholds) -> None:
        self.dataset = dataset
        self.counts = _worth_testing(dataset, thresholds)

    @cached_property
    def fact_bytes(self) -> FactBytes:
        """What the facts say of each decision."""
        return FactBytes(self.dataset.matrix.rows, self.dataset.success)

    def of_size(self, size: int, without: Collection[tuple[int, ...]]) -> CombinationCounts:
        """The combinations of so many facts but for some of them."""
        counts = self.counts.select(self.counts.sizes == size)
        if not without:
            return counts
        return counts.select(np.array([_members(row) not in without for row in counts.members], dtype=np.bool_))


class _Search:
    """The search in one dataset."""

    def __init__(self, dataset: Dataset, thresholds: PatternThresholds) -> None:
        self._dataset = dataset
        self._thresholds = thresholds
        self.combinations = _Combinations(dataset, thresholds)
        self._latest = _Beside(self.combinations, ())

    def find(self, factors: Mapping[int, float], rate: float) -> list[Candidate]:
        """The statements that hold beside each other, at a rate of false ones."""
        statements: list[Candidate] = []
        dropped: set[tuple[int, ...]] = set()
        for size in factors:
            while len(statements) < MAX_STATEMENTS:
                best = self._best(statements, size, factors[size], rate, without=dropped)
                if not best:
                    break
                # Of combinations that explain the same, the one that replaces the most.
                kept = min((self._holding([*statements, one], factors, rate) for one in best), key=len)
                dropped |= {one.members for one in statements} - {one.members for one in kept}
                statements = kept
        return statements

    def notice(self, statements: Sequence[Candidate], factors: Mapping[int, float], rate: float) -> list[Candidate]:
        """The combinations that a larger rate of false statements would add."""
        noticed: list[Candidate] = []
        for size in factors:
            while len(noticed) < _MAX_NOTICED and len(statements) + len(noticed) < MAX_STATEMENTS:
                best = self._best([*statements, *noticed], size, factors[size], rate)
                if not best:
                    break
                noticed.append(best[0])
        return noticed

    def _best(
        self,
        statements: Sequence[Candidate],
        size: int,
        factor: float,
        rate: float,
        *,
        without: Collection[tuple[int, ...]] = (),
    ) -> list[Candidate]:
        """The combination of a size with the smallest p-value, and those that explain exactly the same.

        Those of `without` are left out: they were stated, and did not hold beside what was stated after them.
        """
        beside = self._latest = self._beside(statements)
        counts, effects, statistics = beside.screened(size, frozenset(one for one in without if len(one) == size))
        limits = 2 * normal_cdf(-statistics) * factor
        tests = beside.tests
        best: tuple[int, Candidate] | None = None
        worth = np.flatnonzero(effects >= self._least_effect(rate / factor))
        for index in worth[np.argsort(-statistics[worth], kind="stable")]:
            largest = best[1].adjusted_p_value if best else rate
            if limits[index] >= largest:
                break
            candidate = self._candidate(_members(counts.members[index]), tests, factor, largest)
            if candidate.adjusted_p_value < largest and self._is_worth_stating(candidate.test):
                best = int(index), candidate
        if best is None:
            return []
        # Of p-values that are nearly 0 the logarithm differs by half of what the squared statistic does.
        is_equal = np.abs(statistics**2 - statistics[best[0]] ** 2) <= 2 * _EQUAL
        equal = np.flatnonzero(is_equal)[:_MAX_EQUAL]
        same = [members for index in equal if (members := _members(counts.members[index])) != best[1].members]
        others = [self._candidate(members, tests, factor) for members in same]
        return [best[1], *(one for one in others if one.adjusted_p_value < rate)]

    def _holding(self, statements: Sequence[Candidate], factors: Mapping[int, float], rate: float) -> list[Candidate]:
        """The statements without those that no longer hold beside the others, which are dropped oldest first."""
        kept = list(statements)
        for statement in statements:
            others = [one for one in kept if one is not statement]
            level = rate / factors[len(statement.members)]
            test = self._test(statement.members, self._beside(others).tests, stop_above=level, stop_below=level)
            if test.p_value > level:
                kept = others
        return kept

    def _beside(self, statements: Sequence[Candidate]) -> "_Beside":
        """What is tested beside these statements; the latest one that was searched is not prepared again."""
        given = tuple(one.members for one in statements)
        return self._latest if self._latest.given == given else _Beside(self.combinations, given)

    def _candidate(
        self, members: tuple[int, ...], tests: EffectTests, factor: float, largest: float = 1.0
    ) -> Candidate:
        test = self._test(members, tests, stop_above=largest / factor)
        return Candidate(self._dataset, members, test, min(1.0, test.p_value * factor))

    def _test(
        self, members: tuple[int, ...], tests: EffectTests, *, stop_above: float, stop_below: float | None = None
    ) -> EffectTest:
        keys = map(key_of, self._dataset.feature_names(members))
        return tests.test(self._dataset.matching(members), keys=keys, stop_above=stop_above, stop_below=stop_below)

    def _is_worth_stating(self, test: EffectTest) -> bool:
        """Whether the effect may be as large as `min_effect`, by its interval."""
        low, high = test.interval
        return (high if test.effect > 0 else -low) >= self._thresholds.min_effect

    def _least_effect(self, level: float) -> float:
        """The size that an effect has at least if it is significant at a level and worth stating.

        Its standard error is at most its size by the quantile of the level, and its interval ends 95 %'s quantile
        further. Student's t has the larger ratio of the two the more degrees of freedom it has, up to the normal's: van
        Zwet, Convex Transformations of Random Variables (1964).
        """
        if level >= 1 - CONFIDENCE:
            return 0.0
        normal = NormalDist()
        ratio = normal.inv_cdf((1 + CONFIDENCE) / 2) / -normal.inv_cdf(max(level, _LEAST_LEVEL) / 2)
        return self._thresholds.min_effect / (1 + ratio)


def _worth_testing(dataset: Dataset, thresholds: PatternThresholds) -> CombinationCounts:
    """Count the combinations that are worth testing; outcomes have no influence on the selection."""
    least, total = thresholds.min_occurrences, len(dataset.table)
    rows = (
        dataset.matrix.rows
        if len(np.unique(dataset.times_ms // _MINUTE_MS)) >= _MIN_MOMENTS
        else dataset.matrix.rows[:0]
    )
    counts = count_combinations(rows, dataset.success, max_features=thresholds.max_features, min_occurrences=least)
    counts = remove_redundant(counts, len(rows))
    return _without_complements(counts.select(total - counts.occurrences >= least), rows)


def _without_complements(counts: CombinationCounts, rows: BoolArray) -> CombinationCounts:
    """Of two single facts of which every decision has exactly one, keep the rarer: both say the same."""
    kept = np.ones(len(counts), dtype=np.bool_)
    first: dict[bytes, int] = {}
    singles = np.flatnonzero(counts.sizes == 1)
    for index in singles[np.argsort(counts.occurrences[singles], kind="stable")]:
        row = rows[counts.members[index, 0]]
        kept[index] = np.packbits(~row).tobytes() not in first
        first[np.packbits(row).tobytes()] = index
    return counts.select(kept)


class _Screened(NamedTuple):
    """Combinations, the size of each one's effect, 0 if it is not estimable, and how many standard errors it is.

    These are with the least design effect and no more, so that those of `EffectTests` are never smaller.
    """

    counts: CombinationCounts
    effects: FloatArray
    statistics: FloatArray


class _Beside:
    """The decisions of a dataset divided by statements, beside which others are tested.

    Attributes:
        given: the members of each statement.
        tests: of other facts.
    """

    def __init__(self, combinations: _Combinations, given: tuple[tuple[int, ...], ...]) -> None:
        dataset = combinations.dataset
        self.given = given
        self._combinations = combinations
        self._cells = dataset.cells([dataset.matching(members) for members in given])
        self.tests = dataset.tests.beside(self._cells) if given else dataset.tests
        self._screened: dict[tuple[int, Collection[tuple[int, ...]]], _Screened] = {}

    def screened(self, size: int, without: frozenset[tuple[int, ...]]) -> _Screened:
        """The combinations of a size but for some; kept, because what is noticed is looked for among the same ones."""
        if (size, without) not in self._screened:
            counts = self._combinations.of_size(size, without)
            self._screened[size, without] = _Screened(counts, *self._screen(counts))
        return self._screened[size, without]

    def _screen(self, counts: CombinationCounts) -> tuple[FloatArray, FloatArray]:
        cells = self._cells
        effects, statistics = np.zeros(len(counts)), np.zeros(len(counts))
        step = max(1, _BLOCK_CELLS // len(cells.sizes))
        for start in range(0, len(counts), step):
            part = slice(start, start + step)
            estimates = estimate_effects(cells, self.tests.won, *self._counter.count(counts.members[part]))
            effects[part] = np.abs(estimates.effects)
            statistics[part] = effects[part] / np.sqrt(estimates.variances * self.tests.least_design_effect)
        return effects, statistics

    @cached_property
    def _counter(self) -> CellCounter:
        return CellCounter(self._combinations.fact_bytes, self._cells.of)


def _members(row: IntArray) -> tuple[int, ...]:
    return tuple(int(member) for member in row if member >= 0)
