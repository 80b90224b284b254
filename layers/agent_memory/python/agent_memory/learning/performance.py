"""Success of strategies and sources, and recurrence of market conditions: counts with intervals, without any search.

Every rate is given twice: over all evidence, and weighted by a half-life (`recent`). Intervals are Wilson's and
Newcombe's on effective sample sizes (`learning.intervals`, `learning.design_effect`). `confidence` says how precisely
the recent rate is known: 1 minus the width of its 95 % interval.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent_memory.core.clock import DAY_MS, date_of
from agent_memory.learning.array_types import BoolArray, IntArray
from agent_memory.learning.comparison import Comparison, effect_data
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.descriptions import description_of, market_of, pattern_id_of
from agent_memory.learning.evidence import SOURCE, STRATEGIES, key_of, value_of
from agent_memory.learning.feature_matrix import FeatureMatrix, frequent_features
from agent_memory.learning.intervals import wilson_interval
from agent_memory.learning.patterns import PatternThresholds

MAX_CONTEXTS = 50
"""Market conditions that are kept, the most frequent first."""
MAX_CONTEXTS_PER_SOURCE = 20
_MARKET_PREFIXES = ("context.market.", "context.market=")
_MINUTE_MS = 60_000
_DAYS_PER_WEEK = 7
_EPOCH_WEEKDAY = 3  # 1970 began on a Thursday; weeks begin on Mondays

Features = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PerformanceSummary:
    """A memory to store under an id; `data` is plain JSON, its `confidence` included."""

    pattern_id: str
    data: dict[str, Any]


def strategy_performance(datasets: Sequence[Dataset], thresholds: PatternThresholds) -> Iterator[PerformanceSummary]:
    """Yield the success of each strategy in each decision type, overall and by week; `STRATEGIES` names its keys."""
    for dataset, feature, matching in _values(datasets, STRATEGIES, thresholds):
        yield _summary(dataset, feature, matching, thresholds, weeks=_weekly_rates(dataset, matching))


def source_performance(datasets: Sequence[Dataset], thresholds: PatternThresholds) -> Iterator[PerformanceSummary]:
    """Yield the success of the decisions that chose each source, overall and in each market condition."""
    contexts = {dataset.decision_type: list(_contexts(dataset, thresholds)) for dataset in datasets}
    for dataset, feature, matching in _values(datasets, (SOURCE,), thresholds):
        by_context = [
            {"context": list(context), **_short_data(dataset, matching & in_context, thresholds)}
            for context, in_context in contexts[dataset.decision_type][:MAX_CONTEXTS_PER_SOURCE]
            if np.count_nonzero(matching & in_context) >= thresholds.min_occurrences
        ]
        yield _summary(dataset, feature, matching, thresholds, by_context=by_context)


def market_archetypes(datasets: Sequence[Dataset], thresholds: PatternThresholds) -> Iterator[PerformanceSummary]:
    """Yield the market conditions that recur: how often, for how long, and how each decision type does in them."""
    occurrences: dict[Features, list[tuple[Dataset, BoolArray]]] = defaultdict(list)
    for dataset in datasets:
        for context, in_context in _contexts(dataset, thresholds):
            occurrences[context].append((dataset, in_context))
    if not occurrences:
        return
    times = np.concatenate([dataset.times_ms for dataset in datasets])
    counts = {context: sum(int(np.count_nonzero(one)) for _, one in found) for context, found in occurrences.items()}
    for context in sorted(occurrences, key=lambda one: (-counts[one], one))[:MAX_CONTEXTS]:
        context_times = np.concatenate([dataset.times_ms[in_context] for dataset, in_context in occurrences[context]])
        recurrence = _recurrence(times, context_times)
        low, high = recurrence["day_share_interval"]
        days = f"on {recurrence['days_seen']} of {recurrence['days']} days, {counts[context]:,} decisions"
        data = {
            "features": list(context),
            "description": f"{market_of(context)}: {days}",
            "confidence": 1 - (high - low),
            "occurrences": counts[context],
            "share_of_decisions": counts[context] / len(times),
            **recurrence,
            "by_decision_type": [
                {"decision_type": dataset.decision_type, **_short_data(dataset, in_context, thresholds)}
                for dataset, in_context in occurrences[context]
            ],
        }
        yield PerformanceSummary(pattern_id_of("archetype", context), data)


def _values(
    datasets: Sequence[Dataset], keys: Sequence[str], thresholds: PatternThresholds
) -> Iterator[tuple[Dataset, str, BoolArray]]:
    """Yield each value of these keys that enough decisions of a type have, with the decisions that have it."""
    for dataset in datasets:
        matrix = _frequent(dataset, tuple(f"{key}=" for key in keys), thresholds)
        for name, row in zip(matrix.names, matrix.rows, strict=True):
            yield dataset, name, row


def _contexts(dataset: Dataset, thresholds: PatternThresholds) -> Iterator[tuple[Features, BoolArray]]:
    """Yield each market condition in which enough decisions of a type were made, the most frequent first."""
    matrix = _frequent(dataset, _MARKET_PREFIXES, thresholds)
    if not matrix.names:
        return
    packed, which, counts = np.unique(np.packbits(matrix.rows, axis=0), axis=1, return_inverse=True, return_counts=True)
    conditions = np.unpackbits(packed, axis=0, count=len(matrix.names)).astype(np.bool_)
    for condition in np.argsort(-counts, kind="stable"):
        features = tuple(name for name, has in zip(matrix.names, conditions[:, condition], strict=True) if has)
        if features and counts[condition] >= thresholds.min_occurrences:
            yield features, np.asarray(which.ravel() == condition)


def _frequent(dataset: Dataset, prefixes: tuple[str, ...], thresholds: PatternThresholds) -> FeatureMatrix:
    return frequent_features(
        dataset.table.features,
        min_occurrences=thresholds.min_occurrences,
        max_distinct_values=thresholds.max_distinct_values,
        prefixes=prefixes,
    )


def _summary(
    dataset: Dataset, feature: str, matching: BoolArray, thresholds: PatternThresholds, **details: Any
) -> PerformanceSummary:
    overall, recent = _comparisons(dataset, matching, thresholds)
    low, high = recent.matching.interval
    return PerformanceSummary(
        pattern_id_of(dataset.decision_type, (feature,)),
        {
            "decision_type": dataset.decision_type,
            key_of(feature).rpartition(".")[2]: value_of(feature),
            "features": [feature],
            "description": description_of(dataset.decision_type, (feature,), overall),
            "confidence": 1 - (high - low),
            **effect_data(overall, recent),
            **details,
        },
    )


def _comparisons(dataset: Dataset, matching: BoolArray, thresholds: PatternThresholds) -> tuple[Comparison, Comparison]:
    recent = dataset.compare_recent(matching, from_ms=0, half_life_ms=thresholds.half_life_ms)
    return dataset.compare_all(matching), recent


def _short_data(dataset: Dataset, matching: BoolArray, thresholds: PatternThresholds) -> dict[str, Any]:
    """The rates that a list of many groups contains."""
    data = effect_data(*_comparisons(dataset, matching, thresholds))
    shown = ("occurrences", "successes", "success_rate", "interval", "base_rate")
    recent = {name: data["recent"][name] for name in ("success_rate", "interval")}
    return {**{name: data[name] for name in shown}, "recent": recent}


def _weekly_rates(dataset: Dataset, matching: BoolArray) -> list[dict[str, Any]]:
    """Success in each week that has a matching decision, oldest first; `week` is its Monday."""
    days = dataset.times_ms[matching] // DAY_MS
    mondays, week = np.unique(days - (days + _EPOCH_WEEKDAY) % _DAYS_PER_WEEK, return_inverse=True)
    counts, wins = np.bincount(week), np.bincount(week, weights=dataset.success[matching])
    return [
        {
            "week": date_of(int(monday) * DAY_MS).isoformat(),
            "occurrences": int(count),
            "successes": int(won),
            "success_rate": float(won / count),
            "interval": list(wilson_interval(float(won / count), int(count))),
        }
        for monday, count, won in zip(mondays, counts, wins, strict=True)
    ]


def _recurrence(times_ms: IntArray, context_times_ms: IntArray) -> dict[str, Any]:
    """How often a condition occurs and how long it persists, over the minutes and days with any decision.

    `persistence` is the share of the minutes with the condition after which the next such minute has it too: the
    diagonal of a first-order Markov chain (Anderson and Goodman, Annals of Mathematical Statistics 28, 1957).
    """
    days, days_seen = len(np.unique(times_ms // DAY_MS)), len(np.unique(context_times_ms // DAY_MS))
    minutes = np.unique(times_ms // _MINUTE_MS)
    is_present = np.isin(minutes, context_times_ms // _MINUTE_MS)
    before = is_present[:-1]
    left, stayed = int(np.count_nonzero(before)), int(np.count_nonzero(before & is_present[1:]))
    return {
        "days": days,
        "days_seen": days_seen,
        "day_share": days_seen / days,
        "day_share_interval": list(wilson_interval(days_seen / days, days)),
        "episodes": int(is_present[0]) + int(np.count_nonzero(~before & is_present[1:])),
        "persistence": stayed / left if left else None,
        "persistence_interval": list(wilson_interval(stayed / left, left)) if left else None,
        "first_seen_ms": int(np.min(context_times_ms)),
        "last_seen_ms": int(np.max(context_times_ms)),
    }
