"""Worlds in which six sources are right by rules on one to three facts of the market, which may turn or not exist."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent_memory.model.evidence import Evidence
from benchmarks.synthetic_records import HOUR_MS, START_MS

FACTS = (
    ("context.market.trend=bearish", "context.market.trend=bullish", "context.market.trend=sideways"),
    ("context.market.volatility=high", "context.market.volatility=low", "context.market.volatility=normal"),
    ("context.trading_hours=american", "context.trading_hours=asian", "context.trading_hours=european"),
)
SOURCES = ("derivatives", "institutional", "macro", "news", "sentiment", "whales")
CYCLES_PER_DAY = 24
DAYS = 120
BASE_RATE = 0.55
RULES = 24
_WEAKEST, _STRONGEST = 0.10, 0.15
_TREND_HOURS, _VOLATILITY_HOURS = 24, 12
_SESSION_HOURS = 8

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """One life of 120 days, with a cycle every hour.

    Attributes:
        facts: of each cycle, as positions in each of `FACTS`; shape (cycles, 3).
        rates: the probability of each source to be right; shape (cycles, sources).
        right: which source is right; the same for every policy. Shape (cycles, sources).
    """

    facts: Codes
    rates: Array
    right: NDArray[np.bool_]

    def evidence(self) -> Iterator[Evidence]:
        """Yield a judged signal of each source in each cycle: known half an hour later."""
        for cycle, (facts, right) in enumerate(zip(self.facts.tolist(), self.right.tolist(), strict=True)):
            at_ms = START_MS + cycle * HOUR_MS
            names = [of_key[code] for of_key, code in zip(FACTS, facts, strict=True)]
            for source, was_right in zip(SOURCES, right, strict=True):
                yield Evidence(
                    f"{cycle:05}-{source}",
                    "SIGNAL_GENERATION",
                    at_ms,
                    was_right,
                    (*names, f"reasoning.source={source}"),
                    known_ms=at_ms + HOUR_MS // 2,
                )


def world(seed: int, kind: str) -> World:
    """Draw a life.

    Args:
        seed: of its random numbers.
        kind: `rules`, `turned` (what is better and what is worse is exchanged at half-time) or `none` (no rules).
    """
    chance = np.random.default_rng(seed)
    cycles = DAYS * CYCLES_PER_DAY
    facts = np.column_stack(
        [
            _persistent(chance, cycles, _TREND_HOURS),
            _persistent(chance, cycles, _VOLATILITY_HOURS),
            np.arange(cycles) % CYCLES_PER_DAY // _SESSION_HOURS,
        ]
    )
    by_context = _rules(chance) if kind != "none" else np.full((3, 3, 3, len(SOURCES)), BASE_RATE)
    rates = by_context[facts[:, 0], facts[:, 1], facts[:, 2]]
    if kind == "turned":
        rates[cycles // 2 :] = 2 * BASE_RATE - rates[cycles // 2 :]
    return World(facts, rates, chance.random(rates.shape) < rates)


def _persistent(chance: np.random.Generator, cycles: int, mean_hours: int) -> Codes:
    """A fact with three values, which last for `mean_hours` on average."""
    begins = chance.random(cycles) < 1 / mean_hours
    begins[0] = True
    values = chance.integers(0, 3, cycles)
    return values[np.maximum.accumulate(np.where(begins, np.arange(cycles), 0))]


def _rules(chance: np.random.Generator) -> Array:
    """The rate of each source in each context: rules of 10 to 15 points up or down, on one to three facts."""
    rates = np.full((3, 3, 3, len(SOURCES)), BASE_RATE)
    for _ in range(RULES):
        source, size = int(chance.integers(len(SOURCES))), int(chance.integers(1, 4))
        where: list[slice | int] = [slice(None)] * 3
        for key in chance.choice(3, size, replace=False).tolist():
            where[key] = int(chance.integers(3))
        rates[*where, source] += chance.uniform(_WEAKEST, _STRONGEST) * chance.choice([-1, 1])
    return np.asarray(np.clip(rates, 0.02, 0.98), dtype=np.float64)
