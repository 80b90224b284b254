"""Estimates: what to expect of each option of a choice in each context, shrunk towards what it has in common.

A pattern is a claim that stands a test; an estimate is what one acts on, and is there from the first decisions on. The
expected result of an option o in a context with the facts x is a sum of random effects,

    y = mean + a[o] + Σ b[f] + Σ c[o, f] + Σ d[o, f, g] + error,     f and g over the facts in x,

each group of effects with its own variance and independent Gaussian priors. That is partial pooling: what an option
does in a rare context is pulled towards what it does elsewhere, and that towards what all options do (Gelman and Hill,
Data Analysis Using Regression and Multilevel Models, 2007, chapter 12). The posterior is that of ridge regression
(Hoerl and Kennard, Technometrics 12, 1970). The variances maximize the marginal likelihood: MacKay's fixed point
("Bayesian interpolation", Neural Computation 4, 1992), with a weak prior that keeps them off zero while there is little
evidence.

A decision's weight halves every half-life of its age, and decisions that share one outcome count once (`ResultRows`).
The half-life is the usual one unless another one would have predicted the last week better: where rules have turned, a
short one does within days.
Results of one day may share their luck, so that the variance of the error is multiplied by what the sums of residuals
of an option's day vary more than independent ones would (a design effect, Kish 1965).

Success is fitted as a number, 0 or 1: a linear probability model. Among rates from 0.1 to 0.9 it orders options as a
logistic model does, and its posterior is exact.
"""

import math
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from agent_memory.learning.array_types import FloatArray, IntArray
from agent_memory.learning.comparison import half_life_weights
from agent_memory.learning.expected_results import PAIR, packed
from agent_memory.learning.indicators import Indicators

USUAL_HALF_LIFE_DAYS = 30.0
HALF_LIVES = (1.0, 1 / 3, 3.0)
"""The half-lives that are compared, as multiples of the usual one, which comes first."""
_TEST_DAYS = 7
_BETTER_BY = 2.0
_ITERATIONS, _TOLERANCE = 12, 0.02
_PRIOR_WEIGHT = 2.0
"""Of the prior on each variance, as a number of effects."""
_PRIOR_DEVIATION = {"option": 0.08, "fact": 0.05, "option_fact": 0.09, "option_facts": 0.07}
"""The prior standard deviation of each group of effects, in standard deviations of a result."""
_GROUPS = tuple(_PRIOR_DEVIATION)
MAX_FEATURES = 48
"""Facts and pairs of facts in the estimate of one option."""
MAX_EFFECTS = 400
"""Effects of one model: its matrices have as many rows and columns."""
_DIGITS = 5
_ROUNDING = 1e-9
"""Differences between results, as a part of them, that are none."""


@dataclass(frozen=True, slots=True, eq=False)
class ResultRows:
    """Results of decisions that chose an option.

    Attributes:
        options: their names.
        facts: for each key its facts, as `context.market.trend=bullish`.
        option_codes: the option of each row, as its position in `options`.
        fact_codes: the fact of each row for each key, as its position in `facts[key]`, -1 for none; shape (rows, keys).
        shares: the weight of each row before its age counts.
        ages: of the rows, in days.
        results: of the rows: a reward, or success as 0 or 1.
        days: the day of each row, as a number.
    """

    options: tuple[str, ...]
    facts: tuple[tuple[str, ...], ...]
    option_codes: IntArray
    fact_codes: IntArray
    shares: FloatArray
    ages: FloatArray
    results: FloatArray
    days: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class OptionEstimate:
    """The posterior of one option's expected result: that of the sum of the effects of the features of a context.

    Attributes:
        option: its name.
        features: facts, and pairs of facts joined by ` & `; the first one is empty, for every context.
        means: of their effects.
        covariance: of their effects; shape (features, features).
        weight: of the option's rows.
        mean_result: of the option's rows, weighted.
    """

    option: str
    features: tuple[str, ...]
    means: FloatArray
    covariance: FloatArray
    weight: float
    mean_result: float


