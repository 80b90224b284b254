"""Tests whether decisions with certain facts succeed more, or less, often than comparable ones without them.

The effect is d in the linear probability model y = a + d·x + e, where y is 1 for success, x is 1 for matching
decisions, and a is the sum of a rate for each question and an effect for each fact that is given. With x' for the
residual of x after regression on questions and given facts, the least-squares estimate is d = Σx'y / Σx'². Frisch and
Waugh, Econometrica 1 (1933) 387-401; without given facts it is the Mantel-Haenszel difference of rates: Greenland and
Robins, Biometrics 41 (1985) 55-68.

Questions and given facts divide the decisions into cells, in which x' and a are the same for all matching decisions and
the same for all others. So all is computed from counts by cell and cluster, which add up over parts of a record.

Outcomes are correlated, in ways that the record does not tell (`learning.clusters`). For each clustering the variance
of d is estimated from the sums of x'e over each cluster, divided by 1 − leverage: the cluster-robust variance CR3. Bell
and McCaffrey, Survey Methodology 28 (2002) 169-181; Cameron and Miller, Journal of Human Resources 50 (2015) 317-372.
The design effect is its ratio to the variance of independent outcomes (HC0), and the largest of

- the ratio from the matching decisions' own clusters, over all clusterings that count: windows of more than a day do
  only for facts that are more concentrated in them than in shorter ones;
- the median of that ratio over all facts of the record, as one fact's own estimate is uncertain, and may be too low;
  not by clusters of the same facts, in which the effect of any fact looks like a correlation of outcomes;
- the mean ratio over the values of the fact's key, by windows of several days, where it shows that these values have
  luck of their own that lasts, which is extrapolated to longer windows, or where outcomes take as long;
- Moulton's factor 1 + (f − 1)·ρ, where f = Σ_b(Σ_b x')² / Σx'² says how concentrated the matching decisions are in
  clusters, and ρ is the intraclass correlation of all outcomes, less what the effect explains of it where clusters have
  the same facts. Moulton, Journal of Econometrics 32 (1986) 385-397.

The statistic is compared with Student's t, with as many degrees of freedom as there are effective clusters, less one,
and with seven at most in a record of less than eight days.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import BoolArray, CodeArray, FloatArray, IntArray
from agent_memory.learning.clusters import Clustering
from agent_memory.learning.design_effect import CorrelatedClusters, intraclass_correlation
from agent_memory.learning.divided_clusters import DividedClusters, distinct, divided_clusters
from agent_memory.learning.evidence import key_of
from agent_memory.learning.significance import exact_p_value
from agent_memory.learning.special_functions import student_t_cdf, student_t_quantile

_MIN_CLUSTERS = 8
# Clusters that are hardly ever larger than one decision cannot matter.
_MIN_MEAN_SIZE = 1.02
_MAX_LEVERAGE = 0.8
# Expected successes and failures of the smaller group.
_ENOUGH_FOR_T = 25
# In standard errors of f, for a fact that is spread at random.
_CONCENTRATED = 3.0
CONFIDENCE = 0.95
"""Of the intervals of effects."""
# Standard normal quantile at 99 %, of the test whether luck lasts.
_LASTING = 2.33
# f above which the number of effective clusters is computed from the concentration.
_MUCH_CONCENTRATED = 1.5
_MIN_SQUARES = 1e-9
# Of sizes that are whole numbers but for rounding.
_ROUNDING = 1e-6
_MIN_INFORMATION = 1e-6
_MAX_INT32 = int(np.iinfo(np.int32).max)
# A median over fewer facts says more of them than of the record.
_MIN_FACTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectTest:
    """The result of a test.

    Attributes:
        effect: matching decisions' success rate minus that of comparable ones; −1 to 1.
        p_value: two-sided.
        interval: 95 % interval of the effect.
        design_effect: how many times as many decisions are needed as if outcomes were independent; at least 1.
        degrees_of_freedom: of Student's t.
        shared_design_effect: the part of the design effect that is estimated from all outcomes, and that a change of
            the effect does not inflate.
    """

    effect: float
    p_value: float
    interval: tuple[float, float]
    design_effect: float
    degrees_of_freedom: float
    shared_design_effect: float


NO_EFFECT = EffectTest(
    effect=0.0,
    p_value=1.0,
    interval=(-1.0, 1.0),
    design_effect=1.0,
    degrees_of_freedom=1.0,
    shared_design_effect=1.0,
)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Decisions that answer the same question and have the same of the given facts.

    Attributes:
        of: the cell of each decision, 0 to the number of cells - 1; shape (decisions,).
        design: what the rate of each cell is the sum of: one column for each question, and one for each given fact;
            shape (cells, columns).
        sizes: number of decisions in each cell.
    """

    of: CodeArray
    design: FloatArray
    sizes: FloatArray
    _solved: FloatArray

    @classmethod
    def build(cls, questions: CodeArray, given: Sequence[BoolArray] = ()) -> "Cells":
        """Divide decisions by question, numbered from 0, and by given facts; each array has the shape (decisions,)."""
        # Of small numbers many fit near the processor.
        keys = questions.astype(np.min_scalar_type((1 + int(questions.max(initial=0))) << len(given)))
        for matching in given:
            keys *= 2
            keys += matching
        present, of, sizes = distinct(keys, 1 + int(keys.max()) if len(keys) else 0)
        question = present >> len(given)
        is_given = present[:, None] >> np.arange(len(given))[::-1] & 1
        design = np.hstack([question[:, None] == np.unique(question), is_given]).astype(np.float64)
        solved = np.linalg.pinv(design.T @ (design * sizes[:, None]), hermitian=True) @ design.T
        return cls(of, design, sizes.astype(np.float64), solved)

    def fit(self, sums: FloatArray | IntArray) -> FloatArray:
        """Fit values by least squares, given their sums over each cell: the fitted value of each cell.

        The last axis of `sums` and of the result has the length (cells).
        """
        return np.asarray(sums @ self.design @ self._solved, dtype=np.float64)


