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
from agent_memory.learning.descriptions import market_of, pattern_id_of
from agent_memory.learning.evidence import SELECTED_SOURCES, SOURCE, STRATEGIES, key_of, value_of
from agent_memory.learning.feature_matrix import FeatureMatrix, frequent_features
from agent_memory.learning.intervals import wilson_interval
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.model.sources import BY_OUTCOME, BY_SELECTION, SOURCE_PATHS, is_judged

MAX_CONTEXTS = 50
"""Market conditions that are kept, the most frequent first."""
MAX_CONTEXTS_PER_SOURCE = 20
SOURCE_KEYS = tuple(SOURCE if path == SELECTED_SOURCES else path for path in (".".join(one) for one in SOURCE_PATHS))
"""The keys of the facts that name a source, in the order in which they count."""
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


def strategy_performance(
    datasets: Sequence[Dataset], thresholds: PatternThresholds, caused: Sequence[tuple[str, Dataset]] = ()
) -> Iterator[PerformanceSummary]:
    """Yield the success of each strategy in each decision type, overall and by week; `STRATEGIES` names its keys.

    A strategy is measured by what its decisions caused. `caused` has that with the type of the outcomes, as
    `learning.consequences` collects it; decisions of a type that caused nothing are measured by their own success.
    """
    outcome_types = {dataset.decision_type: outcome_type for outcome_type, dataset in caused}
    own = [one for one in datasets if one.decision_type not in outcome_types]
    measured = [*own, *(dataset for _, dataset in caused)]
    for dataset, feature, matching in _values(measured, STRATEGIES, thresholds):
        yield _summary(
            dataset,
            feature,
            matching,
            thresholds,
            outcome_type=outcome_types.get(dataset.decision_type),
            weeks=_weekly_rates(dataset, matching),
        )


def source_performance(datasets: Sequence[Dataset], thresholds: PatternThresholds) -> Iterator[PerformanceSummary]:
    """Yield the success of what each source said, overall and in each market condition.

    `measured_by` is `outcome`: decisions that were judged by what came of them. Only if no source has been judged it is
    `selection`: how often selections of the source succeeded, which does not say whether the source was right.
    """
    judged = [one for one in datasets if is_judged(one.decision_type)]
    found = [(BY_OUTCOME, *one) for one in _sources(judged, thresholds)]
    if not found:
        chosen = [one for one in datasets if not is_judged(one.decision_type)]
        found = [(BY_SELECTION, *one) for one in _sources(chosen, thresholds)]
    contexts = {one.decision_type: list(_contexts(one, thresholds)) for _, one, _, _ in found}
    for measured_by, dataset, feature, matching in found:
        by_context = [
            {"context": list(context), **_short_data(dataset, matching & in_context, thresholds)}
            for context, in_context in contexts[dataset.decision_type][:MAX_CONTEXTS_PER_SOURCE]
            if np.count_nonzero(matching & in_context) >= thresholds.min_occurrences
        ]
        data: dict[str, Any] = {"source": value_of(feature), "measured_by": measured_by, "by_context": by_context}
        yield _summary(dataset, feature, matching, thresholds, **data)


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


def _sources(datasets: Sequence[Dataset], thresholds: PatternThresholds) -> Iterator[tuple[Dataset, str, BoolArray]]:
    """Yield each source, by the first fact that names it, with the decisions that name it."""
    for dataset in datasets:
        named = np.zeros(len(dataset.success), dtype=np.bool_)
        sources: dict[str, tuple[str, BoolArray]] = {}
        for key in SOURCE_KEYS:
            matrix = _frequent(dataset, (f"{key}=",), thresholds)
            for name, row in zip(matrix.names, matrix.rows, strict=True):
                feature, before = sources.get(value_of(name), (name, np.zeros_like(named)))
                sources[value_of(name)] = feature, before | (row & ~named)
            for row in matrix.rows:
                named |= row
        for feature, matching in sources.values():
            if np.count_nonzero(matching) >= thresholds.min_occurrences:
                yield dataset, feature, matching


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
    dataset: Dataset,
    feature: str,
    matching: BoolArray,
    thresholds: PatternThresholds,
    *,
    outcome_type: str | None = None,
    **details: Any,
) -> PerformanceSummary:
    overall, recent = _comparisons(dataset, matching, thresholds)
    low, high = recent.matching.interval
    return PerformanceSummary(
        pattern_id_of(dataset.decision_type, (feature,)),
        {
            "decision_type": dataset.decision_type,
            key_of(feature).rpartition(".")[2]: value_of(feature),
            "features": [feature],
            "outcome_type": outcome_type or dataset.decision_type,
            "description": dataset.describe((feature,), matching, overall, outcome_type=outcome_type),
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
