"""`MemoryAwareMarketHunterAgent`: the market hunter with memory and a decision log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory import AgentMemoryError, DecisionLogger, DecisionType, MemoryManager
from trading_agents.market_hunter.agent import (
    DEFAULT_MAX_SOURCES,
    IntegratedMarketHunterAgent,
    PendingCycle,
    Result,
    last_price,
)
from trading_agents.market_hunter.patterns import source_patterns
from trading_agents.market_hunter.sources import MarketData, context_for_log, context_name, forecast, time_of

_PERFORMANCE_SECONDS = 900
_QUERY_SECONDS = 3_600
_LEARNING_PERIOD = timedelta(hours=24)
_RECENT_PERIOD = timedelta(hours=1)
_MIN_CONFIDENCE = 0.7


Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _PendingLearning:
    """A LEARNING decision that the next cycle will judge, with the scores before and after it."""

    decision_id: str
    before: Scores
    after: Scores


class MemoryAwareMarketHunterAgent(IntegratedMarketHunterAgent):
    """The market hunter with short-term and long-term memory, and every decision logged.

    A cycle logs a SOURCE_SELECTION with the probability of each choice, a QUERY of all sources with their readings as
    its outcome, and a SIGNAL_GENERATION for each source with a reading, selected or not: since unselected sources are
    judged too, learning does not depend on the selection. The price of the next cycle is the outcome of the signals. If
    it changes any scores, a LEARNING decision records them before and after; it is a success if the scores after it fit
    the following cycle better than those before it.

    Args:
        agent_name: name of the agent.
        learning_rate: weight, 0 to 1, of the newest judgement of a source.
        memory_manager: a `MemoryManager`, or an `AgentMemoryClient`, which has the same methods.
        decision_logger: a `DecisionLogger`, or likewise a client.
        settings: of `IntegratedMarketHunterAgent`.
    """

    def __init__(
        self,
        agent_name: str,
        learning_rate: float,
        memory_manager: MemoryManager,
        decision_logger: DecisionLogger,
        **settings: Any,
    ) -> None:
        super().__init__(agent_name, learning_rate, **settings)
        self.memory = memory_manager
        self.logger = decision_logger
        self._signal_ids: dict[str, str] = {}
        self._unlogged_outcomes: list[dict[str, Any]] = []
        self._pending_learning: _PendingLearning | None = None

    async def select_sources_with_memory(
        self, context: Any, max_sources: int, *, at: datetime | None = None
    ) -> tuple[list[str], str]:
        """Select sources by what is remembered of the context, log why, and return them with the decision's id.

        The score of a source is what this process has learned, or else its recent performance in short-term memory; a
        pattern in long-term memory moves it halfway to the pattern's success rate. `at` is the time, by default now.

        Raises:
            InvalidInput: an argument is invalid; names it. Unavailable: the table did not respond.
        """
        name = context_name(context)
        recent_performance = await self.memory.retrieve_stm(f"performance:{name}")
        patterns = await self.memory.retrieve_ltm(
            memory_type="PATTERN", filters={"context": name, "min_confidence": _MIN_CONFIDENCE}
        )
        scores = self._remembered_scores(name, recent_performance, patterns)
        selected = self._select(scores, max_sources)
        decision_id = await self.logger.log_decision(
            decision_type=DecisionType.SOURCE_SELECTION,
            context={
                "market": context_for_log(context),
                "cycle": self.current_cycle,
                "recent_performance": recent_performance,
                "applied_patterns": [pattern["pattern_id"] for pattern in patterns],
            },
            reasoning={
                "scores": _rounded(scores),
                "selected": selected,
                "patterns_influenced": bool(patterns),
                **self._choice(),
            },
            timestamp=at,
            memory_ids=[pattern["pattern_id"] for pattern in patterns],
        )
        return selected, decision_id

    async def run_cycle_with_memory(
        self, market_data: MarketData, max_sources: int = DEFAULT_MAX_SOURCES
    ) -> list[Result]:
        """Run one cycle: judge the last one, recall, select, query, and log; returns the selected sources' signals.

        Raises:
            InvalidInput: the market data is invalid; names the field. Unavailable: the table did not respond; outcomes
                that could not be logged are logged by the next cycle.
        """
        at, context = time_of(market_data), market_data["context"]
        await self._judge_and_log_last_cycle(market_data, at)
        market = {"market": context_for_log(context)}
        similar = await self.memory.get_context_memory((at - _RECENT_PERIOD, at), market)
        await self.memory.store_stm("context:current", {**market, "cycle": self.current_cycle})
        selected, selection_id = await self.select_sources_with_memory(context, max_sources, at=at)
        results = [await self.query_source(source, market_data) for source in self.sources]
        selected_results = [one for one in results if one["source"] in selected]
        for one in selected_results:
            await self.memory.store_stm(f"queries:{one['source']}:latest", one, ttl_seconds=_QUERY_SECONDS)
        signals = self._generate_signals(selected_results, context)
        await self._log_readings(context, at, selection_id, results, similar_contexts=len(similar["entries"]))
        await self.logger.log_outcome(
            decision_id=selection_id,
            outcome={"signals": signals, "sources_used": len(selected_results)},
            success=len(signals) > 0,
            metrics={"quality": self._calculate_quality(signals)},
        )
        readings = {one["source"]: one["reading"] for one in results}
        self._pending = PendingCycle(context, readings, last_price(market_data))
        self.current_cycle += 1
        return signals

    async def learn_from_outcomes(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """Store long-term patterns from the judged signals of the last 24 hours, and return them.

        Failed signals count too: from successes alone every source would look perfect.

        Raises:
            Unavailable: the table did not respond.
        """
        now = now or datetime.now(UTC)
        recent = await self._signals_in((now - _LEARNING_PERIOD, now))
        patterns = self._identify_patterns(recent)
        for pattern in patterns:
            await self.memory.store_ltm(memory_type="PATTERN", pattern_id=pattern["id"], data=pattern)
        return patterns

    def _identify_patterns(self, recent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return source_patterns(recent)

    # --- internals -----------------------------------------------------------------------------

    def _remembered_scores(
        self, context: str, recent_performance: Any, patterns: Sequence[Mapping[str, Any]]
    ) -> dict[str, float]:
        scores = self.scores.of(context)
        if not self.scores.has_learned(context) and isinstance(recent_performance, Mapping):
            scores |= {source: score for source, score in recent_performance.items() if source in scores}
        for pattern in patterns:
            source, rate = pattern.get("source"), pattern.get("success_rate")
            if source in scores and isinstance(rate, int | float):
                scores[source] = (scores[source] + rate) / 2
        return scores

    def _choice(self) -> dict[str, Any]:
        last = self.last_selection
        if last is None:
            return {}
        strategy = "exploration" if last.explored else "exploitation"
        return {
            "propensities": last.propensities,
            "exploration_triggered": last.explored,
            "strategy": strategy,
        }

    async def _log_readings(
        self, context: Any, at: datetime, selection_id: str, results: Sequence[Result], *, similar_contexts: int
    ) -> None:
        """Log the reading of every source: one QUERY with its outcome, and one signal per source."""
        market = {"market": context_for_log(context), "cycle": self.current_cycle}
        readings = {one["source"]: one["reading"] for one in results}
        query_id = await self.logger.log_decision(
            DecisionType.QUERY,
            {**market, "similar_contexts": similar_contexts},
            {"sources": list(readings)},
            timestamp=at,
            parent_ids=[selection_id],
        )
        known = [source for source, reading in readings.items() if reading]
        answers = {source: reading and round(reading, 4) for source, reading in readings.items()}
        await self.logger.log_outcome(query_id, {"readings": answers}, success=len(known) * 2 >= len(readings))
        choice, scores = self.last_selection, self.scores.of(context_name(context))
        signals = [
            {
                "decision_type": DecisionType.SIGNAL_GENERATION,
                "context": market,
                "reasoning": {
                    "source": source,
                    "reading": round(readings[source] or 0.0, 4),
                    **forecast(self.sources[source], readings[source] or 0.0),
                    "confidence": round(scores[source], 4),
                    "chosen": choice is not None and source in choice.selected,
                    "propensity": choice.propensities[source] if choice else None,
                },
                "timestamp": at,
                "parent_ids": [query_id],
            }
            for source in known
        ]
        logged = _check_results(await self.logger.log_decisions(signals)) if signals else []
        self._signal_ids = {source: one["decision_id"] for source, one in zip(known, logged, strict=True)}

    async def _judge_and_log_last_cycle(self, market_data: MarketData, at: datetime) -> None:
        """Judge the last cycle by what is known now, log its outcomes, and store the scores in short-term memory."""
        last, price, ids = self._pending, last_price(market_data), self._signal_ids
        before = {} if last is None else self.scores.of(context_name(last.context))
        judgements = self._judge_last_cycle(market_data)
        self._signal_ids = {}
        if last is None or last.price is None or price is None:
            await self._log_outcomes()
            return
        change = {"return": price / last.price - 1}
        outcomes = {decision_id: judgements.get(source, False) for source, decision_id in ids.items()}
        self._unlogged_outcomes += [
            _outcome_entry(decision_id, change, success=success, at=at) for decision_id, success in outcomes.items()
        ]
        self._judge_last_learning(judgements, at)
        await self._log_outcomes()
        name = context_name(last.context)
        scores = self.scores.of(name)
        await self.memory.store_stm(f"performance:{name}", _rounded(scores), ttl_seconds=_PERFORMANCE_SECONDS)
        if judgements:
            await self._log_learning(last.context, before, scores, at)

    async def _log_outcomes(self) -> None:
        if self._unlogged_outcomes:
            _check_results(await self.logger.log_outcomes(self._unlogged_outcomes))
            self._unlogged_outcomes = []

    def _judge_last_learning(self, judgements: Mapping[str, bool], at: datetime) -> None:
        """Judge the last LEARNING: whether the scores after it fit the new judgements better than those before it."""
        learning = self._pending_learning
        if learning is not None:
            before, after = (_squared_error(scores, judgements) for scores in (learning.before, learning.after))
            errors = {"error_before": before, "error_after": after}
            self._unlogged_outcomes.append(_outcome_entry(learning.decision_id, errors, success=after < before, at=at))
            self._pending_learning = None

    async def _log_learning(self, context: Any, before: Scores, after: Scores, at: datetime) -> None:
        decision_id = await self.logger.log_decision(
            DecisionType.LEARNING,
            {"market": context_for_log(context), "cycle": self.current_cycle},
            {"before": _rounded(before), "after": _rounded(after), "learning_rate": self.learning_rate},
            timestamp=at,
        )
        self._pending_learning = _PendingLearning(decision_id, before, after)

    async def _signals_in(self, time_range: tuple[datetime, datetime]) -> list[dict[str, Any]]:
        decisions: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = await self.logger.page_decisions(
                DecisionType.SIGNAL_GENERATION, time_range, limit=1_000, cursor=cursor
            )
            decisions += page["decisions"]
            cursor = page.get("cursor")
            if not cursor:
                return decisions


def _squared_error(scores: Scores, judgements: Mapping[str, bool]) -> float:
    """Return the Brier score, the mean of (score - was right)² over the judged sources; 0 if none was judged."""
    return sum((scores[source] - was_right) ** 2 for source, was_right in judgements.items()) / max(len(judgements), 1)


def _outcome_entry(decision_id: str, outcome: dict[str, Any], *, success: bool, at: datetime) -> dict[str, Any]:
    return {"decision_id": decision_id, "outcome": outcome, "success": success, "timestamp": at}


def _rounded(scores: Scores) -> dict[str, float]:
    """Round scores for the log: smaller decisions cost less."""
    return {source: round(score, 4) for source, score in scores.items()}


def _check_results(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the results of a batch; raise an error for the first that was rejected."""
    for result in results:
        if result.get("error"):
            raise AgentMemoryError(f"{result['decision_id']}: {result['error']}")
    return results