class EffectTests:
    """Tests of the effects of facts in one type's decisions, beside others that are given.

    Attributes:
        least_design_effect: what the design effect of each test is at least; 1 until `calibrate` is called.
        won: how many decisions of each cell succeeded.
    """

    def __init__(self, success: BoolArray, clusterings: Sequence[Clustering], cells: Cells) -> None:
        """Prepare the tests.

        Args:
            success: which decisions succeeded; shape (decisions,).
            clusterings: the decisions in clusters, in several ways.
            cells: the decisions by question and by the facts that are given.
        """
        self.least_design_effect = 1.0
        self._lasting: Mapping[str, Sequence[_LastingLuck]] = {}
        self._success = success
        self._won_rows = np.flatnonzero(success)  # by which an array is much faster to select from than by a mask
        matter = [one for one in clusterings if len(success) >= _MIN_MEAN_SIZE * one.count]
        self._clusters = divided_clusters(sorted(matter, key=lambda one: one.count))
        self._order = _testing_order(self._clusters)
        self._most_degrees = _most_degrees(len(success), self._clusters)
        sizes = [float(np.max(self._clusters[number].sizes, initial=1.0)) for number in self._order]
        self._largest = [max(sizes[turn:]) for turn in range(len(sizes))]
        self._divide(cells)

    def beside(self, cells: Cells) -> "EffectTests":
        """The same tests, with other facts given."""
        other = copy(self)
        other._divide(cells)  # noqa: SLF001  an instance of this class
        return other

    def with_outcomes(self, success: BoolArray) -> "EffectTests":
        """The same tests with other outcomes of the decisions, before `calibrate` is called."""
        other = copy(self)
        other.least_design_effect, other._lasting = 1.0, {}  # noqa: SLF001  an instance of this class
        other._success, other._won_rows = success, np.flatnonzero(success)  # noqa: SLF001
        other._divide(self._cells)  # noqa: SLF001
        return other

    def _divide(self, cells: Cells) -> None:
        self._cells = cells
        self.won = np.bincount(cells.of[self._won_rows], minlength=len(cells.sizes)).astype(np.float64)
        self._residuals = _Residuals.of(cells, self.won)
        self._divided: dict[int, _CellsOfClusters] = {}

    @property
    def _clusterings(self) -> Iterator["_CellsOfClusters"]:
        """The clusterings by cell, each of which is divided when it is first used: most tests end before the last."""
        return map(self._clustering, self._order)

    def _clustering(self, number: int) -> "_CellsOfClusters":
        if number not in self._divided:
            clusters = self._clusters[number]
            finer = None if clusters.finer is None else self._clustering(clusters.finer)
            self._divided[number] = _CellsOfClusters(clusters, self._cells, self._won_rows, self._residuals, finer)
        return self._divided[number]

    def correlated_clusters(self, longest_ms: int) -> tuple[CorrelatedClusters, ...]:
        """The clusterings whose outcomes are correlated, without windows that are longer than `longest_ms`."""
        return tuple(
            CorrelatedClusters(one.labels, one.correlation)
            for one in self._clusterings
            if one.correlation > 0 and (one.window_ms or 0) <= longest_ms
        )

    def calibrate(self, facts: Mapping[str, BoolArray], *, outcomes_take_ms: float = 0.0) -> None:
        """Set the least design effects: of all facts, and of the facts of a key whose values have luck of their own.

        Args:
            facts: which decisions have each fact, by its name.
            outcomes_take_ms: how long outcomes take. Those that are open at once share what happens meanwhile.
        """
        clusterings = [one for one in self._clusterings if one.count > 1 and not one.is_by_facts]
        variances = {
            name: [one.evaluate(estimate) for one in clusterings]
            for name, matching in facts.items()
            if (estimate := self._estimate(matching)) is not None
        }
        counts = np.array([one.count for one in clusterings])
        if len(variances) >= _MIN_FACTS:
            ratios = np.array([[one.ratio for one in of_fact] for of_fact in variances.values()])
            medians = np.median(ratios, axis=0) / (1 - 2 / (9 * (counts - 1))) ** 3
            self.least_design_effect = max(1.0, float(np.max(medians[counts >= _MIN_CLUSTERS], initial=1.0)))
        by_key: dict[str, list[list[_ClusteredVariance]]] = defaultdict(list)
        for name, of_fact in variances.items():
            by_key[key_of(name)].append(of_fact)
        windows_ms = [one.window_ms or 0 for one in clusterings]
        found: list[dict[str, _LastingLuck]] = []
        if DAY_MS in windows_ms:
            day = windows_ms.index(DAY_MS)
            longer = [n for n, window_ms in enumerate(windows_ms) if window_ms > DAY_MS]
            found.append({key: _lasting_luck(of_key, counts, day, longer) for key, of_key in by_key.items()})
        expected = {
            one.window_ms: one.count
            for one in self._clusterings
            if DAY_MS < (one.window_ms or 0) < 2 * outcomes_take_ms
        }
        if expected:
            windows = {n: int(counts[n]) for n, window_ms in enumerate(windows_ms) if window_ms in expected}
            fewest = min(expected.values())
            found.append({key: _expected_luck(of_key, windows, fewest) for key, of_key in by_key.items()})
        self._lasting = {key: [of_keys[key] for of_keys in found] for key in by_key}

    def test(
        self, matching: BoolArray, *, keys: Iterable[str] = (), stop_above: float = 1.0, stop_below: float | None = None
    ) -> EffectTest:
        """Test the effect of a fact or a combination of facts.

        Args:
            matching: shape (decisions,).
            keys: of the facts.
            stop_above: a p-value above which it does not matter how much larger it is; the result is then not final.
            stop_below: a p-value up to which it does not matter how small it is; the result is then not final.
        """
        estimate = self._estimate(matching)
        if estimate is None:
            return NO_EFFECT
        lasting = [luck for key in keys for luck in self._lasting.get(key, ())]
        shared = self.least_design_effect
        design_effect = max([shared, *(one.ratio for one in lasting)])
        degrees = min([self._most_degrees, *(one.degrees_of_freedom for one in lasting)])
        result = _result(estimate, design_effect, degrees, shared)
        shorter = 1.0
        for number, largest in zip(self._order, self._largest, strict=True):
            if _is_above(stop_above, estimate, result):
                return result
            if stop_below is not None and _is_at_most(stop_below, estimate, result, largest):
                return result
            clusters = self._clustering(number)
            clustered = clusters.evaluate(estimate)
            excess = max(0.0, clustered.concentration - 1)
            if 1 + excess > shared:  # or no correlation, which is at most 1, changes it
                shared = max(shared, 1 + excess * clusters.correlation_beside(estimate))
            if clusters.matters_for(clustered.concentration, shorter):
                if clusters.is_long:
                    shorter = max(shorter, clustered.concentration)
                design_effect = max(design_effect, clustered.ratio)
                degrees = min(degrees, clustered.degrees_of_freedom)
            design_effect = max(design_effect, shared)
            result = _result(estimate, design_effect, degrees, shared)
        return result

    def _estimate(self, matching: BoolArray) -> "_Estimate | None":
        """The effect; None if questions and given facts say of every decision whether it matches."""
        rows = np.flatnonzero(matching)
        won_rows = np.flatnonzero(matching & self._success)
        cells = self._cells
        counts, won = (np.bincount(cells.of[one], minlength=len(cells.sizes)) for one in (rows, won_rows))
        estimate = estimate_effects(cells, self.won, counts[None].astype(np.float64), won[None].astype(np.float64))
        if not estimate.is_estimable[0]:
            return None
        expected, information = estimate.expected[0], float(estimate.information[0])
        return _Estimate(
            rows=rows,
            won_rows=won_rows,
            effect=float(estimate.effects[0]),
            variance=float(estimate.variances[0]),
            information=information,
            expected=expected,
            rates=estimate.rates[0],
            other_rates=estimate.other_rates[0],
            decisions=int(cells.sizes.sum()),
            rate=min(1.0, max(0.0, float(won @ (1 - expected)) / information)),
            matching_size=_effective_size(counts, 1 - expected),
            other_size=_effective_size(cells.sizes - counts, expected),
        )


