"""`IntegratedMarketHunterAgent`: asks the sources that were right most often, and learns from the next price."""

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent_memory.core.errors import InvalidInput
from trading_agents.market_hunter.selection import Selection, SourceScores, select
from trading_agents.market_hunter.sources import (
    DIRECTION,
    PRICE_SOURCES,
    MarketData,
    SourceFunction,
    claim_of,
    name_of,
    question_of,
)

Result = dict[str, Any]
"""A source's answer: `source`, and `reading` from -1 to 1, or None where it does not know."""

DEFAULT_MAX_SOURCES = 6
_SIGNAL_FROM = 0.1


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle that waits for the next price: its context, all readings, and the last price."""

    context: Any
    readings: Mapping[str, float | None]
    price: float | None


class IntegratedMarketHunterAgent:
    """A market hunter without memory: what it learned ends with the process.

    Every source is asked in every cycle and judged by the next price, chosen or not; choosing decides whose signals
    are acted on.

    Args:
        agent_name: who it is.
        learning_rate: weight, 0 to 1, of the newest judgement of a source.
        sources: functions by name; see `sources`. Those of prices alone where none are given.
        exploration_rate: probability, 0 to 1, of choosing a source that is not among the best.
        seed: of the exploration.
    """

    def __init__(
        self,
        agent_name: str,
        learning_rate: float,
        *,
        sources: Mapping[str, SourceFunction] | None = None,
        exploration_rate: float = 0.1,
        seed: int = 7,
    ) -> None:
        if not 0 <= exploration_rate <= 1:
            raise InvalidInput("exploration_rate", f"{exploration_rate!r} does not lie between 0 and 1")
        self.agent_name, self.learning_rate = agent_name, learning_rate
        self.sources = dict(PRICE_SOURCES if sources is None else sources)
        if not self.sources:
            raise InvalidInput("sources", "there are none")
        self.scores = SourceScores(list(self.sources), learning_rate)
        self.current_cycle = 0
        self.last_selection: Selection | None = None
        self._exploration_rate = exploration_rate
        self._chance = np.random.default_rng(seed)
        self._open: Cycle | None = None

    def select_sources(self, context: Any, max_sources: int) -> list[str]:
        """The sources to act on, best first; `last_selection` tells with which probabilities."""
        return self._select(self.scores.of(name_of(context)), max_sources)

    async def query_source(self, source: str, market_data: MarketData | None = None) -> Result:
        """Ask one source.

        Raises:
            InvalidInput: no such source, or a reading that is no number from -1 to 1.
        """
        if source not in self.sources:
            raise InvalidInput("source", f"{source!r:.40} is none of {', '.join(self.sources)}")
        reading = self.sources[source](market_data or {})
        if inspect.isawaitable(reading):
            reading = await reading
        if reading is not None and not -1 <= reading <= 1:
            raise InvalidInput(f"sources.{source}", f"its reading {reading!r:.40} does not lie between -1 and 1")
        return {"source": source, "reading": None if reading is None else float(reading)}

    async def run_cycle(self, market_data: MarketData, max_sources: int = DEFAULT_MAX_SOURCES) -> list[Result]:
        """Judge the last cycle by the price since, choose sources, ask all, and return the chosen ones' signals."""
        context = market_data["context"]
        self._judge_last(market_data)
        selected = self.select_sources(context, max_sources)
        results = [await self.query_source(source, market_data) for source in self.sources]
        self._open = Cycle(context, {one["source"]: one["reading"] for one in results}, last_price(market_data))
        self.current_cycle += 1
        return self._generate_signals([one for one in results if one["source"] in selected], context)

    # --- inside; a subclass may replace any ------------------------------------------------------

    def _select(self, scores: Mapping[str, float], max_sources: int) -> list[str]:
        self.last_selection = select(scores, max_sources, self._exploration_rate, self._chance)
        return list(self.last_selection.selected)

    def _generate_signals(self, results: Sequence[Result], context: Any) -> list[Result]:
        """Signals of the clear readings, each with what it forecasts and, as `confidence`, its source's score."""
        scores = self.scores.of(name_of(context))
        return [
            {**one, **claim_of(self.sources[one["source"]], one["reading"]), "confidence": scores[one["source"]]}
            for one in results
            if one["reading"] is not None and abs(one["reading"]) >= _SIGNAL_FROM
        ]

    def _calculate_quality(self, signals: Sequence[Result]) -> float:
        """Mean size of the readings, 0 to 1; 0 without signals."""
        return sum(abs(one["reading"]) for one in signals) / len(signals) if signals else 0.0

    def _judge_last(self, market_data: MarketData) -> dict[str, bool]:
        """Whether each reading of the last cycle came true by what is known now; moves the scores."""
        last, price = self._open, last_price(market_data)
        self._open = None
        if last is None:
            return {}
        answers: dict[str, bool] = dict(market_data.get("happened", {}))
        if last.price is not None and price is not None and price != last.price:
            answers[DIRECTION] = price > last.price
        came_true = {
            source: (reading > 0) == answers[question]
            for source, reading in last.readings.items()
            if reading and (question := question_of(self.sources[source])) in answers
        }
        self.scores.learn(name_of(last.context), {source: float(was) for source, was in came_true.items()})
        return came_true


def last_price(market_data: MarketData) -> float | None:
    """The newest price that is known, or None where there is none. `InvalidInput` unless it is above 0."""
    prices = market_data.get("close", ())
    if not len(prices):
        return None
    price = float(prices[-1])
    if not 0 < price < math.inf:
        raise InvalidInput("close", f"the last price {price!r} is not above 0")
    return price
