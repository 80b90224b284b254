"""Synthetic records of decisions, in which the true effects are known."""

import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent_memory.model.evidence import Evidence

HOUR_MS = 3_600_000
START_MS = 1_735_689_600_000

Fact = tuple[str, tuple[str, ...], tuple[float, ...]]
Outcomes = Sequence[bool] | NDArray[np.bool_]

# (key, values, weights): what a market-hunting agent records with each decision.
FACTS: tuple[Fact, ...] = (
    ("context.market.volatility", ("low", "medium", "high"), (0.3, 0.45, 0.25)),
    ("context.market.trend", ("bullish", "bearish", "sideways"), (0.4, 0.3, 0.3)),
    ("context.market.volume", ("thin", "normal", "heavy"), (0.25, 0.5, 0.25)),
    ("context.trading_hours", ("asian", "european", "american"), (0.33, 0.33, 0.34)),
    ("context.symbol", ("AAPL", "GOOG", "IBM", "MSFT"), (0.25, 0.25, 0.25, 0.25)),
    ("context.weekday", ("mon", "tue", "wed", "thu", "fri"), (0.2, 0.2, 0.2, 0.2, 0.2)),
    ("reasoning.forecast", ("range_expansion", "large_move", "up", "down"), (0.25, 0.25, 0.3, 0.2)),
    ("reasoning.priority", ("low", "normal", "urgent"), (0.3, 0.5, 0.2)),
    ("reasoning.strategy", ("momentum", "reversion", "breakout"), (0.4, 0.3, 0.3)),
    ("reasoning.exploration_triggered", ("false", "true"), (0.9, 0.1)),
    ("reasoning.fallback", ("cache", "none"), (0.3, 0.7)),
)
SOURCES = ("derivatives", "institutional", "macro", "news", "sentiment", "whaleMovements")
SOURCES_PER_DECISION = 3
BASE_RATE = 0.55
_OTHER_BASE_RATE = 0.7
PLANTED = "context.session=overlap"
"""The feature whose number of decisions and effect a test can set."""
LASTING = "context.market.volatility=high"
"""A feature that lasts as long as the regimes of a record."""


def draw_features(
    generator: np.random.Generator, count: int, *, planted: int = 0, facts: Sequence[Fact] = FACTS
) -> list[tuple[str, ...]]:
    """Draw features; exactly `planted` decisions, anywhere in time, have the planted feature."""
    drawn = [
        # Interned, as the features of real decisions are.
        [sys.intern(f"{key}={value}") for value in generator.choice(values, size=count, p=weights)]
        for key, values, weights in facts
    ]
    chosen = np.argsort(generator.random((count, len(SOURCES))), axis=1)[:, :SOURCES_PER_DECISION]
    is_planted = np.zeros(count, dtype=bool)
    is_planted[generator.permutation(count)[:planted]] = True
    sessions = np.where(is_planted, PLANTED, "context.session=single")
    asked = [f"source={source}" for source in SOURCES]
    return [
        tuple(sorted({*row, asked[a], asked[b], asked[c], session}))
        for *row, (a, b, c), session in zip(*drawn, chosen.tolist(), sessions.tolist(), strict=True)
    ]