class _LastingLuck(NamedTuple):
    """The least design effect of the facts of a key, from luck of its values that lasts for days; 1 without any."""

    ratio: float
    degrees_of_freedom: float


def _lasting_luck(
    variances: Sequence[Sequence["_ClusteredVariance"]], counts: IntArray, day: int, longer: Sequence[int]
) -> _LastingLuck:
    """Whether the values of a key have luck of their own that lasts for days, as symbols or strategies do.

    A fact that is spread evenly shares the luck of a fortnight with all others, but not the luck that only decisions
    with this fact have. If there is such luck, the variance by windows of several days exceeds that by days, by more
    than the fact is more concentrated in them. One fact's estimate is poor; the mean over the values of a key has as
    many times more degrees of freedom to show it by.

    Luck that lasts about as long as a window shows only in part: a window of length b misses a share of the variance
    that falls with 1 / b. Twice the variance by windows of b less that by shorter ones has no such bias: Vats and
    Flegal, Biometrika 109 (2022) 735-750, for windows half as long. What is estimated from a few long windows is no
    better known than they tell, however many values share it.

    Args:
        variances: by value of the key and clustering.
        counts: clusters of each clustering.
        day: which clustering is that by days.
        longer: which clusterings are by longer windows.
    """
    found = _LastingLuck(1.0, math.inf)
    ratios = np.mean([[one.ratio for one in of_value] for of_value in variances], axis=0)
    concentrations = np.mean([[one.concentration for one in of_value] for of_value in variances], axis=0)
    # Of outcomes without luck CR3 overestimates the variance of an effect by about 1 / (B - 1).
    fair = ratios * (counts - 1) / counts
    for shorter, window in pairwise((day, *longer)):
        degrees = max(1, len(variances) - 1) * (int(counts[window]) - 1)
        spread = 2 / (9 * degrees)
        # The quantile of a mean of squares: Wilson and Hilferty, as in `calibrate`.
        limit = (1 - spread + _LASTING * math.sqrt(spread)) ** 3
        limit *= max(1.0, fair[day]) * max(1.0, concentrations[window] / max(1.0, concentrations[day]))
        ratio = float(max(ratios[window], 2 * ratios[window] - ratios[shorter]))
        if degrees >= _MIN_CLUSTERS and fair[window] > limit and ratio > found.ratio:
            found = _LastingLuck(ratio, float(counts[window] - 1))
    return found


