"""The methods of an agent's decision log, asynchronous and blocking, over any `DecisionBackend`."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory.client.backends import DecisionBackend
from agent_memory.client.executor import in_thread
from agent_memory.client.facade import AsyncFacade, SyncFacade
from agent_memory.core.clock import Instant
from agent_memory.core.json_values import Document
from agent_memory.decisions.inputs import decision_input, outcome_item
from agent_memory.decisions.queries import DecisionFilter, SuccessFilter, TimeRange
from agent_memory.model.decisions import DecisionDict


class AsyncDecisions(AsyncFacade):
    """An agent's decision log, to be awaited."""

    _decisions: DecisionBackend

    @property
    def write_shards(self) -> int:
        """Over how many partitions of the table new decisions are spread."""
        return self._decisions.write_shards

    async def log_decision(
        self,
        decision_type: str,
        context: Document,
        reasoning: Document,
        metadata: Document | None = None,
        *,
        decision_id: str | None = None,
        timestamp: Instant | None = None,
        parent_ids: Sequence[str] = (),
        memory_ids: Sequence[str] = (),
    ) -> str:
        """Log one decision and return its id, a UUID.

        Args:
            decision_type: one of `DecisionType`, or a team's own in capitals.
            context: the situation in which it was made; `context["market"]` is what it is later grouped by.
            reasoning: why it was made.
            metadata: whatever else belongs to it.
            decision_id: made beforehand by a caller who may have to repeat the call.
            timestamp: when it was made, if not now.
            parent_ids: earlier decisions of this agent that led to it.
            memory_ids: long-term memories that it rests on.

        Raises:
            InvalidInput: names the field. Conflict: the id holds other content.
            Unavailable: the log did not respond; repeating the call with the same `decision_id` is safe.
        """
        data = decision_input(
            decision_type,
            context,
            reasoning,
            metadata=metadata,
            decision_id=decision_id,
            timestamp=timestamp,
            parent_ids=parent_ids,
            memory_ids=memory_ids,
        )
        return await self._log_decision(data)

    async def log_decisions(self, decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log many decisions, each a mapping of `log_decision`'s arguments; each has its own result, in order.

        A result holds `decision_id` and `status` (`created`, `unchanged`, `conflict` or `invalid`), the last two with
        `error`.

        Raises:
            Unavailable: the log did not respond, and some may have been logged; repeating the call is safe where each
                has a `decision_id`.
        """
        return await in_thread(self._decisions.log_decisions, decisions)

    async def log_outcome(
        self,
        decision_id: str,
        outcome: Document,
        success: bool,
        metrics: Document | None = None,
        *,
        horizon: str | None = None,
        amend: bool = False,
        headline: bool = False,
        timestamp: Instant | None = None,
    ) -> None:
        """Add what came of a decision. The same outcome again changes nothing.

        Args:
            decision_id: as `log_decision` returned it.
            outcome: what happened.
            success: whether that is a success.
            metrics: measurements such as `quality` or `latency_ms`.
            horizon: when the decision was judged (`1h`, `exit`), for several outcomes of one decision.
            amend: replace a different outcome of the same horizon, which is kept as superseded.
            headline: make this the outcome that `success` and queries by outcome show. So does an outcome without
                horizon; else the first one logged is the headline.
            timestamp: when it became known, if not now.

        Raises:
            InvalidInput: names the field. NotFound: no such decision. Conflict: it has a different outcome already.
            Unavailable: the log did not respond; repeating the call is safe.
        """
        data = outcome_item(
            decision_id,
            outcome,
            success,
            metrics=metrics,
            horizon=horizon,
            amend=amend,
            headline=headline,
            timestamp=timestamp,
        )
        await self._log_outcome(data)

    async def log_outcomes(self, outcomes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add many outcomes, each a mapping of `log_outcome`'s arguments; each has its own result, in order.

        A result holds `decision_id` and `status` (`recorded`, `unchanged`, `conflict`, `not_found` or `invalid`), the
        last three with `error`.

        Raises:
            Unavailable: the log did not respond; repeating the call is safe.
        """
        return await in_thread(self._decisions.log_outcomes, outcomes)

    async def get_decision(self, decision_id: str) -> DecisionDict:
        """One decision with its outcomes, from the table or the archive.

        Raises:
            InvalidInput: not a decision id. NotFound: this agent logged no such decision.
            Unavailable: a tier did not respond.
        """
        return await in_thread(self._decisions.get_decision, decision_id)

    async def query_decisions(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        success_filter: SuccessFilter = None,
        context_filter: Document | None = None,
        limit: int = 100,
        *,
        context_type: str | None = None,
        newest_first: bool = True,
    ) -> list[DecisionDict]:
        """Up to `limit` decisions (1 to 1,000) that meet every filter, from all tiers.

        Args:
            decision_type: one type; all where None.
            time_range: (from, up to and not including), either None for open.
            success_filter: True or False by the headline outcome, "pending" while there is none.
            context_filter: a part of the context; names that the context lacks are looked for in its `market`.
            limit: how many at most.
            context_type: the complete market context, `trend=bullish|volatility=high`, found by an index.
            newest_first: the order.

        Raises:
            InvalidInput: names the argument. Unavailable: a tier did not respond.
        """
        wanted = DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type)
        return await in_thread(_query, self._decisions, wanted, limit, newest_first=newest_first)

    async def page_decisions(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        success_filter: SuccessFilter = None,
        context_filter: Document | None = None,
        limit: int = 100,
        *,
        context_type: str | None = None,
        newest_first: bool = True,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """The same a page at a time: `decisions`, and `cursor` to pass on for the next page, None after the last.

        A page may end before `limit`, with a cursor, where more would not fit into a response.
        """
        wanted = DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type)
        page = self._decisions.page_decisions
        return await in_thread(page, wanted, limit=limit, newest_first=newest_first, cursor=cursor)

    async def get_decision_chain(self, decision_id: str, depth: int = 5) -> list[dict[str, Any]]:
        """What led to a decision and what followed from it: up to `depth` (1 to 50) steps and places each way.

        First the ancestors and descendants by `parent_ids`, then the agent's decisions before and after it, up to 30
        days away, all nearest first. Each is a decision with `relation` (`ancestor`, `descendant`, `before`, `after`),
        `distance`, `why`, and `missing`, true where a parent was named that is not in the log.

        Raises:
            InvalidInput: names the argument. NotFound: no such decision. Unavailable: a tier did not respond.
        """
        return await in_thread(self._decisions.get_decision_chain, decision_id, depth)

    async def analyze_decision_patterns(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        group_by: str = "context",
    ) -> dict[str, Any]:
        """Outcomes grouped by `context`, `source`, `type`, or a path such as `reasoning.exploration_triggered`.

        Returns:
            `total` and `groups` (largest first, each with its `group`), each with `count`, `with_outcome`,
            `succeeded`, `success_rate` with `low` and `high` (a 95 % Wilson score interval), `latency_ms` and
            `quality` (count, mean, median, p95, min, max).

        Raises:
            InvalidInput: names the argument. Unavailable: a tier did not respond.
        """
        wanted = DecisionFilter(decision_type, time_range)
        return await in_thread(self._decisions.analyze_decision_patterns, wanted, group_by)

    # Overridden where logging does not wait for a store.

    async def _log_decision(self, data: dict[str, Any]) -> str:
        return await in_thread(self._decisions.log_decision, data)

    async def _log_outcome(self, data: dict[str, Any]) -> None:
        await in_thread(self._decisions.log_outcome, data)


