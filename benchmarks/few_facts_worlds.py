"""Synthetic records of decisions that have few facts, so that many have the same without being copies."""

import numpy as np

from agent_memory.model.evidence import Evidence
from benchmarks.synthetic_records import HOUR_MS, START_MS, evidence_from, has_all, persistent_facts

_TYPE = "SIGNAL_GENERATION"
_MARKET = (
    ("context.market.trend", ("bullish", "bearish"), ()),
    ("context.market.volatility", ("high", "low"), ()),
)
_DIRECTIONS, _SOURCES = ("long", "short"), ("derivatives", "institutional", "sentiment", "whales")
PAIR = ("context.market.trend=bullish", "reasoning.source=whales")
"""The facts that have an effect together, on an eighth of the decisions."""
_PER_HOUR = 4
_PAIR_RATE, _OTHER_RATE = 0.75, 0.45
_COIN = 0.5


def pair_record(seed: int, *, days: int, dwell_hours: int) -> list[Evidence]:
    """96 decisions a day with four facts, of which two together make a difference of 30 points.

    Args:
        seed: of the random numbers.
        days: length of the record.
        dwell_hours: how long market facts last.
    """
    generator = np.random.default_rng(seed)
    hours = days * 24
    market = persistent_facts(generator, hours, dwell_hours, _MARKET)
    features = [
        (
            *facts,
            f"reasoning.direction={generator.choice(_DIRECTIONS)}",
            f"reasoning.source={generator.choice(_SOURCES)}",
        )
        for facts in market
        for _ in range(_PER_HOUR)
    ]
    rate = np.where(has_all(features, *PAIR), _PAIR_RATE, _OTHER_RATE)
    return evidence_from(features, generator.random(len(features)) < rate, per_hour=_PER_HOUR)


def random_copies_record(seed: int) -> list[Evidence]:
    """60 to 800 positions of two to five decisions over up to 72 hours, up to 20 open at once, with two to five facts.

    All of these are drawn at random, and how many values each fact has, from two to five. The outcome of a position is
    a coin's.
    """
    generator = np.random.default_rng(seed)
    copies, positions = int(generator.integers(2, 6)), int(generator.integers(60, 801))
    over_hours, are_open = float(generator.choice((0, 1, 4, 12, 24, 48, 72))), int(generator.integers(1, 21))
    every_hours = max(0.25, over_hours / are_open)
    values = [generator.integers(count, size=positions) for count in generator.integers(2, 6, generator.integers(2, 6))]
    facts = [tuple(f"context.fact_{n}={value}" for n, value in enumerate(row)) for row in zip(*values, strict=True)]
    success = generator.random(positions) < _COIN
    begins = generator.random(positions) * positions * every_hours
    hours = (begins[:, None] + np.linspace(0, over_hours, copies)).ravel()
    return [
        Evidence(f"{_TYPE}-{n}", _TYPE, START_MS + int(hours[n] * HOUR_MS), bool(success[one]), facts[one])
        for n, one in ((n, n // copies) for n in np.argsort(hours, kind="stable"))
    ]