def _expected_luck(
    variances: Sequence[Sequence["_ClusteredVariance"]], counts: Mapping[int, int], fewest: int
) -> _LastingLuck:
    """The luck of a key's values that lasts as long as outcomes take, which needs no test.

    Outcomes that are open at once share what happens meanwhile: the long side of positions of a week gains what the
    short side loses. It takes many windows to show that, and a dozen of them is what there is.

    Args:
        variances: by value of the key and clustering.
        counts: by clustering the windows of more than a day, up to the first length that is as long.
        fewest: how many windows of the longest of these there are. Where they are too few to say anything, as in the
            first weeks, shorter ones, of which there are more, say too little.
    """
    ratios = {window: float(np.mean([of_value[window].ratio for of_value in variances])) for window in counts}
    largest = max(ratios, key=lambda window: ratios[window], default=None)
    count = fewest if largest is None or fewest < _MIN_CLUSTERS else counts[largest]
    ratio = 1.0 if largest is None else max(1.0, ratios[largest])
    return _LastingLuck(ratio, max(1.0, max(1, len(variances) - 1) * (count - 1.0)))


def _most_degrees(decisions: int, clusters: Sequence[DividedClusters]) -> float:
    """How many degrees of freedom a test has at most.

    The variance is not estimated from fewer than eight days. Luck that lasts for a day is not seen in them, so that no
    more is claimed to be known than eight days would tell.
    """
    is_short = any(one.window_ms == DAY_MS and one.count < _MIN_CLUSTERS for one in clusters)
    return max(1.0, min(decisions - 2.0, _MIN_CLUSTERS - 1.0 if is_short else math.inf))


