"""Synthetic records of what misleads statistics: copies, seasons, versions, mixed questions, effects that end."""

from dataclasses import dataclass

import numpy as np

from agent_memory.model.evidence import Evidence
from benchmarks.synthetic_records import (
    BASE_RATE,
    FACTS,
    HOUR_MS,
    PLANTED,
    START_MS,
    Outcomes,
    draw_features,
    evidence_from,
    has_all,
    persistent_facts,
    wandering_level,
)

_TYPE = "SIGNAL_GENERATION"
_PER_HOUR = 2
_MIN_RATE = 0.02
_COIN = 0.5

Statement = tuple[str, ...]
"""The features of a combination that has an effect."""

MIXED_FACT = "context.source_family=chart"
"""The fact whose effect is the opposite within each question of `questions_record`."""
_FAMILIES = (MIXED_FACT, "context.source_family=news", "context.source_family=flow")
# Success rates of three questions, and how often each source family (a row) is asked which of them.
_QUESTION_RATES = (0.75, 0.55, 0.35)
_ASKED = ((0.6, 0.3, 0.1), (0.3, 0.4, 0.3), (0.1, 0.3, 0.6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """How positions are logged: `copies` decisions with the same facts and one outcome, which is a coin's.

    Attributes:
        copies: decisions of a position.
        over_hours: between the first and the last of them.
        every_hours: between the beginnings of two positions, on average.
        positions: number of positions.
        dwell_hours: how long market facts last; None if each position has its own.
        follows_market: whether each decision has the market facts of its own time, and not those of its position's
            beginning. It needs `dwell_hours`.
        is_named: whether decisions name their position.
        has_hours: whether the hour of each decision is among its facts.
    """

    copies: int
    over_hours: int
    every_hours: int = 2
    positions: int = 600
    dwell_hours: int | None = None
    follows_market: bool = False
    is_named: bool = False
    has_hours: bool = False


def copies_record(seed: int, how: Copies) -> list[Evidence]:
    """Several decisions for each position; the facts have no effect."""
    generator = np.random.default_rng(seed)
    begins = np.sort(generator.integers(0, how.positions * how.every_hours, how.positions))
    market: list[tuple[str, ...]] = []
    if how.dwell_hours:
        market = persistent_facts(generator, int(begins[-1]) + how.over_hours + 1, how.dwell_hours)
    own = draw_features(generator, how.positions, facts=FACTS[3:] if market else FACTS)
    success = generator.random(how.positions) < _COIN
    offsets = np.round(np.linspace(0, how.over_hours, how.copies)).astype(int)
    hours = (begins[:, None] + offsets).ravel()
    position = np.repeat(np.arange(how.positions), how.copies)

    def facts_of(n: int) -> tuple[str, ...]:
        more = [f"context.hour={hours[n] % 24}"] if how.has_hours else []
        if market:
            more += market[hours[n] if how.follows_market else begins[position[n]]]
        return tuple(sorted((*own[position[n]], *more)))

    return [
        Evidence(
            f"{_TYPE}-{n}",
            _TYPE,
            START_MS + int(hours[n]) * HOUR_MS,
            bool(success[position[n]]),
            facts_of(n),
            cluster=f"position-{position[n]}" if how.is_named else "",
        )
        for n in np.argsort(hours, kind="stable")
    ]


def rate_record(seed: int, rate: float, count: int = 3_000) -> list[Evidence]:
    """A success rate near 0 or 1; the facts have no effect."""
    generator = np.random.default_rng(seed)
    features = draw_features(generator, count)
    return evidence_from(features, generator.random(count) < rate, per_hour=_PER_HOUR)


def drift_record(seed: int, *, versions: int = 0, drift: float = 0.2, count: int = 3_000) -> list[Evidence]:
    """A success rate that rises by `drift` from beginning to end.

    The agent has `versions` one after the other, which it records with each decision; they are equally good.
    """
    generator = np.random.default_rng(seed)
    features = draw_features(generator, count)
    if versions:
        numbers = np.arange(count) * versions // count
        features = [
            tuple(sorted((*facts, f"context.version=v{n}"))) for facts, n in zip(features, numbers, strict=True)
        ]
    rate = BASE_RATE + drift * (np.linspace(0, 1, count) - 0.5)
    return evidence_from(features, generator.random(count) < rate, per_hour=_PER_HOUR)


def seasons_record(seed: int, count: int = 3_000) -> list[Evidence]:
    """A success rate that changes by 15 points with the hour and by 10 with the weekday, which no fact says."""
    generator = np.random.default_rng(seed)
    features = draw_features(generator, count)
    hours = np.arange(count) // _PER_HOUR
    rate = BASE_RATE + 0.15 * np.sin(2 * np.pi * hours / 24) + 0.10 * np.sin(2 * np.pi * hours / (7 * 24))
    return evidence_from(features, generator.random(count) < rate, per_hour=_PER_HOUR)


def questions_record(seed: int, *, effect: float = 0.0, count: int = 6_000, unnamed: float = 0.0) -> list[Evidence]:
    """Three questions of unequal difficulty; a family of sources is asked the easy one most, another the hard one.

    Decisions with `MIXED_FACT` succeed by `effect` more often than others that answer the same question. The share
    `unnamed` of all does not name its question.
    """
    generator = np.random.default_rng(seed)
    family = generator.choice(3, size=count, p=(0.3, 0.4, 0.3))
    question = (generator.random(count)[:, None] > np.cumsum(_ASKED, axis=1)[family, :2]).sum(axis=1)
    features = [
        tuple(sorted((*facts, _FAMILIES[f]))) for facts, f in zip(draw_features(generator, count), family, strict=True)
    ]
    rate = np.array(_QUESTION_RATES)[question] + effect * (family == 0)
    success = generator.random(count) < rate
    is_named = generator.random(count) >= unnamed
    return [
        Evidence(
            f"{_TYPE}-{n}",
            _TYPE,
            START_MS + n // _PER_HOUR * HOUR_MS,
            bool(success[n]),
            features[n],
            question=f"question-{question[n]}" if is_named[n] else "",
        )
        for n in range(count)
    ]


def own_luck_record(seed: int, days: int, *, spread: float = 0.15, count: int = 6_000) -> list[Evidence]:
    """Four symbols that are equally good in the long run, each with luck of its own that lasts for days."""
    generator = np.random.default_rng(seed)
    luck = [wandering_level(generator, count // _PER_HOUR, days * 24) for _ in range(4)]
    symbol = generator.integers(4, size=count)
    others = draw_features(generator, count, facts=[fact for fact in FACTS if fact[0] != "context.symbol"])
    features = [tuple(sorted((*facts, f"context.symbol=S{n}"))) for facts, n in zip(others, symbol, strict=True)]
    rate = 0.5 + spread * np.array(luck)[symbol, np.arange(count) // _PER_HOUR]
    return evidence_from(features, generator.random(count) < rate, per_hour=_PER_HOUR)


def horizons_record(seed: int, *, longest_hours: int = 168, count: int = 24 * 180) -> list[Evidence]:
    """Long and short positions, at random, in a market that goes at random; three horizons, each a question of its own.

    Half of the positions are open for an hour, three tenths for a day, the others for `longest_hours`: these share what
    the market does meanwhile. Outcomes are known when positions are closed.
    """
    generator = np.random.default_rng(seed)
    horizons = np.array([1, 24, longest_hours])
    price = np.cumsum(generator.standard_normal(count + longest_hours))
    horizon = horizons[generator.choice(3, size=count, p=[0.5, 0.3, 0.2])]
    is_long = generator.random(count) < _COIN
    opened = np.arange(count)
    success = (price[opened + horizon] > price[opened]) == is_long
    others = draw_features(generator, count, facts=FACTS[:6])
    return [
        Evidence(
            f"{_TYPE}-{n}",
            _TYPE,
            START_MS + n * HOUR_MS,
            bool(success[n]),
            tuple(sorted((*others[n], f"reasoning.side={'long' if is_long[n] else 'short'}"))),
            known_ms=START_MS + (n + int(horizon[n])) * HOUR_MS,
            question=f"horizon={horizon[n]}h",
        )
        for n in range(count)
    ]


_MOMENTUM, _NEWS, _VOLATILE = "reasoning.strategy=momentum", "source=news", "context.market.volatility=high"
FOUR_SINGLES: dict[Statement, float] = {(PLANTED,): 0.12, (_NEWS,): -0.12, (_VOLATILE,): 0.12, (_MOMENTUM,): -0.12}
"""Effects of single facts."""
ONE_AND_PAIRS: dict[Statement, float] = {
    (PLANTED,): 0.12,
    ("context.market.trend=bullish", _VOLATILE): 0.25,
    ("reasoning.strategy=breakout", _NEWS): -0.25,
    ("context.trading_hours=asian", "reasoning.forecast=up"): 0.25,
}
"""Effects of a single fact and of three pairs whose members have none of their own."""


def effects_record(seed: int, effects: dict[Statement, float], count: int = 6_000) -> list[Evidence]:
    """A success rate of 50 % to which effects add up; a fifth of the decisions have the planted feature."""
    generator = np.random.default_rng(seed)
    features = draw_features(generator, count, planted=count // 5)
    rate = 0.5 + sum(effect * has_all(features, *statement) for statement, effect in effects.items())
    success = generator.random(count) < np.clip(rate, _MIN_RATE, 1 - _MIN_RATE)
    return evidence_from(features, success, per_hour=_PER_HOUR)


@dataclass(frozen=True, slots=True)
class Life:
    """A record whose planted effect lasts until `ends_day`, counted from the first day; infinity if it does not end."""

    evidence: list[Evidence]
    ends_day: float


def life_record(seed: int, *, mean_days: float, days: int, first_days: int = 20) -> Life:
    """An effect of 10, 15 or 20 points on a fifth of 48 decisions a day, which lasts for `mean_days` on average.

    It does not end within the `first_days`. Few other facts are recorded.
    """
    generator = np.random.default_rng(seed)
    count = days * 24 * _PER_HOUR
    features = draw_features(generator, count, planted=count // 5, facts=FACTS[:3])
    effect = generator.choice((0.10, 0.15, 0.20))
    ends_day = first_days + generator.exponential(mean_days) if np.isfinite(mean_days) else float("inf")
    lasts = np.arange(count) // (24 * _PER_HOUR) < ends_day
    success: Outcomes = generator.random(count) < BASE_RATE + effect * (has_all(features, PLANTED) & lasts)
    return Life(evidence_from(features, success, per_hour=_PER_HOUR), float(ends_day))
