"""What patterns would have foretold: learned from the record up to a time, judged on the decisions after it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from agent_memory.learning.columns import BoolArray
from agent_memory.learning.comparison import Comparison
from agent_memory.learning.discovery import Record
from agent_memory.learning.model import Pattern, PatternThresholds
from agent_memory.learning.patterns import identify_in, records_of
from agent_memory.learning.reliability import Forecasts
from agent_memory.learning.tables import tables_of
from agent_memory.model.evidence import Evidence

STRETCHES = 6
_LEARNED_FROM = 0.4
_FEWEST_DECISIONS = 10
_DRAWS = 4_000

_DEFAULTS = PatternThresholds()


def past_forecasts(evidence: Sequence[Evidence], thresholds: PatternThresholds = _DEFAULTS) -> Forecasts:
    """Forecast from each of six times in the record what the stretch up to the next shows, and say what it showed.

    The record's last 60 % are cut into `STRETCHES` of equally many decisions. Before each, patterns are searched in all
    decisions before it, and each pattern found, emerging ones too, states the chance that its decisions will succeed
    more often than the rest of their type (less often, if it is a warning). A stretch with fewer than ten decisions of
    either kind, or with equal rates, tells nothing and is left out.
    """
    ordered = sorted(evidence, key=lambda row: row.timestamp_ms)
    cuts = [round(len(ordered) * share) for share in np.linspace(_LEARNED_FROM, 1, STRETCHES + 1)]
    forecasts = [
        forecast
        for start, end in pairwise(cuts)
        for forecast in _of_stretch(ordered[:start], ordered[start:end], thresholds)
    ]
    stated, came_true = zip(*forecasts, strict=True) if forecasts else ((), ())
    return Forecasts(np.array(stated, dtype=np.float64), np.array(came_true, dtype=np.bool_))


def _of_stretch(
    known: Sequence[Evidence], stretch: Sequence[Evidence], thresholds: PatternThresholds
) -> Iterator[tuple[float, bool]]:
    records = records_of(tables_of(known), thresholds)
    found = identify_in(records, thresholds)
    by_type = {record.decision_type: record for record in records}
    later = {table.decision_type: table for table in tables_of(stretch)}
    for pattern in (*found.patterns, *found.emerging):
        table = later.get(pattern.decision_type)
        if table is None:
            continue
        matching = table.facts.holding(pattern.features)
        ours, rest = table.success[matching], table.success[~matching]
        if min(len(ours), len(rest)) < _FEWEST_DECISIONS or ours.mean() == rest.mean():
            continue
        is_better = pattern.effect > 0
        stated = _chance(by_type[pattern.decision_type], pattern, ours, rest, thresholds)
        yield stated, bool((ours.mean() > rest.mean()) == is_better)


def _chance(record: Record, pattern: Pattern, ours: BoolArray, rest: BoolArray, thresholds: PatternThresholds) -> float:
    """Chance that so many decisions will point the way the pattern does, by simulation from what is believed.

    Outcomes that share their luck count as in the record: so many times as the effective sample size says.
    """
    matching = record.table.facts.holding(pattern.features)
    from_ms, half_life_ms = pattern.holdout.begins_ms, thresholds.half_life_ms
    recent = record.compare_recent(matching, from_ms=from_ms, half_life_ms=half_life_ms)
    before = record.compare_before(matching, from_ms=from_ms, half_life_ms=half_life_ms)
    believed = recent.belief(prior_decisions=thresholds.prior_decisions, before=before)
    worth = _worth(record.compare_all(matching))
    generator = np.random.default_rng(0)
    part = generator.choice(len(believed.weights), size=_DRAWS, p=believed.weights)
    rates = generator.beta(believed.won[part], believed.lost[part])
    # The rest is large: what it did is what it will do, but for the luck of so many decisions.
    theirs = recent.rest.rate
    our_count, rest_count = max(1, round(len(ours) * worth[0])), max(1, round(len(rest) * worth[1]))
    our_rates = generator.binomial(our_count, rates) / our_count
    effects = our_rates - generator.binomial(rest_count, theirs, _DRAWS) / rest_count
    higher = float(np.mean(effects > 0) + np.mean(effects == 0) / 2)
    return higher if pattern.effect > 0 else 1 - higher


def _worth(whole: Comparison) -> tuple[float, float]:
    """How many independent decisions one of either group is worth."""
    ours, rest = whole.matching, whole.rest
    return ours.effective / max(1, ours.occurrences), rest.effective / max(1, rest.occurrences)