def _testing_order(clusters: Sequence[DividedClusters]) -> list[int]:
    """Windows of a day or more by length, then the clusterings with the fewest clusters, which end a test the soonest.

    A longer window matters only for a fact that is more concentrated in it than in the shorter ones.
    """

    def turn(number: int) -> tuple[bool, int]:
        window_ms = clusters[number].window_ms or 0
        return (False, window_ms) if window_ms >= DAY_MS else (True, number)

    return sorted(range(len(clusters)), key=turn)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """Effects of combinations, as if outcomes were independent.

    Attributes:
        effects: d; shape (combinations,).
        variances: HC0, Σ(x'e)² / (Σx'²)²; shape (combinations,). White, Econometrica 48 (1980) 817-838.
        information: Σx'²; shape (combinations,).
        expected: x − x', the share of matching decisions that the regression expects; shape (combinations, cells).
        rates: fitted rates of matching decisions; shape (combinations, cells).
        other_rates: fitted rates of the others; shape (combinations, cells).
        is_estimable: whether x' is not 0 everywhere; shape (combinations,).
    """

    effects: FloatArray
    variances: FloatArray
    information: FloatArray
    expected: FloatArray
    rates: FloatArray
    other_rates: FloatArray
    is_estimable: BoolArray


def estimate_effects(cells: Cells, all_won: FloatArray, counts: FloatArray, won: FloatArray) -> Estimates:
    """Estimate the effects of combinations of facts.

    Args:
        cells: the decisions by question and given facts.
        all_won: how many decisions of each cell succeeded; shape (cells,).
        counts: matching decisions of each cell; shape (combinations, cells).
        won: how many of them succeeded; shape (combinations, cells).
    """
    expected, others = cells.fit(counts), cells.sizes - counts
    information = np.sum(counts * (1 - expected) ** 2 + others * expected**2, axis=1)
    is_estimable = information > _MIN_INFORMATION
    known = np.where(is_estimable, information, 1.0)
    effects = np.where(is_estimable, np.sum(won - expected * all_won, axis=1) / known, 0.0)
    base = cells.fit(all_won)
    rates = base + effects[:, None] * (1 - expected)
    other_rates = base - effects[:, None] * expected
    others_won = all_won - won
    squares = (1 - expected) ** 2 * (won * (1 - rates) ** 2 + (counts - won) * rates**2)
    squares += expected**2 * (others_won * (1 - other_rates) ** 2 + (others - others_won) * other_rates**2)
    return Estimates(
        effects=effects,
        variances=np.maximum(squares.sum(axis=1), _MIN_SQUARES) / known**2,
        information=information,
        expected=expected,
        rates=rates,
        other_rates=other_rates,
        is_estimable=is_estimable,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Estimate:
    """One of `Estimates`; `rows` are the matching decisions, `won_rows` those that succeeded.

    The effect is the difference of two means of outcomes, weighted with |x'|: `rate` is that of the matching decisions.
    `matching_size` and `other_size` say of how many decisions these are: beside a given fact, those that have it.
    `counts` has how many of both are in the groups of each clustering that was asked for.
    """

    rows: IntArray
    won_rows: IntArray
    effect: float
    variance: float
    information: float
    expected: FloatArray
    rates: FloatArray
    other_rates: FloatArray
    decisions: int
    rate: float
    matching_size: float
    other_size: float
    counts: dict["_CellsOfClusters", tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    def exact_p_value(self, design_effect: float) -> float:
        """Fisher's exact test on effective counts, where there are too few failures or successes for t; 0 elsewhere."""
        effective, others = (int(one / design_effect + _ROUNDING) for one in (self.matching_size, self.other_size))
        if not effective or not others:
            return 1.0
        rate = self.rate
        other_rate = min(1.0, max(0.0, rate - self.effect))
        if min(other_rate, 1 - other_rate) * min(effective, others) >= _ENOUGH_FOR_T:
            return 0.0
        won, others_won = round(rate * effective), round(other_rate * others)
        return exact_p_value(won, effective, others_won, others)


def _effective_size(counts: FloatArray | IntArray, weights: FloatArray) -> float:
    """Of how many decisions a mean is, given how many have each weight: Kish, Survey Sampling (1965) §11.7."""
    squares = float(counts @ weights**2)
    return float(counts @ weights) ** 2 / squares if squares > 0 else 0.0


def _result(estimate: _Estimate, design_effect: float, degrees: float, shared: float) -> EffectTest:
    half = student_t_quantile((1 + CONFIDENCE) / 2, degrees) * math.sqrt(estimate.variance * design_effect)
    return EffectTest(
        effect=estimate.effect,
        p_value=max(_p_value(estimate, design_effect, degrees), estimate.exact_p_value(design_effect)),
        interval=(max(-1.0, estimate.effect - half), min(1.0, estimate.effect + half)),
        design_effect=design_effect,
        degrees_of_freedom=degrees,
        shared_design_effect=shared,
    )


def _p_value(estimate: _Estimate, design_effect: float, degrees: float) -> float:
    error = math.sqrt(estimate.variance * design_effect)
    return 2 * student_t_cdf(-abs(estimate.effect) / error, degrees)


def _is_above(p_value: float, estimate: _Estimate, result: EffectTest) -> bool:
    """Whether the p-value stays this large, whatever other clusters say.

    That of Student's t only rises. That of the exact test, whose counts are rounded, may also fall.
    """
    return result.p_value > p_value and _p_value(estimate, result.design_effect, result.degrees_of_freedom) > p_value


def _is_at_most(p_value: float, estimate: _Estimate, result: EffectTest, largest: float) -> bool:
    """Whether the p-value stays this small, whatever clusters of at most so many decisions say.

    With m decisions in a cluster at most, the squared sum of x' over it, and that of x'e, is at most m times the sum of
    squares (Cauchy and Schwarz). So m bounds the concentration and, but for the leverages, the ratio of variances. That
    many clusters are effective in which the sum of x' is at most m·max|x'| each.
    """
    deviation = largest * float(np.max(np.maximum(np.abs(estimate.expected), np.abs(1 - estimate.expected))))
    leverage = min(deviation / estimate.information, _MAX_LEVERAGE)
    design_effect = max(result.design_effect, largest / (1 - leverage) ** 2)
    if estimate.exact_p_value(design_effect) > 0:  # which may be larger with a smaller design effect
        return False
    clusters = min(estimate.decisions / largest, _MUCH_CONCENTRATED * estimate.information / deviation**2)
    return _p_value(estimate, design_effect, min(result.degrees_of_freedom, max(1.0, clusters - 1))) <= p_value


@dataclass(frozen=True, slots=True)
class _ClusteredVariance:
    """A fact's variance by one clustering, relative to that of independent outcomes; `concentration` is f."""

    ratio: float
    concentration: float
    degrees_of_freedom: float


class _Residuals(NamedTuple):
    """Outcomes without the fitted `rates` of their cells: `squares` is the sum of the squared differences."""

    rates: FloatArray
    squares: float

    @classmethod
    def of(cls, cells: Cells, won: FloatArray) -> "_Residuals":
        rates = cells.fit(won)
        return cls(rates, float(np.sum(won * (1 - rates) ** 2 + (cells.sizes - won) * rates**2)))


class _CellsOfClusters:
    """The decisions of each cluster, by cell: a group is the decisions of one cluster and one cell.

    `sizes` and `won` are of groups, `cluster_of` and `cell_of` say which ones these are; a single cell is named once.
    """

    sizes: CodeArray
    won: CodeArray
    cluster_of: CodeArray
    cell_of: CodeArray

    def __init__(
        self,
        clusters: DividedClusters,
        cells: Cells,
        won_rows: IntArray,
        residuals: "_Residuals",
        finer: "_CellsOfClusters | None",
    ) -> None:
        """Divide clusters by cell: decision by decision, or group by group of finer clusters.

        Args:
            clusters: the clusters.
            cells: the cells.
            won_rows: the decisions that succeeded.
            residuals: what is left of outcomes without the effects of cells.
            finer: the groups of clusters each of which is a part of one of these.
        """
        self._clusters = clusters
        self.count, self.labels, self.window_ms = clusters.count, clusters.labels, clusters.window_ms
        self.is_by_facts = clusters.is_by_facts
        self._residuals = residuals
        self._finer = finer
        cell_count = len(cells.sizes)
        if finer is None:
            limit = self.count * cell_count
            labels = clusters.labels if limit <= _MAX_INT32 else clusters.labels.astype(np.int64)
            keys = np.asarray(labels * cell_count + cells.of)
            groups, self._group_of, sizes = distinct(keys, limit, clusters.order)
            self.sizes = sizes.astype(np.int32)
            self.won = np.bincount(self._group_of[won_rows], minlength=len(groups)).astype(np.int32)
        else:
            keys = clusters.of_finer[finer.cluster_of] * cell_count + finer.cell_of
            groups, self._group_of, _ = distinct(keys, self.count * cell_count)
            self.sizes, self.won = (self._added(one).astype(np.int32) for one in (finer.sizes, finer.won))
        self.cluster_of, self.cell_of = (one.astype(np.int32) for one in np.divmod(groups, cell_count))
        if cell_count == 1:  # what is looked up by it is the same number for all groups
            self.cell_of = np.zeros(1, dtype=np.int32)

    @cached_property
    def correlation(self) -> float:
        """Of the residuals of two decisions of one cluster."""
        sums = self._sum(self.won - self.sizes * self._residuals.rates[self.cell_of])
        return intraclass_correlation(sums, self._residuals.squares, self._clusters.sizes)

    def correlation_beside(self, estimate: _Estimate) -> float:
        """The same; of residuals beside an effect, where clusters have the same facts."""
        if not self.is_by_facts:
            return self.correlation
        matching, _ = self.counts(estimate)
        others = self.sizes - matching
        expected = matching * estimate.rates[self.cell_of] + others * estimate.other_rates[self.cell_of]
        squares = self._residuals.squares - estimate.effect**2 * estimate.information
        return intraclass_correlation(self._sum(self.won - expected), squares, self._clusters.sizes)

    def counts(self, estimate: _Estimate) -> tuple[FloatArray, FloatArray]:
        """How many decisions of each group match, and how many of them succeeded."""
        if self not in estimate.counts:
            if self._finer is None:
                counted = (self._group_of[one] for one in (estimate.rows, estimate.won_rows))
                matching, won = (np.bincount(one, minlength=len(self.sizes)).astype(np.float64) for one in counted)
            else:
                matching, won = map(self._added, self._finer.counts(estimate))
            estimate.counts[self] = matching, won
        return estimate.counts[self]

    def _added(self, of_finer: FloatArray | CodeArray) -> FloatArray:
        """The sums over the groups of the finer clusters that are in each group."""
        return np.bincount(self._group_of, weights=of_finer).astype(np.float64)

    def evaluate(self, estimate: _Estimate) -> _ClusteredVariance:
        """The variance of an effect from the sums of x'e over clusters."""
        matching, won = self.counts(estimate)
        expected = estimate.expected[self.cell_of]
        others = self.sizes - matching
        from_matching = (1 - estimate.expected)[self.cell_of] * (won - matching * estimate.rates[self.cell_of])
        from_others = expected * (self.won - won - others * estimate.other_rates[self.cell_of])
        scores = self._sum(from_matching - from_others)
        deviations = self._sum(matching - self.sizes * expected)
        # The sums of |x'| over the matching decisions, and over the others, are equal to Σx'² each.
        of_matching = self._sum(matching * (1 - expected))
        of_others = of_matching - deviations
        leverage = np.clip(np.maximum(of_matching, of_others) / estimate.information, 0.0, _MAX_LEVERAGE)
        corrected = scores / (1 - leverage)
        variance = float(corrected @ corrected) * (self.count - 1) / self.count / estimate.information**2
        squares = deviations * deviations
        total = float(squares.sum())
        concentration = total / estimate.information
        is_concentrated = concentration > _MUCH_CONCENTRATED
        effective = total * total / max(float(squares @ squares), _MIN_SQUARES) if is_concentrated else self.count
        return _ClusteredVariance(
            ratio=variance / estimate.variance,
            concentration=concentration,
            degrees_of_freedom=max(1.0, effective - 1),
        )

    @property
    def is_long(self) -> bool:
        """Whether they are windows of a day or more."""
        return (self.window_ms or 0) >= DAY_MS

    def matters_for(self, concentration: float, shorter: float) -> bool:
        """Whether a fact's variance is estimated from these clusters.

        Windows of more than a day say nothing new of a fact that is no more concentrated in them than in shorter ones:
        its decisions of one day are then as good as independent of those of the next, however long luck lasts, and one
        that is spread evenly shares the luck of a fortnight with all others. With few clusters the estimate is poor,
        but nothing better is known of a fact that varies as slowly as they do.

        Args:
            concentration: of the fact in these clusters.
            shorter: the largest in shorter windows that count; 1 for none.
        """
        if self.count >= _MIN_CLUSTERS and (self.window_ms or 0) <= DAY_MS:
            return True
        return self.count > 1 and concentration > shorter * (1 + _CONCENTRATED * math.sqrt(2 / self.count))

    def _sum(self, of_groups: FloatArray) -> FloatArray:
        """The sums over the groups of each cluster."""
        if len(self.sizes) == self.count:  # each cluster has one group, in the same order
            return of_groups
        return np.bincount(self.cluster_of, weights=of_groups, minlength=self.count).astype(np.float64)