@dataclass(frozen=True, slots=True, eq=False)
class EstimateModel:
    """The fitted model of one kind of result.

    Attributes:
        half_life_days: of the weights.
        mean: the expected result of an option and a context of which nothing is known.
        variance: of that expectation.
        result_deviation: the standard deviation of one result.
        design_effect: of the results of an option's day.
        deviations: the standard deviation of each group of effects.
        options: the estimate of each option.
    """

    half_life_days: float
    mean: float
    variance: float
    result_deviation: float
    design_effect: float
    deviations: dict[str, float] = field(default_factory=dict)
    options: tuple[OptionEstimate, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return plain numbers for JSON, but for covariances, which are packed: see `expected_results.covariance_of`.

        The first effect of an option, which every context has, needs no name.
        """
        deviation = _rounded(self.result_deviation)
        return {
            "half_life_days": self.half_life_days,
            "mean": _rounded(self.mean, self.result_deviation),
            "variance": _rounded(self.variance),
            "result_deviation": deviation,
            "design_effect": _rounded(self.design_effect),
            "deviations": {name: _rounded(value) for name, value in self.deviations.items()},
            "options": [
                {
                    "option": one.option,
                    "features": list(one.features[1:]),
                    "means": [_rounded(value, self.result_deviation) for value in one.means],
                    "covariance": packed(map(_rounded, _lower(one.covariance) / deviation**2)),
                    "weight": _rounded(one.weight),
                    "mean_result": _rounded(one.mean_result, self.result_deviation),
                }
                for one in self.options
            ],
        }


def fit_estimates(rows: ResultRows, half_life_days: float = USUAL_HALF_LIFE_DAYS) -> EstimateModel:
    """Fit the model to rows, of which there must be one; equal rows in another order give the same model."""
    weights = rows.shares * half_life_weights(rows.ages, half_life_days)
    scale = _deviation(weights, rows.results)
    # Rewards are fitted as differences from their mean, so that the prior on the mean is about these.
    center = _center(weights, rows.results)
    rows = replace(rows, results=rows.results - center)
    cells = _Cells.of(rows, weights)
    design = _Design.build(cells, rows, with_pairs=True)
    posterior = _fit(design, cells, scale, design_effect=1.0)
    residuals = rows.results - _predicted(design, cells, posterior)
    design_effect = _design_effect(rows, weights * residuals)
    if design_effect > 1:
        posterior = _fit(design, cells, scale, design_effect=design_effect, begin=posterior.variances)
    return EstimateModel(
        half_life_days=half_life_days,
        mean=float(posterior.means[0]) + center,
        variance=float(posterior.covariance[0, 0]),
        result_deviation=scale,
        design_effect=design_effect,
        deviations={name: float(np.sqrt(value)) for name, value in zip(_GROUPS, posterior.variances, strict=True)},
        options=tuple(design.option_estimates(cells, posterior, center)),
    )


def best_half_life(rows: ResultRows, usual_days: float = USUAL_HALF_LIFE_DAYS) -> float:
    """The half-life in days, of `HALF_LIVES` times the usual one, that would have predicted the last week best.

    Each is compared by the logarithm of its predictive density, with `_BETTER_BY` in favor of the usual one. Fitted are
    facts without their pairs to the rows before that week. Where most rows are newer it is the usual one.
    """
    is_new = rows.ages < _TEST_DAYS
    if np.sum(rows.shares[is_new]) > np.sum(rows.shares[~is_new]):
        return usual_days
    losses, variances = [], []
    for factor in HALF_LIVES:
        faded = half_life_weights(rows.ages - _TEST_DAYS, usual_days * factor)
        weights = np.where(is_new, 0.0, rows.shares * faded)
        scale = _deviation(weights, rows.results)
        centered = replace(rows, results=rows.results - _center(weights, rows.results))
        cells = _Cells.of(centered, weights)
        design = _Design.build(cells, rows, with_pairs=False)
        residuals = centered.results - _predicted(design, cells, _fit(design, cells, scale, design_effect=1.0))
        losses.append(float(np.sum(rows.shares[is_new] * residuals[is_new] ** 2)))
        variances.append(scale**2 * _design_effect(rows, np.where(is_new, rows.shares * residuals, 0.0)))
    # The variance of the model that explains the week best: to the others, a turn of the rules looks like bad luck.
    penalties = [_BETTER_BY * (factor != 1) for factor in HALF_LIVES]
    scores = [loss / (2 * min(variances)) + penalty for loss, penalty in zip(losses, penalties, strict=True)]
    return usual_days * HALF_LIVES[int(np.argmin(scores))]


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Rows of the same option and facts, added up; in the order of their codes."""

    option_codes: IntArray
    fact_codes: IntArray
    weights: FloatArray
    sums: FloatArray
    squares: float
    cell_of_row: IntArray

    @classmethod
    def of(cls, rows: ResultRows, row_weights: FloatArray) -> "_Cells":
        sizes = [len(rows.options), *(len(facts) + 1 for facts in rows.facts)]
        codes = np.column_stack([rows.option_codes, rows.fact_codes + 1]).T
        numbers, cell_of_row = np.unique(np.ravel_multi_index(list(codes), sizes), return_inverse=True)
        option_codes, *fact_codes = np.unravel_index(numbers, sizes)
        return cls(
            option_codes=option_codes,
            fact_codes=np.column_stack(fact_codes) - 1 if fact_codes else np.empty((len(numbers), 0), np.int64),
            weights=np.bincount(cell_of_row, weights=row_weights).astype(np.float64),
            sums=np.bincount(cell_of_row, weights=row_weights * rows.results).astype(np.float64),
            squares=float(np.sum(np.sort(row_weights * rows.results**2))),
            cell_of_row=cell_of_row,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Posterior:
    means: FloatArray
    covariance: FloatArray
    variances: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Design:
    """Which effects each cell has.

    The columns are the mean, options, facts, facts of each option, and pairs of facts of each option.
    """

    options: tuple[str, ...]
    matrix: Indicators
    groups: IntArray
    """The group of each column, as its position in `_GROUPS`; -1 for the mean."""
    facts: tuple[str, ...]
    pairs: tuple[tuple[tuple[int, int], ...], ...]
    """The pairs of each option, by the numbers of their facts."""

    @classmethod
    def build(cls, cells: _Cells, rows: ResultRows, *, with_pairs: bool) -> "_Design":
        options, count = len(rows.options), len(cells.weights)
        offsets = np.cumsum([0, *(len(facts) for facts in rows.facts)])
        facts = tuple(fact for of_key in rows.facts for fact in of_key)
        # The numbers of a cell's facts; `absent` for a key that it does not have.
        absent = len(facts)
        numbers = np.where(cells.fact_codes >= 0, cells.fact_codes + offsets[:-1], absent)
        pairs = _pairs(cells, numbers, options, absent) if with_pairs else ((),) * options
        first_of_facts, first_of_own = 1 + options, 1 + options + absent
        entries = [
            (np.arange(count), np.zeros(count, np.int64)),
            (np.arange(count), 1 + cells.option_codes),
        ]
        for key in range(numbers.shape[1]):
            has = np.flatnonzero(numbers[:, key] < absent)
            entries.append((has, first_of_facts + numbers[has, key]))
            entries.append((has, first_of_own + cells.option_codes[has] * absent + numbers[has, key]))
        column = first_of_own + options * absent
        for option, of_option in enumerate(pairs):
            for one, other in of_option:
                has_both = np.any(numbers == one, axis=1) & np.any(numbers == other, axis=1)
                has = np.flatnonzero(has_both & (cells.option_codes == option))
                entries.append((has, np.full(len(has), column)))
                column += 1
        row, columns = (np.concatenate(part) for part in zip(*entries, strict=True))
        sizes = [1, options, absent, options * absent, column - first_of_own - options * absent]
        return cls(
            options=rows.options,
            matrix=Indicators(row, columns, count, column),
            groups=np.repeat(np.arange(-1, len(_GROUPS)), sizes),
            facts=facts,
            pairs=pairs,
        )

    def option_estimates(self, cells: _Cells, posterior: _Posterior, center: float) -> list[OptionEstimate]:
        """The posterior of each option, from that of the effects that it adds up, and what results are centered at."""
        options, absent = len(self.pairs), len(self.facts)
        first_of_facts, first_of_own = 1 + options, 1 + options + absent
        column = first_of_own + options * absent
        estimates = []
        for option, of_option in enumerate(self.pairs):
            own = first_of_own + option * absent + np.arange(absent)
            of_pairs = column + np.arange(len(of_option))
            column += len(of_option)
            size = 1 + absent + len(of_option)
            mapping = np.zeros((size, len(posterior.means)))
            mapping[0, [0, 1 + option]] = 1
            mapping[1 + np.arange(absent), first_of_facts + np.arange(absent)] = 1
            mapping[1 + np.arange(absent), own] = 1
            mapping[1 + absent + np.arange(len(of_option)), of_pairs] = 1
            mine = cells.option_codes == option
            weight, total = float(np.sum(cells.weights[mine])), float(np.sum(cells.sums[mine]))
            means = mapping @ posterior.means
            means[0] += center
            estimates.append(
                OptionEstimate(
                    option=self.options[option],
                    features=("", *self.facts, *(f"{self.facts[a]}{PAIR}{self.facts[b]}" for a, b in of_option)),
                    means=means,
                    covariance=mapping @ posterior.covariance @ mapping.T,
                    weight=weight,
                    mean_result=center + total / weight if weight else 0.0,
                )
            )
        return estimates


def _pairs(cells: _Cells, numbers: IntArray, options: int, absent: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The pairs of facts that each option is estimated in: those with the most weight, as many as there is room for."""
    most = min(MAX_FEATURES - 1 - absent, (MAX_EFFECTS - 1 - absent - options * (1 + absent)) // options)
    found: list[tuple[tuple[int, int], ...]] = []
    for option in range(options):
        mine = cells.option_codes == option
        weights: dict[tuple[int, int], float] = {}
        for one, other in combinations(range(numbers.shape[1]), 2):
            codes, index = np.unique(numbers[mine][:, [one, other]], axis=0, return_inverse=True)
            totals = np.bincount(index.ravel(), weights=cells.weights[mine], minlength=len(codes))
            has_both = np.all(codes < absent, axis=1)
            weights |= dict(zip(map(tuple, codes[has_both].tolist()), totals[has_both].tolist(), strict=True))
        heaviest = sorted(weights, key=lambda pair: (-round(weights[pair], 6), pair))[: max(most, 0)]
        found.append(tuple(sorted(heaviest)))
    return tuple(found)


def _fit(
    design: _Design, cells: _Cells, scale: float, *, design_effect: float, begin: FloatArray | None = None
) -> _Posterior:
    """The posterior of all effects, with the variances of their groups, which `begin` at the prior ones."""
    gram, products = design.matrix.gram(cells.weights), design.matrix.transposed_times(cells.sums)
    total = float(np.sum(cells.weights))
    prior = np.array([_PRIOR_DEVIATION[name] for name in _GROUPS]) ** 2 * scale**2
    variances, error = prior.copy() if begin is None else begin.copy(), scale**2
    members = [design.groups == group for group in range(len(_GROUPS))]
    precision = np.empty(len(design.groups))
    for _ in range(_ITERATIONS):
        precision[design.groups < 0] = 1e-4 / scale**2
        for group, mine in enumerate(members):
            precision[mine] = 1 / variances[group]
        means, covariance = _solve(
            gram / (error * design_effect) + np.diag(precision), products / error / design_effect
        )
        known, before = 1 - np.diag(covariance) * precision, np.append(variances, error)
        for group, mine in enumerate(members):
            squares = float(np.sum(means[mine] ** 2)) + _PRIOR_WEIGHT * prior[group]
            variances[group] = squares / (max(float(np.sum(known[mine])), 0.0) + _PRIOR_WEIGHT)
        residual = cells.squares - 2 * float(means @ products) + float(means @ gram @ means)
        # As if there were one more decision, so that a few equal results are not certainty.
        error = (max(residual, 0.0) + scale**2) / (total + 1)
        if np.allclose(np.append(variances, error), before, rtol=_TOLERANCE, atol=0.0):
            break
    return _Posterior(means, covariance, variances)


def _solve(precision: FloatArray, products: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The mean and the covariance of a Gaussian by its precision."""
    inverse = np.linalg.inv(precision)
    covariance = (inverse + inverse.T) / 2
    return covariance @ products, covariance


def _predicted(design: _Design, cells: _Cells, posterior: _Posterior) -> FloatArray:
    """What the model expects of each row."""
    return np.asarray(design.matrix.times(posterior.means)[cells.cell_of_row], dtype=np.float64)


def _design_effect(rows: ResultRows, weighted: FloatArray) -> float:
    """How much more than independent ones weighted residuals of an option's day vary; 1 if they do not."""
    _, block = np.unique(rows.days * len(rows.options) + rows.option_codes, return_inverse=True)
    independent = float(np.sum(weighted**2))
    return max(1.0, float(np.sum(np.bincount(block, weights=weighted) ** 2)) / independent) if independent else 1.0


def _deviation(weights: FloatArray, results: FloatArray) -> float:
    """The standard deviation of one result, never 0; as if its ends were seen once more.

    Of equal results, or of results that differ by rounding only, it is their size.
    """
    ends = np.array([0.0, 1.0]) if _are_successes(results) else np.array([np.min(results), np.max(results)])
    if ends[1] - ends[0] <= _ROUNDING * np.max(np.abs(ends)):
        return abs(float(ends[0])) or 1.0
    values, shares = np.append(results, ends), np.append(weights, [1.0, 1.0])
    mean = np.average(values, weights=shares)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=shares)))


def _are_successes(results: FloatArray) -> bool:
    return bool(np.all((results == 0) | (results == 1)))


def _center(weights: FloatArray, results: FloatArray) -> float:
    """The weighted mean reward, that of equal ones exactly; 0 for successes."""
    if _are_successes(results):
        return 0.0
    mean = np.average(results, weights=weights) if np.sum(weights) else np.mean(results)
    return float(np.clip(mean, np.min(results), np.max(results)))


def _lower(matrix: FloatArray) -> FloatArray:
    """The rows of the lower triangle, one after the other."""
    return np.asarray(matrix[np.tril_indices(len(matrix))], dtype=np.float64)


def _rounded(value: float, deviation: float = math.inf) -> float:
    """A number to five significant digits, and to a hundred-thousandth of a deviation."""
    more = math.ceil(math.log10(abs(value) / deviation)) if abs(value) > deviation else 0
    return float(f"{value:.{_DIGITS + more}g}")
