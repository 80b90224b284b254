"""`MemoryAwareMarketHunterAgent`: the market hunter with memory and a decision log.

    state n-1 ─▶ judge, recall, select, query ─▶ state n, with the report ─▶ log the report ─▶ state n+1
                 changes nothing outside         conditional on version n-1  └ after a crash: log it again, then go on

A cycle is in the stored state before it is in the log, so that no cycle is decided twice, and logging it again changes
nothing, since ids are derived from the cycle.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory import (
    AgentMemoryError,
    Assignment,
    DecisionLogger,
    DecisionType,
    Experiment,
    InvalidInput,
    MemoryManager,
)
from agent_memory.core.checks import check_integer
from agent_memory.core.clock import parse_instant
from agent_memory.core.ids import check_agent_id, check_source, check_stm_key
from agent_memory.core.option_limits import MAX_OPTION_CHARACTERS, MAX_OPTIONS
from trading_agents.core.snapshots import data_of, snapshot
from trading_agents.market_hunter.advice import NO_ADVICE, Adviser, SourceAdvice, advice_on_sources, advised_sources
from trading_agents.market_hunter.agent import (
    DEFAULT_MAX_SOURCES,
    IntegratedMarketHunterAgent,
    PendingCycle,
    last_price,
)
from trading_agents.market_hunter.asking import Answers, Result
from trading_agents.market_hunter.cycle_report import CycleReport, LogEntry, judged_before, rejections
from trading_agents.market_hunter.patterns import source_patterns
from trading_agents.market_hunter.reasoning import (
    Scores,
    query_reasoning,
    rounded,
    selection_reasoning,
    signal_reasoning,
    squared_error,
)
from trading_agents.market_hunter.selection import POLICY, POLICY_VERSION, chance_to_state, restore_chance
from trading_agents.market_hunter.short_term_data import latest_key, performance_key, short_term_data
from trading_agents.market_hunter.sources import MarketData, context_for_log, context_name, forecast, time_of
from trading_agents.market_hunter.stored_state import State, StoredState
from trading_agents.market_hunter.trading_hours import trading_hours

_logger = logging.getLogger(__name__)

_LEARNING_PERIOD = timedelta(hours=24)
_RECENT_PERIOD = timedelta(hours=1)
_MIN_CONFIDENCE = 0.7
_MILLISECOND = timedelta(milliseconds=1)
_MAX_LIMIT = 1_000_000

DEFAULT_TARGETS = ("trader",)
CHECKPOINT_CYCLES = 144
"""A day of cycles of ten minutes."""


@dataclass(frozen=True, slots=True)
class _PendingLearning:
    """A LEARNING decision that the next cycle will judge, with the scores before and after it."""

    decision_id: str
    before: Scores
    after: Scores


class MemoryAwareMarketHunterAgent(IntegratedMarketHunterAgent):
    """The market hunter with short-term and long-term memory, and every decision logged.

    A cycle logs a SOURCE_SELECTION with the probability of each choice, a QUERY of the sources with their readings as
    its outcome, and a SIGNAL_GENERATION for each source with a reading, selected or not: where unselected sources are
    queried too (`ask="all"`), learning does not depend on the selection. The price of the next cycle is the outcome of
    the signals. If it changes any scores, a LEARNING decision records them before and after; it is a success if the
    scores after it fit the following cycle better than those before it.

    Its state is in the table `agent_state`: a new process with the same agent continues where the last one ended, also
    after a kill at any moment. `run_cycle_with_memory` with the market data of a cycle that was run already returns
    that cycle's signals again.

    Memory can be enabled gradually: pass only a `decision_logger`; then a `memory_manager` with `long_term=False`; then
    both.

    Args:
        agent_name: name of the agent.
        learning_rate: weight, 0 to 1, of the newest judgement of a source.
        memory_manager: a `MemoryManager`, or an `AgentMemoryClient`, which has the same methods; None for no memory.
        decision_logger: a `DecisionLogger`, or likewise a client; None logs nothing.
        long_term: whether learned patterns take part in the selection, and are stored.
        adviser: whose advice on sources is used; by default that of the memory manager, if `long_term`.
        experiment: withholds memory, or the memories of a type or an id, from the selections of a random share of
            cycles, which are its units, and logs the assignment with each selection and with the signals of selected
            sources.
        rate_limits: by source, how many queries in five minutes it permits; the others are counted without a limit.
        target_agents: ids of the agents that are to act on its signals.
        checkpoint_cycles: after how many cycles the state is copied to a checkpoint, `auto-1` to `auto-7` in turn.
        timer: returns seconds, for `latency_ms`; None, as in a replay, logs no latencies.
        settings: of `IntegratedMarketHunterAgent`.
    """

    def __init__(
        self,
        agent_name: str,
        learning_rate: float,
        memory_manager: MemoryManager | None = None,
        decision_logger: DecisionLogger | None = None,
        *,
        long_term: bool = True,
        adviser: Adviser | None = None,
        experiment: Experiment | None = None,
        rate_limits: Mapping[str, int] | None = None,
        target_agents: Sequence[str] = DEFAULT_TARGETS,
        checkpoint_cycles: int = CHECKPOINT_CYCLES,
        timer: Callable[[], float] | None = time.perf_counter,
        **settings: Any,
    ) -> None:
        super().__init__(agent_name, learning_rate, **settings)
        for source in self.sources if memory_manager else ():
            check_source(source, f"sources/{source}")
            check_stm_key(latest_key(source), f"sources/{source}")
        self.memory = memory_manager
        self.logger = decision_logger
        self.rate_limits = _checked_limits(rate_limits or {}, self.sources)
        self.target_agents = [check_agent_id(one, f"target_agents/{n}") for n, one in enumerate(target_agents)]
        if checkpoint_cycles < 1:
            raise InvalidInput("checkpoint_cycles", f"{checkpoint_cycles!r} is not 1 or more")
        self._long_term = long_term
        self._experiment = experiment
        self._assignment: Assignment | None = None
        self._adviser: Adviser | None = adviser or (memory_manager if long_term else None)
        if self._adviser and (rest := self.sources.keys() - advised_sources(self.sources)):
            _logger.warning(
                "Sources without advice, of more than %d or with names of more than %d characters: %s",
                MAX_OPTIONS,
                MAX_OPTION_CHARACTERS,
                ", ".join(sorted(rest)),
            )
        self._checkpoint_cycles = checkpoint_cycles
        self._timer = timer
        self._stored = StoredState(memory_manager) if memory_manager else None
        self._signal_ids: dict[str, str] = {}
        self._pending_learning: _PendingLearning | None = None
        self._explored: bool | None = None
        self._running: CycleReport | None = None
        self._last: CycleReport | None = None
        self._is_logged = True
        self._attempts = 0

    @property
    def last_time(self) -> datetime | None:
        """The time of the last cycle, in UTC; after a restart known once the state is loaded, see `resume`."""
        return None if self._last is None else datetime.fromtimestamp(self._last.at_ms / 1000, UTC)

    async def resume(self) -> None:
        """Load the stored state, and complete what a process may have left undone. Every cycle begins with it.

        Raises:
            Unavailable: a store did not respond. InvalidInput: the stored state is not of a market hunter.
        """
        if self._stored is not None and not self._stored.is_loaded:
            state = await self._stored.load()
            if state is not None and _STATE in state:
                self._restore(state)
                self._last = CycleReport.from_state(state[_LAST])
                self._is_logged, self._attempts = False, 1
        await self._log_last_cycle()

    async def select_sources_with_memory(
        self, context: Any, max_sources: int, *, at: datetime | None = None
    ) -> tuple[list[str], str | None]:
        """Select sources by what is remembered of the context, log why, and return them with the decision's id.

        The score of a source is the success rate that the estimates of the last nightly job, and what was judged since,
        expect of it in this context. Of a source
        without an estimate it is what this agent has learned, or else its recent performance in short-term memory, and
        a pattern in long-term memory moves it halfway to the pattern's success rate. `at` is the time, by default now.
        Within a cycle the decision is logged with the others of the cycle, else at once; without a logger it has no id.

        Raises:
            InvalidInput: an argument is invalid; names it. Unavailable: the table did not respond.
        """
        if self._running is None:
            await self.resume()
        name = context_name(context)
        recent_performance = await self.memory.retrieve_stm(performance_key(name)) if self.memory else None
        logged_context = self._context(context, at or datetime.now(UTC))
        patterns: Sequence[Mapping[str, Any]] = []
        advice = NO_ADVICE
        if self._experiment is not None:
            self._assignment = self._experiment.assign(f"{self.agent_name}/{self.current_cycle}")
        some = None if self._assignment is None else self._assignment.withheld
        uses_memory = some is None or any(some.values())
        # Where only some memories are withheld, what reads them leaves these out.
        withholding: dict[str, Any] = {"assignment": self._assignment} if some else {}
        if self._adviser is not None and uses_memory:
            advice = await advice_on_sources(self._adviser, logged_context, self.sources, **withholding)
        if self.memory and self._long_term and uses_memory:
            filters = {"context": name, "min_confidence": _MIN_CONFIDENCE}
            patterns = await self.memory.retrieve_ltm(memory_type="PATTERN", filters=filters, **withholding)
        scores, breakdown = self._remembered_scores(name, recent_performance, patterns, advice)
        selected = self._select(scores, max_sources)
        pattern_ids = [pattern["pattern_id"] for pattern in patterns]
        memory_ids = list(dict.fromkeys([*advice.memory_ids, *pattern_ids]))
        decision_id = await self._log(
            DecisionType.SOURCE_SELECTION,
            {
                **logged_context,
                "recent_performance": recent_performance,
                "applied_patterns": pattern_ids,
            },
            selection_reasoning(
                selected,
                scores,
                self.scores.details(name),
                breakdown,
                self.last_selection,
                patterns_influenced=bool(patterns),
            ),
            step="selection",
            timestamp=at,
            memory_ids=memory_ids,
            **self._assigned(),
        )
        return selected, decision_id

    async def run_cycle_with_memory(
        self, market_data: MarketData, max_sources: int = DEFAULT_MAX_SOURCES
    ) -> list[Result]:
        """Run one cycle: judge the last one, recall, select, query, and log; returns the selected sources' signals.

        If it raises an error, call it again: the cycle was either not run, and is run then, or it is in the stored
        state, and what is missing in the log is logged then. Market data without a `timestamp` is of a new cycle.

        Raises:
            InvalidInput: the market data is invalid, or is of a time before the last cycle; names the field.
            Unavailable: a store did not respond. Conflict: another process of this agent saved its state.
            AgentMemoryError: the log rejected a decision or an outcome, which is named and not logged.
        """
        await self.resume()
        at = self._time_of_cycle(market_data)
        if self._last is not None and at == self.last_time:
            self.market_data = market_data
            return deepcopy(self._last.signals)
        before = self._to_state()
        report = self._running = CycleReport(self.agent_name, self.current_cycle, parse_instant(at))
        try:
            await self._run(report, market_data, max_sources, at)
            if self._stored is not None:
                await self._stored.save(self._to_state() | {_LAST: report.to_state()})
        except BaseException:
            self._restore(before)  # if the state was saved nevertheless, the next cycle loads it
            raise
        finally:
            self._running = None
        self._last, self._is_logged, self._attempts = report, False, 0
        await self._log_last_cycle()
        return deepcopy(report.signals)

    async def learn_from_outcomes(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """Store long-term patterns from the judged signals of the last 24 hours, and return them.

        Failed signals count too: from successes alone every source would look perfect. Without a logger there are no
        signals to learn from; without long-term memory the patterns are returned and not stored.

        Raises:
            Unavailable: the table did not respond.
        """
        now = now or datetime.now(UTC)
        recent = await self._signals_in((now - _LEARNING_PERIOD, now))
        patterns = self._identify_patterns(recent)
        if self.memory is None or not self._long_term:
            return patterns
        for pattern in patterns:
            await self.memory.store_ltm(memory_type="PATTERN", pattern_id=pattern["id"], data=pattern)
        return patterns

    def _identify_patterns(self, recent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return source_patterns(recent)

    # --- one cycle -------------------------------------------------------------------------------

    async def _run(self, report: CycleReport, market_data: MarketData, max_sources: int, at: datetime) -> None:
        """Run a cycle, which changes this object and the report, and nothing outside."""
        started = self._now()
        self.market_data, last = market_data, self._pending
        market = context_for_log(market_data["context"])
        context = self._context(market, at)
        self._judge_and_report_last_cycle(market_data, at)
        similar = await self._similar_contexts(market, at)
        selected, selection_id = await self.select_sources_with_memory(market_data["context"], max_sources, at=at)
        asked_at = self._now()
        answers = await self._ask(selected, self.scores.of(context_name(market)))
        query_id = self._report_query(context | similar, answers, selection_id, max_sources, asked_at)
        report.signals = self._generate_signals(answers.used_results, market_data["context"])
        self._report_signals(context, answers, query_id, started)
        self._report_selection(selection_id, answers, started)
        if self.logger is None:  # then nothing waits for an outcome either
            report.decisions, report.outcomes = [], []
            self._signal_ids, self._pending_learning = {}, None
        markets = {context_name(one) for one in (market, market if last is None else last.context)}
        report.short_term = short_term_data(
            report, context, answers, self.scores, markets, counted=self.rate_limits.keys()
        )
        self._explored = None if self.last_selection is None else self.last_selection.explored
        self._pending = PendingCycle(market, answers.readings, last_price(market_data))
        self.current_cycle += 1

    async def _similar_contexts(self, market: Any, at: datetime) -> LogEntry:
        """The number of similar contexts of the last hour, as a part of a context; nothing without memory."""
        if self.memory is None:
            return {}
        similar = await self.memory.get_context_memory((at - _RECENT_PERIOD, at), {"market": market})
        return {"similar_contexts": len(similar["entries"])}

    async def _may_query(self, source: str) -> bool:
        """Count a query of a source that has a limit; the others are counted when the cycle is stored."""
        limit = self.rate_limits.get(source)
        if limit is None or self.memory is None:
            return True
        return bool((await self.memory.check_rate_limit(source, limit))["allowed"])

    def _report_query(
        self, context: LogEntry, answers: Answers, selection_id: str | None, max_sources: int, started: float | None
    ) -> str:
        """Report the query of the sources, with their readings as its outcome."""
        sources = [one for one in self.sources if one in answers.readings or one in answers.failed]
        parameters = {"ask": self.ask, "max_sources": max_sources}
        limits = {one: limit for one, limit in self.rate_limits.items() if one in sources}
        reasoning = query_reasoning(sources, [one for one in answers.order if one in sources], parameters, limits)
        parents = [selection_id] if selection_id else []
        query_id = self._add(DecisionType.QUERY, context, reasoning, step="query", parent_ids=parents)
        readings = {source: reading and round(reading, 4) for source, reading in answers.readings.items()}
        known = [source for source, reading in readings.items() if reading]
        self._report.add_outcome(
            query_id,
            {"readings": readings, **({"failed": answers.failed} if answers.failed else {})},
            success=bool(readings) and len(known) * 2 >= len(readings),
            metrics=self._latency(started),
        )
        return query_id

    def _report_signals(self, context: LogEntry, answers: Answers, query_id: str, started: float | None) -> None:
        """Report a signal for every source with a reading; the next cycle judges them."""
        details = self.scores.details(context_name(context["market"]))
        self._signal_ids = {}
        for source, reading in answers.readings.items():
            if reading:
                reasoning = signal_reasoning(
                    source,
                    reading,
                    forecast(self.sources[source], reading),
                    details[source],
                    self.last_selection,
                    targets=self.target_agents if source in answers.used else None,
                )
                self._signal_ids[source] = self._add(
                    DecisionType.SIGNAL_GENERATION,
                    context,
                    reasoning,
                    step=f"signal/{source}",
                    parent_ids=[query_id],
                    **self._signal_metadata(started, is_chosen=reasoning["chosen"]),
                    **self._chosen_by(propensity=reasoning["propensity"] or None),  # 0: it could not be chosen
                )

    def _report_selection(self, selection_id: str | None, answers: Answers, started: float | None) -> None:
        """Report the outcome of the selection: the signals that it led to."""
        signals = self._report.signals
        if selection_id is not None:
            self._report.add_outcome(
                selection_id,
                {"signals": signals, "signals_generated": len(signals), "sources_used": len(answers.used)},
                success=len(signals) > 0,
                metrics={
                    "quality": self._calculate_quality(signals),
                    **self._latency(started),
                },
            )

    def _context(self, context: Any, at: datetime) -> LogEntry:
        """The context that all decisions of a cycle have."""
        market = context_for_log(context)
        return {"market": market, "cycle": self.current_cycle, "trading_hours": trading_hours(at)}

    def _time_of_cycle(self, market_data: MarketData) -> datetime:
        at, last = time_of(market_data), self.last_time
        at -= timedelta(microseconds=at.microsecond % 1000)
        if last is None:
            return at
        if market_data.get("timestamp") is None:
            return max(at, last + _MILLISECOND)
        if at < last:
            raise InvalidInput("timestamp", f"{at.isoformat()} is before the last cycle, at {last.isoformat()}")
        if at == last and not self._is_of_last_cycle(market_data):
            raise InvalidInput("timestamp", f"a cycle with another context or price was run at {at.isoformat()}")
        return at

    def _is_of_last_cycle(self, market_data: MarketData) -> bool:
        last = self._pending
        name = context_name(market_data["context"])
        return last is not None and (name, last_price(market_data)) == (context_name(last.context), last.price)

    # --- scores ----------------------------------------------------------------------------------

    def _remembered_scores(
        self,
        context: str,
        recent_performance: Any,
        patterns: Sequence[Mapping[str, Any]],
        advice: SourceAdvice,
    ) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        """The scores, and what each of them consists of where it is not simply what was learned."""
        scores = self.scores.of(context)
        parts: dict[str, dict[str, float]] = {}
        if not self.scores.has_learned(context) and isinstance(recent_performance, Mapping):
            recent = {source: score for source, score in recent_performance.items() if source in scores}
            scores |= recent
            parts = {source: {"recent_performance": score} for source, score in recent.items()}
        for pattern in patterns:
            source, rate = pattern.get("source"), pattern.get("success_rate")
            if source in scores and source not in advice.rates and isinstance(rate, int | float):
                parts.setdefault(source, {"learned": scores[source]})[pattern["pattern_id"]] = rate
                scores[source] = (scores[source] + rate) / 2
        for source, rate in advice.rates.items():
            parts[source] = {"learned": self.scores.of(context)[source], "estimated": rate}
            scores[source] = rate
        return scores, parts

    def _judge_and_report_last_cycle(self, market_data: MarketData, at: datetime) -> None:
        """Judge the last cycle by what is known now, and report the outcomes of its decisions and what was learned."""
        last, price, ids = self._pending, last_price(market_data), self._signal_ids
        before = {} if last is None else self.scores.of(context_name(last.context))
        judgements = self._judge_last_cycle(market_data)
        self._signal_ids = {}
        if last is None or last.price is None or price is None:
            return
        change = {"return": price / last.price - 1}
        for source, decision_id in sorted(ids.items()):  # as a store may return them in another order
            self._report.add_outcome(decision_id, change, success=judgements.get(source, False))
        self._judge_last_learning(judgements)
        if judgements:
            self._report_learning(last.context, before, at)

    def _judge_last_learning(self, judgements: Mapping[str, bool]) -> None:
        """Judge the last LEARNING: whether the scores after it fit the new judgements better than those before it."""
        learning, self._pending_learning = self._pending_learning, None
        if learning is not None:
            before, after = (squared_error(scores, judgements) for scores in (learning.before, learning.after))
            errors = {"error_before": before, "error_after": after}
            self._report.add_outcome(learning.decision_id, errors, success=after < before)

    def _report_learning(self, context: Any, before: Scores, at: datetime) -> None:
        after = self.scores.of(context_name(context))
        reasoning: LogEntry = {
            "before": rounded(before),
            "after": rounded(after),
            "learning_rate": self.learning_rate,
            "exploration_rate": self._exploration_rate,
        }
        if self._explored is not None:
            reasoning["exploration_triggered"] = self._explored
        decision_id = self._add(DecisionType.LEARNING, self._context(context, at), reasoning, step="learning")
        self._pending_learning = _PendingLearning(decision_id, before, after)

    # --- logging ---------------------------------------------------------------------------------

    @property
    def _report(self) -> CycleReport:
        """The report of the cycle that is running."""
        assert self._running is not None  # noqa: S101  for the type checker: only a cycle reports
        return self._running

    def _add(self, decision_type: DecisionType, context: LogEntry, reasoning: LogEntry, **more: Any) -> str:
        shards = self.logger.write_shards if self.logger else 1
        return self._report.add_decision(decision_type, context, reasoning, write_shards=shards, **more)

    async def _log(
        self,
        decision_type: DecisionType,
        context: LogEntry,
        reasoning: LogEntry,
        *,
        step: str,
        timestamp: datetime | None,
        memory_ids: Sequence[str],
        **more: Any,
    ) -> str | None:
        """Add a decision to the cycle that is running, or else log it at once; None without a logger."""
        if self.logger is None:
            return None
        choice = self.last_selection
        chosen_by = self._chosen_by(joint_propensity=choice.joint_propensity if choice else None)
        if self._running is not None:
            return self._add(decision_type, context, reasoning, step=step, memory_ids=memory_ids, **chosen_by, **more)
        return await self.logger.log_decision(
            decision_type=decision_type,
            context=context,
            reasoning=reasoning,
            timestamp=timestamp,
            memory_ids=memory_ids,
            **chosen_by,
            **more,
        )

    def _assigned(self) -> LogEntry:
        """The `metadata` that keep the cycle's assignment to the experiment; nothing without one."""
        return {} if self._assignment is None else {"metadata": self._assignment.metadata()}

    def _signal_metadata(self, started: float | None, *, is_chosen: bool) -> LogEntry:
        own = self._latency(started)
        if self._assignment is None or not is_chosen:
            return {"metadata": own}
        return {"metadata": self._assignment.metadata(own)}

    @staticmethod
    def _chosen_by(**propensity: float | None) -> dict[str, Any]:
        """The fields that say which policy chose, with which probability."""
        return {"policy": POLICY, "policy_version": POLICY_VERSION, **propensity}

    async def _log_last_cycle(self) -> None:
        """Log the last cycle and write it to short-term memory, unless that is done. Repeating it changes nothing."""
        report = self._last
        if report is None or self._is_logged:
            return
        is_repeated = self._attempts > 0
        self._attempts += 1
        rejected = await self._log_report(report)
        if self.memory is not None and not (is_repeated and await self._is_in_short_term(report)):
            await self.memory.write_cycle(**report.short_term)
        if self._stored is not None and self.current_cycle % self._checkpoint_cycles == 0:
            await self._stored.checkpoint(self.current_cycle // self._checkpoint_cycles)
        self._is_logged = True
        if rejected:
            reasons = "; ".join(f"{decision_id}: {why}" for decision_id, why in rejected.items())
            raise AgentMemoryError(f"cycle {report.cycle} was not logged completely: {reasons}")

    async def _log_report(self, report: CycleReport) -> dict[str, str]:
        """Log the decisions of a cycle, then its outcomes; returns what the log rejects for good, with the reasons."""
        if self.logger is None:
            return {}
        logged = await self.logger.log_decisions(report.decisions) if report.decisions else []
        judged = await self.logger.log_outcomes(report.outcomes) if report.outcomes else []
        kept = judged_before(judged)
        if kept:  # as after a checkpoint was restored
            _logger.warning("these decisions keep the outcomes that they had: %s", ", ".join(kept))
        return rejections([one for one in judged if one["decision_id"] not in kept]) | rejections(logged)

    async def _is_in_short_term(self, report: CycleReport) -> bool:
        """Whether short-term memory has the cycle, so that its queries are not counted twice."""
        assert self.memory is not None  # noqa: S101  for the type checker
        ids = report.short_term["decision_ids"]
        return bool(ids) and ids[-1] in (await self.memory.read_cycle(cycles=1))["decision_ids"]

    async def _signals_in(self, time_range: tuple[datetime, datetime]) -> list[dict[str, Any]]:
        decisions: list[dict[str, Any]] = []
        cursor = None
        while self.logger is not None:
            page = await self.logger.page_decisions(
                DecisionType.SIGNAL_GENERATION, time_range, limit=1_000, cursor=cursor
            )
            decisions += page["decisions"]
            cursor = page.get("cursor")
            if not cursor:
                break
        return decisions

    def _now(self) -> float | None:
        return None if self._timer is None else self._timer()

    def _latency(self, started: float | None) -> dict[str, float]:
        """The time since then as `latency_ms`; nothing without a timer."""
        now = self._now()
        return {} if now is None or started is None else {"latency_ms": round((now - started) * 1000, 1)}

    # --- state -----------------------------------------------------------------------------------

    def to_state(self) -> State:
        """The state that the last cycle saved, or would have saved without a memory manager, as plain JSON data."""
        return self._to_state() | ({} if self._last is None else {_LAST: self._last.to_state()})

    def _to_state(self) -> State:
        """The state without the last report; the names are those of the table `agent_state` in the design."""
        learning, pending = self._pending_learning, self._pending
        return {
            "current_cycle": self.current_cycle,
            "source_metrics": self.scores.totals(),
            "context_performance": self.scores.to_state(),
            "configuration": {
                "learning_rate": self.learning_rate,
                "exploration_rate": self._exploration_rate,
                "sources": list(self.sources),
                "ask": self.ask,
                "long_term": self._long_term,
                "rate_limits": dict(self.rate_limits),
                "target_agents": list(self.target_agents),
            },
            _STATE: snapshot(
                "MarketHunter",
                chance=chance_to_state(self._chance),
                explored=self._explored,
                pending=None if pending is None else {**asdict(pending), "signal_ids": dict(self._signal_ids)},
                learning=None if learning is None else asdict(learning),
            ),
        }

    def _restore(self, state: State) -> None:
        """Continue from a state of `_to_state`. The configuration stays that of this process."""
        data = data_of(state[_STATE], "MarketHunter")
        pending, learning = dict(data["pending"] or {}), data["learning"]
        self.current_cycle = state["current_cycle"]
        self.scores.restore(state["context_performance"])
        restore_chance(self._chance, data["chance"])
        self._explored = data["explored"]
        self._signal_ids = dict(pending.pop("signal_ids", {}))
        self._pending = PendingCycle(**pending) if pending else None
        self._pending_learning = _PendingLearning(**learning) if learning else None


_STATE, _LAST = "market_hunter", "last_cycle"
"""Fields of the stored state: what only the hunter reads, and the report of its last cycle, which may not be logged."""


def _checked_limits(limits: Mapping[str, int], sources: Mapping[str, Any]) -> dict[str, int]:
    for source, limit in limits.items():
        if source not in sources:
            raise InvalidInput(f"rate_limits/{source}", "is not one of the sources")
        check_integer(f"rate_limits/{source}", limit, minimum=1, maximum=_MAX_LIMIT)
    return dict(limits)
