"""Made-up decision records in which the truth is known."""

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent_memory.model.evidence import Evidence

HOUR_MS = 3_600_000
START_MS = 1_735_689_600_000

Fact = tuple[str, tuple[str, ...], tuple[float, ...]]
Outcomes = Sequence[bool] | NDArray[np.bool_]

# (key, values, weights): what a market-hunting agent notes with each decision.
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
CHOSEN = 3
_USUAL_RATE = 0.55
_OTHER_RATE = 0.7
# The fact whose share a test can set: 600 of 6,000 decisions are exactly 10 %.
PLANTED = "context.session=overlap"


def features_for(
    generator: np.random.Generator, count: int, *, planted: int = 0, facts: Sequence[Fact] = FACTS
) -> list[tuple[str, ...]]:
    """Draw features; exactly `planted` decisions, anywhere in time, hold the planted fact."""
    drawn = [
        # Interned, as features of real decisions are.
        [sys.intern(f"{key}={value}") for value in generator.choice(values, size=count, p=weights)]
        for key, values, weights in facts
    ]
    chosen = np.argsort(generator.random((count, len(SOURCES))), axis=1)[:, :CHOSEN]
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
    per_moment: int = 1,
) -> list[Evidence]:
    """Log the decisions one hour apart, `per_moment` at a time."""
    return [
        Evidence(f"{decision_type}-{i}", decision_type, START_MS + i // per_moment * HOUR_MS, bool(won), facts)
        for i, (facts, won) in enumerate(zip(features, success, strict=True))
    ]


def chance_world(seed: int, count: int = 3_000) -> list[Evidence]:
    """Two decision types with different success rates that depend on nothing."""
    generator = np.random.default_rng(seed)
    half = count // 2
    return [
        *evidence_from(
            features_for(generator, half), generator.random(half) < _USUAL_RATE, decision_type="SIGNAL_GENERATION"
        ),
        *evidence_from(
            features_for(generator, half), generator.random(half) < _OTHER_RATE, decision_type="SOURCE_SELECTION"
        ),
    ]


def planted_world(
    seed: int, *, count: int = 6_000, planted: int = 600, effect: float = 0.15, until: float = 1.0
) -> list[Evidence]:
    """One decision type, 55 % success; `effect` more where the planted fact holds, in the first `until` of time."""
    generator = np.random.default_rng(seed)
    features = features_for(generator, count, planted=planted)
    helped = np.array([PLANTED in facts for facts in features], dtype=bool) & (np.arange(count) < until * count)
    success = generator.random(count) < _USUAL_RATE + effect * helped
    return evidence_from(features, success)


def cycles_world(seed: int, *, cycles: int = 1_000, per_cycle: int = 3) -> list[Evidence]:
    """Cycles of decisions with the same context and one shared outcome that depends on nothing."""
    generator = np.random.default_rng(seed)
    features = [facts for facts in features_for(generator, cycles) for _ in range(per_cycle)]
    success = np.repeat(generator.random(cycles) < _USUAL_RATE, per_cycle)
    return evidence_from(features, success, per_moment=per_cycle)


def regimes_world(
    seed: int, *, count: int = 6_000, per_moment: int = 3, dwell_hours: int = 48, spread: float = 0.2
) -> list[Evidence]:
    """Market facts that persist for days, and a luck of its own that persists as long: nothing is linked."""
    generator = np.random.default_rng(seed)
    hours = count // per_moment

    def regime(key: str, values: Sequence[str]) -> list[str]:
        turns = generator.random(hours) < 1 / dwell_hours
        drawn = generator.integers(len(values), size=hours)
        kept = drawn[np.maximum.accumulate(np.where(turns, np.arange(hours), 0))]
        return [f"{key}={values[value]}" for value in kept]

    regimes = [regime(key, values) for key, values, _ in FACTS[:3]]
    keep = 1 - 1 / dwell_hours
    luck = np.empty(hours)
    level = generator.standard_normal()
    for hour in range(hours):
        level = keep * level + np.sqrt(1 - keep * keep) * generator.standard_normal()
        luck[hour] = level
    others = features_for(generator, count, facts=FACTS[3:])
    features = [
        tuple(sorted((*facts, *(values[i // per_moment] for values in regimes)))) for i, facts in enumerate(others)
    ]
    rate = np.clip(_USUAL_RATE + spread * np.repeat(luck, per_moment), 0.02, 0.98)
    return evidence_from(features, generator.random(count) < rate, per_moment=per_moment)