class SyncDecisions(SyncFacade):
    """The same methods for code without asyncio: each returns what `AsyncDecisions`' of its name does."""

    _decisions: DecisionBackend

    @property
    def write_shards(self) -> int:
        """Over how many partitions of the table new decisions are spread."""
        return self._decisions.write_shards

    def log_decision(
        self,
        decision_type: str,
        context: Document,
        reasoning: Document,
        metadata: Document | None = None,
        *,
        decision_id: str | None = None,
        timestamp: Instant | None = None,
        parent_ids: Sequence[str] = (),
        memory_ids: Sequence[str] = (),
    ) -> str:
        """Log one decision and return its id, a UUID; see `AsyncDecisions.log_decision`."""
        data = decision_input(
            decision_type,
            context,
            reasoning,
            metadata=metadata,
            decision_id=decision_id,
            timestamp=timestamp,
            parent_ids=parent_ids,
            memory_ids=memory_ids,
        )
        return self._decisions.log_decision(data)

    def log_decisions(self, decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log many decisions; each has its own result, in order; see `AsyncDecisions.log_decisions`."""
        return self._decisions.log_decisions(decisions)

    def log_outcome(
        self,
        decision_id: str,
        outcome: Document,
        success: bool,
        metrics: Document | None = None,
        *,
        horizon: str | None = None,
        amend: bool = False,
        headline: bool = False,
        timestamp: Instant | None = None,
    ) -> None:
        """Add what came of a decision; see `AsyncDecisions.log_outcome`."""
        data = outcome_item(
            decision_id,
            outcome,
            success,
            metrics=metrics,
            horizon=horizon,
            amend=amend,
            headline=headline,
            timestamp=timestamp,
        )
        self._decisions.log_outcome(data)

    def log_outcomes(self, outcomes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add many outcomes; each has its own result, in order; see `AsyncDecisions.log_outcomes`."""
        return self._decisions.log_outcomes(outcomes)

    def get_decision(self, decision_id: str) -> DecisionDict:
        """One decision with its outcomes; see `AsyncDecisions.get_decision`."""
        return self._decisions.get_decision(decision_id)

    def query_decisions(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        success_filter: SuccessFilter = None,
        context_filter: Document | None = None,
        limit: int = 100,
        *,
        context_type: str | None = None,
        newest_first: bool = True,
    ) -> list[DecisionDict]:
        """Up to `limit` decisions that meet every filter; see `AsyncDecisions.query_decisions`."""
        wanted = DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type)
        return _query(self._decisions, wanted, limit, newest_first=newest_first)

    def page_decisions(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        success_filter: SuccessFilter = None,
        context_filter: Document | None = None,
        limit: int = 100,
        *,
        context_type: str | None = None,
        newest_first: bool = True,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """The same a page at a time; see `AsyncDecisions.page_decisions`."""
        wanted = DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type)
        return self._decisions.page_decisions(wanted, limit=limit, newest_first=newest_first, cursor=cursor)

    def get_decision_chain(self, decision_id: str, depth: int = 5) -> list[dict[str, Any]]:
        """What led to a decision and what followed from it; see `AsyncDecisions.get_decision_chain`."""
        return self._decisions.get_decision_chain(decision_id, depth)

    def analyze_decision_patterns(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        group_by: str = "context",
    ) -> dict[str, Any]:
        """Outcomes grouped by context, source, type or a path; see `AsyncDecisions.analyze_decision_patterns`."""
        return self._decisions.analyze_decision_patterns(DecisionFilter(decision_type, time_range), group_by)


def _query(backend: DecisionBackend, wanted: DecisionFilter, limit: int, *, newest_first: bool) -> list[DecisionDict]:
    """Decisions over as many pages as they take."""
    page = backend.page_decisions(wanted, limit=limit, newest_first=newest_first, cursor=None)
    found: list[DecisionDict] = list(page["decisions"])
    while page["cursor"] is not None and len(found) < limit:
        more = limit - len(found)
        page = backend.page_decisions(wanted, limit=more, newest_first=newest_first, cursor=page["cursor"])
        found += page["decisions"]
    return found
