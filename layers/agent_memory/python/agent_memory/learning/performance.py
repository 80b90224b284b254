"""How strategies and sources do, and which market conditions come back: plain tallies with intervals, no search.

Every rate comes twice: over all evidence, and with a half-life (`recent`). Intervals are Wilson's and Newcombe's on
effective sample sizes (`learning.intervals`, `learning.clustering`). `confidence` says how well the main rate is
known: 1 minus the width of its 95 % interval.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from agent_memory.learning.columns import recurring
from agent_memory.learning.discovery import Record
from agent_memory.learning.evidence import SOURCE, STRATEGIES, key_of, value_of
from agent_memory.learning.figures import figures_of
from agent_memory.learning.intervals import wilson_interval
from agent_memory.learning.model import PatternThresholds
from agent_memory.learning.tables import BoolArray, IntArray
from agent_memory.learning.wording import description_of, market_of, pattern_id_of

MOST_CONTEXTS = 50
"""Market conditions that are kept, the most frequent first."""
MOST_CONTEXTS_OF_A_SOURCE = 20
_MARKET = ("context.market.", "context.market=")
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_WEEK_DAYS = 7
_THURSDAY = 3  # 1970 began on a Thursday, weeks begin on Mondays

Features = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is to be remembered under an id; `data` holds plain JSON with its `confidence`."""

    pattern_id: str
    data: dict[str, Any]


def strategies(records: Sequence[Record], thresholds: PatternThresholds) -> Iterator[Summary]:
    """How each strategy (`reasoning.strategy`, `metadata.strategy`) does in each decision type, week by week too."""
    for record, feature, matching in _facts(records, STRATEGIES, thresholds):
        yield _summary(record, feature, matching, thresholds, weeks=_by_week(record, matching))


def sources(records: Sequence[Record], thresholds: PatternThresholds) -> Iterator[Summary]:
    """How the decisions that chose each source do, over all and in each market condition."""
    contexts = {record.decision_type: list(_contexts(record, thresholds)) for record in records}
    for record, feature, matching in _facts(records, (SOURCE,), thresholds):
        by_context = [
            {"context": list(context), **_in_short(_figures(record, matching & here, thresholds))}
            for context, here in contexts[record.decision_type][:MOST_CONTEXTS_OF_A_SOURCE]
            if np.count_nonzero(matching & here) >= thresholds.min_occurrences
        ]
        yield _summary(record, feature, matching, thresholds, by_context=by_context)


def archetypes(records: Sequence[Record], thresholds: PatternThresholds) -> Iterator[Summary]:
    """Which market conditions recur: how often, how long they last, and how each decision type does in them."""
    places: dict[Features, list[tuple[Record, BoolArray]]] = defaultdict(list)
    for record in records:
        for context, here in _contexts(record, thresholds):
            places[context].append((record, here))
    if not places:
        return
    times = np.concatenate([record.times_ms for record in records])
    counts = {context: sum(int(np.count_nonzero(here)) for _, here in where) for context, where in places.items()}
    for context in sorted(places, key=lambda one: (-counts[one], one))[:MOST_CONTEXTS]:
        present = np.concatenate([record.times_ms[here] for record, here in places[context]])
        recurrence = _recurrence(times, present)
        low, high = recurrence["day_share_interval"]
        share = f"on {recurrence['days_seen']} of {recurrence['days']} days, {counts[context]:,} decisions"
        data = {
            "features": list(context),
            "description": f"{market_of(context)}: {share}",
            "confidence": 1 - (high - low),
            "occurrences": counts[context],
            "share_of_decisions": counts[context] / len(times),
            **recurrence,
            "by_decision_type": [
                {"decision_type": record.decision_type, **_in_short(_figures(record, here, thresholds))}
                for record, here in places[context]
            ],
        }
        yield Summary(pattern_id_of("archetype", context), data)


