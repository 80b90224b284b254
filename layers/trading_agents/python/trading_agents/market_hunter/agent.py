"""`IntegratedMarketHunterAgent`: acts on the sources that were right most often, and learns from the next price."""

import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from agent_memory import InvalidInput
from trading_agents.market_hunter.asking import Answers, Result, ask_sources
from trading_agents.market_hunter.selection import Selection, SourceScores, select
from trading_agents.market_hunter.sources import (
    DIRECTION,
    NO_MARKET_DATA,
    PRICE_SOURCES,
    MarketData,
    SourceFunction,
    context_for_log,
    context_name,
    forecast,
    question,
)

DEFAULT_MAX_SOURCES = 6
MIN_SIGNAL = 0.1
"""The absolute reading from which on a source has a signal."""


@dataclass(frozen=True, slots=True)
class PendingCycle:
    """A cycle that has not been judged yet: its context, all readings, and the price at the time."""

    context: Any
    readings: Mapping[str, float | None]
    price: float | None


class IntegratedMarketHunterAgent:
    """A market hunter without memory: what it learns is lost with the process.

    A cycle selects sources, and acts on the signals of the selected ones. With `ask="all"` it queries every source and
    judges each by the next price, whether it was selected or not. With `ask="chosen"` it queries and judges only the
    selected ones, which costs less and learns more slowly. A selected source that does not answer is replaced by the
    next best one, see `asking`.

    Args:
        agent_name: name of the agent.
        learning_rate: weight, 0 to 1, of the newest judgement of a source.
        sources: functions by name, see the module `sources`; by default those that need only prices.
        exploration_rate: probability, 0 to 1, of selecting a source that is not among the best.
        seed: of the exploration.
        ask: whether a cycle queries `all` sources, or only the `chosen` ones.

    Attributes:
        market_data: of the current cycle, or of the last one; sources that are queried without market data read it.
    """

    def __init__(
        self,
        agent_name: str,
        learning_rate: float,
        *,
        sources: Mapping[str, SourceFunction] | None = None,
        exploration_rate: float = 0.1,
        seed: int = 7,
        ask: Literal["all", "chosen"] = "all",
    ) -> None:
        if not 0 <= exploration_rate <= 1:
            raise InvalidInput("exploration_rate", f"{exploration_rate!r} is not between 0 and 1")
        if ask not in ("all", "chosen"):
            raise InvalidInput("ask", f"{ask!r:.40} is neither 'all' nor 'chosen'")
        self.agent_name, self.learning_rate, self.ask = agent_name, learning_rate, ask
        self.sources = dict(PRICE_SOURCES if sources is None else sources)
        if not self.sources:
            raise InvalidInput("sources", "is empty")
        self.scores = SourceScores(list(self.sources), learning_rate)
        self.current_cycle = 0
        self.last_selection: Selection | None = None
        self.market_data: MarketData = NO_MARKET_DATA
        self._exploration_rate = exploration_rate
        self._chance = np.random.default_rng(seed)
        self._pending: PendingCycle | None = None

    def select_sources(self, context: Any, max_sources: int) -> list[str]:
        """Return the sources to act on, best first; `last_selection` has their probabilities."""
        return self._select(self.scores.of(context_name(context)), max_sources)

    async def query_source(self, source: str, market_data: MarketData | None = None) -> Result:
        """Query one source, by default with the market data of the current cycle, or of the last one.

        Raises:
            InvalidInput: the source is unknown, its reading is not a number from -1 to 1, or it reads market data and
                there is none, because no cycle has run yet.
        """
        if source not in self.sources:
            raise InvalidInput("source", f"{source!r:.40} is not one of {', '.join(self.sources)}")
        reading = self.sources[source](self.market_data if market_data is None else market_data)
        if inspect.isawaitable(reading):
            reading = await reading
        if reading is not None and not -1 <= reading <= 1:
            raise InvalidInput(f"sources.{source}", f"its reading {reading!r:.40} is not between -1 and 1")
        return {"source": source, "reading": None if reading is None else float(reading)}

    async def run_cycle(self, market_data: MarketData, max_sources: int = DEFAULT_MAX_SOURCES) -> list[Result]:
        """Judge the last cycle, select sources, query them, and return the signals of the selected ones."""
        self.market_data, context = market_data, market_data["context"]
        self._judge_last_cycle(market_data)
        selected = self.select_sources(context, max_sources)
        answers = await self._ask(selected, self.scores.of(context_name(context)))
        self._pending = PendingCycle(context_for_log(context), answers.readings, last_price(market_data))
        self.current_cycle += 1
        return self._generate_signals(answers.used_results, context)

    # --- internals, which a subclass can override ------------------------------------------------

    def _select(self, scores: Mapping[str, float], max_sources: int) -> list[str]:
        self.last_selection = select(scores, max_sources, self._exploration_rate, self._chance)
        return list(self.last_selection.selected)

    async def _ask(self, selected: Sequence[str], scores: Mapping[str, float]) -> Answers:
        """Query the sources, the selected ones first, then the others from the best on."""
        order = _by_priority(self.sources, selected, scores)
        return await ask_sources(
            order, len(selected), self.query_source, asks_all=self.ask == "all", may_query=self._may_query
        )

    async def _may_query(self, source: str) -> bool:  # noqa: ARG002  a subclass counts by source
        return True

    def _generate_signals(self, results: Sequence[Result], context: Any) -> list[Result]:
        """Return signals for the clear readings, each with its forecast and, as `confidence`, its source's score."""
        scores = self.scores.of(context_name(context))
        return [
            {**one, **forecast(self.sources[one["source"]], one["reading"]), "confidence": scores[one["source"]]}
            for one in results
            if one["reading"] is not None and abs(one["reading"]) >= MIN_SIGNAL
        ]

    def _calculate_quality(self, signals: Sequence[Result]) -> float:
        """Return the mean absolute reading, 0 to 1; 0 without signals."""
        return sum(abs(one["reading"]) for one in signals) / len(signals) if signals else 0.0

    def _judge_last_cycle(self, market_data: MarketData) -> dict[str, bool]:
        """Judge the readings of the last cycle by what is known now, update the scores, and return the judgements."""
        last, price = self._pending, last_price(market_data)
        self._pending = None
        if last is None:
            return {}
        answers: dict[str, bool] = dict(market_data.get("happened", {}))
        if last.price is not None and price is not None and price != last.price:
            answers[DIRECTION] = price > last.price
        judgements = {
            source: (reading > 0) == answers[asked]
            for source, reading in last.readings.items()
            if reading and (asked := question(self.sources[source])) in answers
        }
        self.scores.learn(
            context_name(last.context), {source: float(was_right) for source, was_right in judgements.items()}
        )
        return judgements


def _by_priority(sources: Iterable[str], selected: Sequence[str], scores: Mapping[str, float]) -> list[str]:
    others = [source for source in sources if source not in selected]
    return [*selected, *sorted(others, key=lambda source: -scores[source])]


def last_price(market_data: MarketData) -> float | None:
    """Return the newest price, or None if there is none. `InvalidInput` if it is not above 0."""
    prices = market_data.get("close", ())
    if not len(prices):
        return None
    price = float(prices[-1])
    if not 0 < price < math.inf:
        raise InvalidInput("close", f"the last price {price!r} is not above 0")
    return price
