"""`MemoryAwareMarketHunterAgent`: the hunter with memory and a log of what it decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory import AgentMemoryError, DecisionLogger, DecisionType, MemoryManager
from trading_agents.market_hunter.agent import (
    DEFAULT_MAX_SOURCES,
    Cycle,
    IntegratedMarketHunterAgent,
    Result,
    last_price,
)
from trading_agents.market_hunter.patterns import source_patterns
from trading_agents.market_hunter.sources import MarketData, claim_of, logged_as, moment_of, name_of

_PERFORMANCE_SECONDS = 900
_QUERY_SECONDS = 3_600
_LEARNED_FROM = timedelta(hours=24)
_SIMILAR_WITHIN = timedelta(hours=1)
_MIN_CONFIDENCE = 0.7


Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Learned:
    """A LEARNING decision that waits for the next cycle: the scores before and after it."""

    decision_id: str
    before: Scores
    after: Scores


class MemoryAwareMarketHunterAgent(IntegratedMarketHunterAgent):
    """The market hunter with short-term and long-term memory, and every decision logged.

    A cycle logs a SOURCE_SELECTION with the probability of each choice, a QUERY of all sources with their readings as
    its outcome, and a SIGNAL_GENERATION for each source that says anything, chosen or not: what was not chosen is
    judged as well, so nothing that is learned depends on what was chosen. The next cycle's price is the outcome of
    the signals, and where it teaches anything, a LEARNING decision has the scores before and after. That is a success
    if the scores after it fit what the cycle after that shows better than those before it.

    Args:
        agent_name: who it is.
        learning_rate: weight, 0 to 1, of the newest judgement of a source.
        memory_manager: of agent_memory, or the client with the same methods.
        decision_logger: likewise.
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
        self._unreported: list[dict[str, Any]] = []
        self._learned: _Learned | None = None

    async def select_sources_with_memory(
        self, context: Any, max_sources: int, *, at: datetime | None = None
    ) -> tuple[list[str], str]:
        """Choose sources by what is remembered of the context, and log why; returns them and the decision's id.

        A source's score is what this process learned of it, or else its recent performance in short-term memory;
        patterns of long-term memory move it halfway to their success rate. `at` is when, if not now.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not answer.
        """
        name = name_of(context)
        recent_performance = await self.memory.retrieve_stm(f"performance:{name}")
        patterns = await self.memory.retrieve_ltm(
            memory_type="PATTERN", filters={"context": name, "min_confidence": _MIN_CONFIDENCE}
        )
        scores = self._remembered_scores(name, recent_performance, patterns)
        selected = self._select(scores, max_sources)
        decision_id = await self.logger.log_decision(
            decision_type=DecisionType.SOURCE_SELECTION,
            context={
                "market": logged_as(context),
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
        """One cycle: judge the last one, remember, choose, ask, log; returns the chosen sources' signals.

        Raises:
            InvalidInput: names what is unusable in the market data. Unavailable: the table did not answer; outcomes
                that could not be logged are logged by the next cycle.
        """
        at, context = moment_of(market_data), market_data["context"]
        await self._learn_from_last(market_data, at)
        market = {"market": logged_as(context)}
        similar = await self.memory.get_context_memory((at - _SIMILAR_WITHIN, at), market)
        await self.memory.store_stm("context:current", {**market, "cycle": self.current_cycle})
        selected, selection_id = await self.select_sources_with_memory(context, max_sources, at=at)
        results = [await self.query_source(source, market_data) for source in self.sources]
        chosen = [one for one in results if one["source"] in selected]
        for one in chosen:
            await self.memory.store_stm(f"queries:{one['source']}:latest", one, ttl_seconds=_QUERY_SECONDS)
        signals = self._generate_signals(chosen, context)
        await self._log_readings(context, at, selection_id, results, seen_before=len(similar["entries"]))
        await self.logger.log_outcome(
            decision_id=selection_id,
            outcome={"signals": signals, "sources_used": len(chosen)},
            success=len(signals) > 0,
            metrics={"quality": self._calculate_quality(signals)},
        )
        readings = {one["source"]: one["reading"] for one in results}
        self._open = Cycle(context, readings, last_price(market_data))
        self.current_cycle += 1
        return signals

    async def learn_from_outcomes(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """Make long-term patterns of the last 24 hours' judged signals; returns them.

        All signals count, those that failed as well: of successes alone every source would look perfect.

        Raises:
            Unavailable: the table did not answer.
        """
        now = now or datetime.now(UTC)
        recent = await self._signals_in((now - _LEARNED_FROM, now))
        patterns = self._identify_patterns(recent)
        for pattern in patterns:
            await self.memory.store_ltm(memory_type="PATTERN", pattern_id=pattern["id"], data=pattern)
        return patterns

    def _identify_patterns(self, recent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return source_patterns(recent)

    # --- inside --------------------------------------------------------------------------------

    def _remembered_scores(
        self, context: str, recent_performance: Any, patterns: Sequence[Mapping[str, Any]]
    ) -> dict[str, float]:
        scores = self.scores.of(context)
        if not self.scores.has_learned(context) and isinstance(recent_performance, Mapping):
            scores |= {source: share for source, share in recent_performance.items() if source in scores}
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
        self, context: Any, at: datetime, selection_id: str, results: Sequence[Result], *, seen_before: int
    ) -> None:
        """Log what every source said: one QUERY, judged at once, and a signal each."""
        market = {"market": logged_as(context), "cycle": self.current_cycle}
        readings = {one["source"]: one["reading"] for one in results}
        query_id = await self.logger.log_decision(
            DecisionType.QUERY,
            {**market, "similar_contexts": seen_before},
            {"sources": list(readings)},
            timestamp=at,
            parent_ids=[selection_id],
        )
        known = [source for source, reading in readings.items() if reading]
        answers = {source: reading and round(reading, 4) for source, reading in readings.items()}
        await self.logger.log_outcome(query_id, {"readings": answers}, success=len(known) * 2 >= len(readings))
        choice, scores = self.last_selection, self.scores.of(name_of(context))
        drafts = [
            {
                "decision_type": DecisionType.SIGNAL_GENERATION,
                "context": market,
                "reasoning": {
                    "source": source,
                    "reading": round(readings[source] or 0.0, 4),
                    **claim_of(self.sources[source], readings[source] or 0.0),
                    "confidence": round(scores[source], 4),
                    "chosen": choice is not None and source in choice.selected,
                    "propensity": choice.propensities[source] if choice else None,
                },
                "timestamp": at,
                "parent_ids": [query_id],
            }
            for source in known
        ]
        logged = _accepted(await self.logger.log_decisions(drafts)) if drafts else []
        self._signal_ids = {source: one["decision_id"] for source, one in zip(known, logged, strict=True)}

    async def _learn_from_last(self, market_data: MarketData, at: datetime) -> None:
        """Judge the last cycle by what is known now, log what came of it, and keep the scores at hand."""
        last, price, ids = self._open, last_price(market_data), self._signal_ids
        before = {} if last is None else self.scores.of(name_of(last.context))
        came_true = self._judge_last(market_data)
        self._signal_ids = {}
        if last is None or last.price is None or price is None:
            await self._report_outcomes()
            return
        change = {"return": price / last.price - 1}
        outcomes = {decision_id: came_true.get(source, False) for source, decision_id in ids.items()}
        self._unreported += [_report(one, change, success=was, at=at) for one, was in outcomes.items()]
        self._judge_learning(came_true, at)
        await self._report_outcomes()
        name = name_of(last.context)
        scores = self.scores.of(name)
        await self.memory.store_stm(f"performance:{name}", _rounded(scores), ttl_seconds=_PERFORMANCE_SECONDS)
        if came_true:
            await self._log_learning(last.context, before, scores, at)

    async def _report_outcomes(self) -> None:
        if self._unreported:
            _accepted(await self.logger.log_outcomes(self._unreported))
            self._unreported = []

    def _judge_learning(self, came_true: Mapping[str, bool], at: datetime) -> None:
        """Whether the scores after the last LEARNING fit what came true now better than those before it."""
        if self._learned is not None:
            before, after = (_squared_error(one, came_true) for one in (self._learned.before, self._learned.after))
            errors = {"error_before": before, "error_after": after}
            self._unreported.append(_report(self._learned.decision_id, errors, success=after < before, at=at))
            self._learned = None

    async def _log_learning(self, context: Any, before: Scores, after: Scores, at: datetime) -> None:
        decision_id = await self.logger.log_decision(
            DecisionType.LEARNING,
            {"market": logged_as(context), "cycle": self.current_cycle},
            {"before": _rounded(before), "after": _rounded(after), "learning_rate": self.learning_rate},
            timestamp=at,
        )
        self._learned = _Learned(decision_id, before, after)

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


def _squared_error(scores: Scores, came_true: Mapping[str, bool]) -> float:
    """Mean over the judged sources of (score - came true)², the Brier score; 0 where none was judged."""
    return sum((scores[source] - was) ** 2 for source, was in came_true.items()) / max(len(came_true), 1)


def _report(decision_id: str, outcome: dict[str, Any], *, success: bool, at: datetime) -> dict[str, Any]:
    return {"decision_id": decision_id, "outcome": outcome, "success": success, "timestamp": at}


def _rounded(scores: Scores) -> dict[str, float]:
    """Scores as they are logged: decisions that are small cost less."""
    return {source: round(score, 4) for source, score in scores.items()}


def _accepted(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results of a batch; the first that was refused is an error."""
    for result in results:
        if result.get("error"):
            raise AgentMemoryError(f"{result['decision_id']}: {result['error']}")
    return results
