"""Forecasts from earlier points in the record: what patterns would have predicted, and what then happened.

This is evaluation with a rolling origin: Tashman, International Journal of Forecasting 16 (2000) 437-450.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from agent_memory.learning.array_types import BoolArray
from agent_memory.learning.calibration import Forecasts
from agent_memory.learning.comparison import Comparison
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets, identify_in_datasets
from agent_memory.learning.patterns import Pattern, PatternThresholds
from agent_memory.model.evidence import Evidence

ORIGINS = 6
"""Points in the record from which forecasts are made."""
_FIRST_ORIGIN = 0.4
_MIN_DECISIONS = 10
_DRAWS = 4_000

_DEFAULTS = PatternThresholds()


def rolling_origin_forecasts(evidence: Sequence[Evidence], thresholds: PatternThresholds = _DEFAULTS) -> Forecasts:
    """Forecast at each origin how patterns will do up to the next one, and compare with how they did.

    The last 60 % of the record are divided into `ORIGINS` segments of equally many decisions. Before each, patterns are
    searched in all earlier decisions, and each pattern found, including emerging ones, forecasts the probability that
    its decisions will succeed more often than the rest of their type (less often, if it is a warning). A segment with
    fewer than ten decisions in either group, or with equal rates, decides nothing and is skipped.
    """
    ordered = sorted(evidence, key=lambda row: row.timestamp_ms)
    cuts = [round(len(ordered) * share) for share in np.linspace(_FIRST_ORIGIN, 1, ORIGINS + 1)]
    forecasts = [
        forecast
        for start, end in pairwise(cuts)
        for forecast in _segment_forecasts(ordered[:start], ordered[start:end], thresholds)
    ]
    probabilities, happened = zip(*forecasts, strict=True) if forecasts else ((), ())
    return Forecasts(np.array(probabilities, dtype=np.float64), np.array(happened, dtype=np.bool_))


def _segment_forecasts(
    known: Sequence[Evidence], segment: Sequence[Evidence], thresholds: PatternThresholds
) -> Iterator[tuple[float, bool]]:
    datasets = build_datasets(build_tables(known), thresholds)
    found = identify_in_datasets(datasets, thresholds)
    by_type = {dataset.decision_type: dataset for dataset in datasets}
    later = {table.decision_type: table for table in build_tables(segment)}
    for pattern in (*found.patterns, *found.emerging):
        table = later.get(pattern.decision_type)
        if table is None:
            continue
        matches = table.features.matching(pattern.features)
        matching, rest = table.success[matches], table.success[~matches]
        if min(len(matching), len(rest)) < _MIN_DECISIONS or matching.mean() == rest.mean():
            continue
        is_better = pattern.effect > 0
        probability = _probability(by_type[pattern.decision_type], pattern, matching, rest, thresholds)
        yield probability, bool((matching.mean() > rest.mean()) == is_better)


def _probability(
    dataset: Dataset, pattern: Pattern, matching: BoolArray, rest: BoolArray, thresholds: PatternThresholds
) -> float:
    """Probability that a segment of this size shows the pattern's direction, by simulation from the posterior.

    Correlated outcomes are accounted for as in the record: by effective sample sizes.
    """
    matches = dataset.table.features.matching(pattern.features)
    begins_ms, half_life_ms = pattern.newest_begins_ms, thresholds.half_life_ms
    recent = dataset.compare_recent(matches, from_ms=begins_ms, half_life_ms=half_life_ms)
    before = dataset.compare_before(matches, until_ms=begins_ms, half_life_ms=half_life_ms)
    posterior = recent.posterior(prior_decisions=thresholds.prior_decisions, before=before)
    weight, rest_weight = _effective_shares(dataset.compare_all(matches))
    generator = np.random.default_rng(0)
    component = generator.choice(len(posterior.weights), size=_DRAWS, p=posterior.weights)
    rates = generator.beta(posterior.alphas[component], posterior.betas[component])
    # The rest is large, so its rate is taken as known; only its sampling error is simulated.
    count, rest_count = max(1, round(len(matching) * weight)), max(1, round(len(rest) * rest_weight))
    observed = generator.binomial(count, rates) / count
    effects = observed - generator.binomial(rest_count, recent.rest.rate, _DRAWS) / rest_count
    higher = float(np.mean(effects > 0) + np.mean(effects == 0) / 2)
    return higher if pattern.effect > 0 else 1 - higher


def _effective_shares(overall: Comparison) -> tuple[float, float]:
    """Effective sample size divided by sample size, for both groups."""
    matching, rest = overall.matching, overall.rest
    return matching.effective_size / max(1, matching.occurrences), rest.effective_size / max(1, rest.occurrences)