def _facts(
    records: Sequence[Record], keys: Sequence[str], thresholds: PatternThresholds
) -> Iterator[tuple[Record, str, BoolArray]]:
    """Each value of these keys that enough decisions of a type hold, and which do."""
    prefixes = tuple(f"{key}=" for key in keys)
    for record in records:
        columns = recurring(
            record.table.facts,
            min_occurrences=thresholds.min_occurrences,
            max_distinct_values=thresholds.max_distinct_values,
            prefixes=prefixes,
        )
        for name, row in zip(columns.names, columns.rows, strict=True):
            yield record, name, row


def _contexts(record: Record, thresholds: PatternThresholds) -> Iterator[tuple[Features, BoolArray]]:
    """Each market condition that enough decisions of a type were made in, the most frequent first."""
    columns = recurring(
        record.table.facts,
        min_occurrences=thresholds.min_occurrences,
        max_distinct_values=thresholds.max_distinct_values,
        prefixes=_MARKET,
    )
    if not columns.names:
        return
    kinds, which, counts = np.unique(np.packbits(columns.rows, axis=0), axis=1, return_inverse=True, return_counts=True)
    held = np.unpackbits(kinds, axis=0, count=len(columns.names)).astype(np.bool_)
    for kind in np.argsort(-counts, kind="stable"):
        features = tuple(name for name, has in zip(columns.names, held[:, kind], strict=True) if has)
        if features and counts[kind] >= thresholds.min_occurrences:
            yield features, np.asarray(which.ravel() == kind)


def _summary(record: Record, feature: str, matching: BoolArray, thresholds: PatternThresholds, **more: Any) -> Summary:
    figures = _figures(record, matching, thresholds)
    low, high = figures["recent"]["interval"]
    return Summary(
        pattern_id_of(record.decision_type, (feature,)),
        {
            "decision_type": record.decision_type,
            key_of(feature).rpartition(".")[2]: value_of(feature),
            "features": [feature],
            "description": description_of(
                record.decision_type,
                (feature,),
                success_rate=figures["success_rate"],
                occurrences=figures["occurrences"],
                base_rate=figures["base_rate"],
            ),
            "confidence": 1 - (high - low),
            **figures,
            **more,
        },
    )


def _figures(record: Record, matching: BoolArray, thresholds: PatternThresholds) -> dict[str, Any]:
    recent = record.compare_recent(matching, from_ms=0, half_life_ms=thresholds.half_life_ms)
    return figures_of(record.compare_all(matching), recent)


def _in_short(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures that a list of many groups shows."""
    shown = ("occurrences", "successes", "success_rate", "interval", "base_rate")
    recent = {name: figures["recent"][name] for name in ("success_rate", "interval")}
    return {**{name: figures[name] for name in shown}, "recent": recent}


def _by_week(record: Record, matching: BoolArray) -> list[dict[str, Any]]:
    """Success in each week in which there was such a decision, oldest first; `week` is its Monday."""
    weeks = (record.times_ms[matching] // _DAY_MS + _THURSDAY) // _WEEK_DAYS
    found, of = np.unique(weeks, return_inverse=True)
    counts, wins = np.bincount(of), np.bincount(of, weights=record.success[matching])
    return [
        {
            "week": _monday(int(week)),
            "occurrences": int(count),
            "successes": int(won),
            "success_rate": float(won / count),
            "interval": list(wilson_interval(float(won / count), int(count))),
        }
        for week, count, won in zip(found, counts, wins, strict=True)
    ]


def _monday(week: int) -> str:
    seconds = (week * _WEEK_DAYS - _THURSDAY) * _DAY_MS // 1000
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _recurrence(times_ms: IntArray, present_ms: IntArray) -> dict[str, Any]:
    """How often a condition comes and how long it stays, over the minutes and days with any decision.

    `persistence` is the share of those minutes with the condition after which the next such minute has it too: the
    diagonal of a first-order Markov chain (Anderson and Goodman, Annals of Mathematical Statistics 28, 1957).
    """
    days, days_seen = len(np.unique(times_ms // _DAY_MS)), len(np.unique(present_ms // _DAY_MS))
    minutes = np.unique(times_ms // _MINUTE_MS)
    is_present = np.isin(minutes, present_ms // _MINUTE_MS)
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
        "first_seen_ms": int(present_ms.min()),
        "last_seen_ms": int(present_ms.max()),
    }
