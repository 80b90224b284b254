"""The Market Hunter: chooses sources, asks them, forecasts the next bar, and learns whom to trust."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from agent_memory.models import DecisionType
from trading_agents.decisions import AGENT_ID, CycleWriter, Record
from trading_agents.features import MarketRow
from trading_agents.judging import judge
from trading_agents.reliability import Reliability, observed_shares
from trading_agents.sources import FORECASTS, MIDDLE, SOURCES, Forecast, sources_on

_ROUND = 4


class MarketHunter:
    """An agent that makes three decisions a bar and one more for every symbol.

    A cycle, once a bar has closed:

    - SOURCE_SELECTION picks for each of the three questions (large move, range expansion, direction) the
      source that was right most often in the present volatility; now and then, by chance, one question goes
      to its other source. The probability of the choice is logged, so that it can be corrected for later.
    - QUERY asks one of the selected sources, each in turn.
    - SIGNAL_GENERATION forecasts one question for each symbol; question and symbol rotate, so that every
      forecast meets every symbol and every market alike. Large moves and range expansions are always forecast
      to come, with the confidence that the source's answer deserves; a direction is up or down.
    - LEARNING moves the estimates of all sources by what the last bar showed.

    `judging` says what success means for each. Decisions depend on bars up to the row's own, on nothing later.

    Args:
        symbols: in the order of the rows' entries.
        agent_id: whose decisions these are.
        exploration_rate: probability, 0 to 1, of giving one question to its other source.
        learning_rate: weight, 0 to 1, of the newest observation of a source.
        seed: of the exploration; the same seed explores in the same cycles.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        *,
        agent_id: str = AGENT_ID,
        exploration_rate: float = 0.1,
        learning_rate: float = 0.02,
        seed: int = 7,
    ) -> None:
        self.agent_id = agent_id
        self.symbols = tuple(symbols)
        self.cycle = 0
        self._exploration_rate = exploration_rate
        self._reliability = Reliability(learning_rate)
        self._seed = seed
        self._previous: MarketRow | None = None

    def decide(self, row: MarketRow, at: datetime) -> list[Record]:
        """Make the decisions of the next cycle, in order. `at` is when the row's bar closed.

        Rows must come in order, one call a bar: what was learned from a row counts from the next on.
        """
        writer = CycleWriter(self.agent_id, self.cycle, at, row)
        scores = self._reliability.of(row.volatility)
        selection = self._select(writer, scores)
        selected: list[str] = selection["reasoning"]["selected"]
        decisions = [selection, self._query(writer, selected)]
        decisions += [self._signal(writer, number, selected, scores) for number in range(len(self.symbols))]
        decisions.append(self._learn(writer, explored=selection["reasoning"]["exploration_triggered"]))
        self._previous = row
        self.cycle += 1
        return decisions

    def resolve(self, decisions: Sequence[Mapping[str, Any]], row: MarketRow, next_row: MarketRow) -> list[Record]:
        """What came of one cycle's decisions, made on `row`, now that the next bar has closed."""
        return [judge(decision, self.symbols, row, next_row) for decision in decisions]

    def _select(self, writer: CycleWriter, scores: Mapping[str, float]) -> Record:
        selected = {forecast: max(sources_on(forecast), key=lambda s: scores[s.name]).name for forecast in FORECASTS}
        chance = np.random.default_rng([self._seed, self.cycle])
        explored = bool(chance.random() < self._exploration_rate)
        propensity = 1.0 - self._exploration_rate
        if explored:
            forecast = FORECASTS[chance.integers(len(FORECASTS))]
            selected[forecast] = _other_source(selected[forecast])
            propensity = self._exploration_rate / len(FORECASTS)
        reasoning = {
            "scores": {name: round(score, _ROUND) for name, score in scores.items()},
            "selected": list(selected.values()),
            "exploration_triggered": explored,
            "propensity": round(propensity, _ROUND),
        }
        return writer.decision(DecisionType.SOURCE_SELECTION, "sources", reasoning)

    def _query(self, writer: CycleWriter, selected: Sequence[str]) -> Record:
        source = selected[self.cycle % len(selected)]
        reasoning = {
            "source": source,
            "parameters": {"symbols": len(self.symbols), "bars": 1},
            "priority": "high" if writer.row.volatility == "high" else "normal",
            "fallback": _other_source(source),
        }
        return writer.decision(DecisionType.QUERY, source, reasoning)

    def _signal(self, writer: CycleWriter, number: int, selected: Sequence[str], scores: Mapping[str, float]) -> Record:
        question = (self.cycle + number) % len(FORECASTS)
        forecast, source = FORECASTS[question], selected[question]
        row, symbol = writer.row, self.symbols[number]
        answers_yes = row.ranks[source][number] > MIDDLE
        trust = scores[source]
        reasoning: Record = {"forecast": forecast, "source": source}
        reasoning |= _claim(forecast, row, number, answers_yes=answers_yes)
        is_claimed = forecast == "direction" or answers_yes
        reasoning["confidence"] = round(trust if is_claimed else 1.0 - trust, _ROUND)
        return writer.decision(DecisionType.SIGNAL_GENERATION, symbol, reasoning, symbol=symbol)

    def _learn(self, writer: CycleWriter, *, explored: bool) -> Record:
        # The last bar judges answers that were given in the volatility of the bar before it.
        volatility = (self._previous or writer.row).volatility
        before = self._reliability.of(volatility)
        self._reliability.observe(volatility, observed_shares(writer.row))
        after = self._reliability.of(volatility)
        reasoning = {
            "metric": "source_reliability",
            "updated_for": volatility,
            "before": {name: round(value, _ROUND) for name, value in before.items()},
            "after": {name: round(value, _ROUND) for name, value in after.items()},
            "learning_rate": self._reliability.learning_rate,
            "mode": "exploration" if explored else "exploitation",
        }
        return writer.decision(DecisionType.LEARNING, "reliability", reasoning)


def _other_source(name: str) -> str:
    """The source that answers the same question."""
    question = next(source.answers for source in SOURCES if source.name == name)
    return next(source.name for source in sources_on(question) if source.name != name)


def _claim(forecast: Forecast, row: MarketRow, number: int, *, answers_yes: bool) -> Record:
    """What exactly is forecast: a direction, or a threshold to exceed, with the source's word for or against it."""
    if forecast == "direction":
        return {"expected": "up" if answers_yes else "down"}
    thresholds = row.median_move if forecast == "large_move" else row.median_range
    return {"threshold": round(thresholds[number], 6), "evidence": "for" if answers_yes else "against"}
