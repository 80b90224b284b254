"""`python -m benchmarks.self_comparison`: false alarms and delays of the comparison of an agent with its own past.

Simulates agents that do not change, and agents that do, and writes both tables into the decision record. Half a minute.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent_memory.core.retention import EVIDENCE_DAYS
from agent_memory.learning.self_comparison import MIN_DAYS, Change, changed_count, changed_share

PAGE = Path(__file__).parents[1] / "docs" / "decisions" / "0047-compare-an-agent-with-its-own-past.md"
BEGIN, END = "<!-- measured by benchmarks.self_comparison -->\n", "<!-- end of measured part -->\n"

YEAR = 365
_AGENTS = 40
_CHANGE_AT = 200
_WITHIN = 21  # a change that is not reported by then has become part of the past

Simulate = Callable[[np.random.Generator, int], list[object]]


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent to simulate: its decisions a day, and how its days vary and depend on each other.

    Attributes:
        rate: decisions a day, on average.
        spread: standard deviation of the log rate, or of the log odds of success, over days.
        persistence: autocorrelation of two days in a row.
        weekends: whether it makes decisions at weekends.
    """

    name: str
    rate: float
    spread: float = 0.0
    persistence: float = 0.0
    weekends: bool = True

    def level(self, random: np.random.Generator, days: int) -> np.ndarray:
        """A Gaussian autoregression of first order, one value for each day."""
        shocks = random.normal(size=days) * self.spread
        values = np.empty(days)
        values[0] = shocks[0]
        for n in range(1, days):
            values[n] = self.persistence * values[n - 1] + np.sqrt(1 - self.persistence**2) * shocks[n]
        return values

    def counts(self, random: np.random.Generator, factors: np.ndarray) -> list[float]:
        """Decisions of each day, multiplied by its factor."""
        counts = random.poisson(self.rate * factors * np.exp(self.level(random, len(factors))))
        if not self.weekends:
            counts[np.arange(len(counts)) % 7 >= 5] = 0  # noqa: PLR2004  Saturday and Sunday
        return [float(one) for one in counts]

    def shares(self, random: np.random.Generator, rates: np.ndarray) -> list[tuple[int, int]]:
        """(successes, outcomes) of each day around its success rate."""
        outcomes = random.poisson(self.rate, len(rates))
        odds = rates / (1 - rates) * np.exp(self.level(random, len(rates)))
        return list(zip(random.binomial(outcomes, odds / (1 + odds)).tolist(), outcomes.tolist(), strict=True))


STATIONARY = (
    Agent("6 a day", 6),
    Agent("144 a day", 144),
    Agent("144 a day, none at weekends", 144, weekends=False),
    Agent("144 a day, days vary", 144, spread=0.3),
    Agent("144 a day, weeks vary", 144, spread=0.3, persistence=0.8),
    Agent("144 a day, months vary", 144, spread=0.3, persistence=0.95),
)


def episodes(figures: Sequence[object], compare: Callable[[Sequence[object]], Change | None]) -> tuple[int, float]:
    """How often a comparison made daily begins to report a change, and over how many years."""
    reported = [
        compare(figures[max(0, end - EVIDENCE_DAYS) : end]) is not None for end in range(MIN_DAYS, len(figures) + 1)
    ]
    began = sum(now and not before for before, now in zip([False, *reported], reported, strict=False))
    return began, len(reported) / YEAR


def delay(figures: Sequence[object], compare: Callable[[Sequence[object]], Change | None]) -> int | None:
    """How many days after the change it is first reported; None if it is not within three weeks."""
    for days in range(1, _WITHIN + 1):
        if compare(figures[_CHANGE_AT + days - EVIDENCE_DAYS : _CHANGE_AT + days]) is not None:
            return days
    return None


def report() -> Iterator[str]:
    """Yield the measured part of the page."""
    random = np.random.default_rng(7)
    yield f"| {_AGENTS} agents for a year, unchanged | false alarms on decisions | on success |\n|---|---|---|\n"
    for agent in STATIONARY:
        counts = [
            episodes(agent.counts(random, np.ones(YEAR)), changed_count)  # type: ignore[arg-type]  # one figure a day
            for _ in range(_AGENTS)
        ]
        shares = [
            episodes(agent.shares(random, np.full(YEAR, 0.55)), changed_share)  # type: ignore[arg-type]  # as above
            for _ in range(_AGENTS)
        ]
        yield f"| {agent.name} | {_per_year(counts)} | {_per_year(shares)} |\n"
    yield f"\n| {_AGENTS} agents, changed for good | reported within three weeks | median delay |\n|---|---|---|\n"
    steady, varying = Agent("", 144, spread=0.1), Agent("", 144, spread=0.3, persistence=0.8)
    few = Agent("", 6)
    for name, agent, factor in (
        ("6 decisions a day, then none", few, 0.0),
        ("144, then none; weeks vary", varying, 0.0),
        ("144, then half", steady, 0.5),
        ("144, then three times as many; weeks vary", varying, 3.0),
    ):
        factors = np.where(np.arange(YEAR) < _CHANGE_AT, 1.0, factor)
        yield _line(name, [delay(agent.counts(random, factors), changed_count) for _ in range(_AGENTS)])  # type: ignore[arg-type]  # as above
    for name, agent, before, after in (
        ("success of 55 %, then 35 %", steady, 0.55, 0.35),
        ("success of 55 %, then 35 %; weeks vary", varying, 0.55, 0.35),
        ("success of 55 %, then 95 %; weeks vary", varying, 0.55, 0.95),
        ("success of 55 %, then 5 %; 6 a day", few, 0.55, 0.05),
    ):
        rates = np.where(np.arange(YEAR) < _CHANGE_AT, before, after)
        yield _line(name, [delay(agent.shares(random, rates), changed_share) for _ in range(_AGENTS)])  # type: ignore[arg-type]  # as above


def _per_year(found: Sequence[tuple[int, float]]) -> str:
    total, years = sum(count for count, _ in found), sum(length for _, length in found)
    return f"{total} in {years:.0f} years"


def _line(name: str, delays: Sequence[int | None]) -> str:
    found = [one for one in delays if one is not None]
    return f"| {name} | {len(found)} of {len(delays)} | {f'{np.median(found):.0f} days' if found else ''} |\n"


def main() -> None:
    """Measure, print and write the decision record's measured part."""
    measured = "".join(report())
    if PAGE.exists():
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{measured}\n{END}{rest.partition(END)[2]}")
    sys.stdout.write(measured)


if __name__ == "__main__":
    main()