def evidence_from(
    features: Sequence[tuple[str, ...]],
    success: Outcomes,
    *,
    decision_type: str = "SIGNAL_GENERATION",
    per_hour: int = 1,
) -> list[Evidence]:
    """Evidence of decisions with these features and outcomes, `per_hour` at the same time in each hour."""
    return [
        Evidence(f"{decision_type}-{i}", decision_type, START_MS + i // per_hour * HOUR_MS, bool(won), facts)
        for i, (facts, won) in enumerate(zip(features, success, strict=True))
    ]


def null_record(seed: int, count: int = 3_000) -> list[Evidence]:
    """Two decision types with different success rates; the features have no effect."""
    generator = np.random.default_rng(seed)
    half = count // 2
    return [
        *evidence_from(
            draw_features(generator, half), generator.random(half) < BASE_RATE, decision_type="SIGNAL_GENERATION"
        ),
        *evidence_from(
            draw_features(generator, half), generator.random(half) < _OTHER_BASE_RATE, decision_type="SOURCE_SELECTION"
        ),
    ]


def planted_record(
    seed: int,
    *,
    count: int = 6_000,
    planted: int = 600,
    effect: float = 0.15,
    until: float = 1.0,
    per_hour: int = 1,
    facts: Sequence[Fact] = FACTS,
) -> list[Evidence]:
    """One decision type with 55 % success; `effect` more with the planted feature, in the first `until` of the time."""
    generator = np.random.default_rng(seed)
    features = draw_features(generator, count, planted=planted, facts=facts)
    has_effect = has_all(features, PLANTED) & (np.arange(count) < until * count)
    success = generator.random(count) < BASE_RATE + effect * has_effect
    return evidence_from(features, success, per_hour=per_hour)


def cycles_record(seed: int, *, cycles: int = 1_000, per_cycle: int = 3) -> list[Evidence]:
    """Cycles of decisions with the same features and one shared outcome; the features have no effect."""
    generator = np.random.default_rng(seed)
    features = [facts for facts in draw_features(generator, cycles) for _ in range(per_cycle)]
    success = np.repeat(generator.random(cycles) < BASE_RATE, per_cycle)
    return evidence_from(features, success, per_hour=per_cycle)


def regimes_record(
    seed: int,
    *,
    count: int = 6_000,
    per_hour: int = 3,
    dwell_hours: int = 48,
    spread: float = 0.2,
    planted: int = 0,
    effect: float = 0.0,
    market_effect: float = 0.0,
) -> list[Evidence]:
    """Market features and a success rate that both persist for days, independently of each other.

    `planted` decisions, anywhere in time, have the planted feature, and succeed by `effect` more often; those with the
    market feature `LASTING`, a third, by `market_effect`.
    """
    generator = np.random.default_rng(seed)
    hours = count // per_hour
    regimes = persistent_facts(generator, hours, dwell_hours)
    level = wandering_level(generator, hours, dwell_hours)
    others = draw_features(generator, count, planted=planted, facts=FACTS[3:])
    features = [tuple(sorted((*facts, *regimes[i // per_hour]))) for i, facts in enumerate(others)]
    rate = BASE_RATE + spread * np.repeat(level, per_hour) + effect * has_all(features, PLANTED)
    rate += market_effect * has_all(features, LASTING)
    return evidence_from(features, generator.random(count) < np.clip(rate, 0.02, 0.98), per_hour=per_hour)


def persistent_facts(
    generator: np.random.Generator, hours: int, dwell_hours: int, facts: Sequence[Fact] = FACTS[:3]
) -> list[tuple[str, ...]]:
    """Facts of each hour that last for `dwell_hours` on average; each value is equally frequent."""
    columns = []
    for key, values, _ in facts:
        turns = generator.random(hours) < 1 / dwell_hours
        drawn = generator.integers(len(values), size=hours)
        persistent = drawn[np.maximum.accumulate(np.where(turns, np.arange(hours), 0))]
        columns.append([sys.intern(f"{key}={values[value]}") for value in persistent])
    return list(zip(*columns, strict=True))


def wandering_level(generator: np.random.Generator, hours: int, dwell_hours: int) -> NDArray[np.float64]:
    """A level of each hour, normal with variance 1, that reverts to 0 within `dwell_hours`: autoregressive."""
    keep = 1 - 1 / dwell_hours
    levels = np.empty(hours)
    level = generator.standard_normal()
    for hour in range(hours):
        level = keep * level + np.sqrt(1 - keep * keep) * generator.standard_normal()
        levels[hour] = level
    return levels


def has_all(features: Sequence[tuple[str, ...]], *wanted: str) -> NDArray[np.bool_]:
    """Which decisions have all the wanted features; shape (decisions,)."""
    return np.array([all(one in facts for one in wanted) for facts in features], dtype=np.bool_)


def permute_outcomes(evidence: Sequence[Evidence], seed: int) -> list[Evidence]:
    """Permute the outcomes within each decision type; features, times and success rates are unchanged.

    Decisions without an outcome remain without. The result is determined by the evidence, its order and the seed.
    """
    generator = random.Random(seed)  # noqa: S311  (a control experiment, not a secret)
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for row in evidence:
        if row.success is not None:
            outcomes[row.decision_type].append(row.success)
    for name in sorted(outcomes):
        generator.shuffle(outcomes[name])
    remaining = {name: iter(values) for name, values in outcomes.items()}
    return [
        row if row.success is None else replace(row, success=next(remaining[row.decision_type])) for row in evidence
    ]
