"""`DecisionLogger`: the async face of an agent's decision log."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.core.clock import Clock, Instant
from agent_memory.core.json_values import Document
from agent_memory.decisions.inputs import decision_input, outcome_item
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter, SuccessFilter, TimeRange
from agent_memory.model.decisions import DecisionDict
from agent_memory.ports.stores import Stores
from agent_memory.storage.factory import open_stores

if TYPE_CHECKING:
    from agent_memory.client.memory_manager import MemoryManager


class DecisionLogger:
    """Logs all of an agent's decisions with context, reasoning and outcome.

    The stores are those of `memory_manager` where one is given, else `stores`, else they are opened
    on `dynamodb_client`, or as the environment says. `write_shards` (1 to 32) spreads a hot agent's new
    decisions over so many partitions of the table. `log` is the same log for callers that may block.
    """

    def __init__(
        self,
        agent_id: str,
        dynamodb_client: Any = None,
        memory_manager: "MemoryManager | None" = None,
        *,
        stores: Stores | None = None,
        clock: Clock | None = None,
        write_shards: int = 1,
    ) -> None:
        if stores is None:
            stores = memory_manager.stores if memory_manager else open_stores(dynamodb_client=dynamodb_client)
        self.agent_id = agent_id
        self.write_shards = write_shards
        self.log = DecisionLog(agent_id, stores, clock, write_shards=write_shards)

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
            Unavailable: the table did not answer; repeating the call with the same `decision_id` is safe.
        """
        draft = decision_input(
            decision_type,
            context,
            reasoning,
            metadata=metadata,
            decision_id=decision_id,
            timestamp=timestamp,
            parent_ids=parent_ids,
            memory_ids=memory_ids,
        )
        return str((await asyncio.to_thread(self.log.log_one, draft)).decision_id)

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log many decisions, each a mapping of `log_decision`'s arguments; each has its own result, in order.

        A result holds `decision_id` and `status` (`created`, `unchanged`, `conflict` or `invalid`), the last two with
        `error`.
        """
        return [result.as_dict() for result in await asyncio.to_thread(self.log.log, drafts)]

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
            amend: let this take the place of a different outcome of the same horizon, which is kept as superseded.
            headline: make this the outcome that `success` and queries by outcome show. So does an outcome without
                horizon; else the first one logged is the headline.
            timestamp: when it became known, if not now.

        Raises:
            InvalidInput: names the field. NotFound: no such decision. Conflict: it has a different outcome already.
            Unavailable: the table did not answer; repeating the call is safe.
        """
        report = outcome_item(
            decision_id,
            outcome,
            success,
            metrics=metrics,
            horizon=horizon,
            amend=amend,
            headline=headline,
            timestamp=timestamp,
        )
        await asyncio.to_thread(self.log.record_outcome, report)

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add many outcomes, each a mapping of `log_outcome`'s arguments; each has its own result, in order.

        A result holds `decision_id` and `status` (`recorded`, `unchanged`, `conflict`, `not_found` or `invalid`), the
        last three with `error`.
        """
        return [result.as_dict("recorded") for result in await asyncio.to_thread(self.log.record_outcomes, reports)]

    async def get_decision(self, decision_id: str) -> DecisionDict:
        """One decision with its outcomes, from the table or the archive.

        Raises:
            InvalidInput: not a decision id. NotFound: this agent logged no such decision.
            Unavailable: a tier did not answer.
        """
        return (await asyncio.to_thread(self.log.get, decision_id)).as_dict()

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
    ) -> list[dict[str, Any]]:
        """Up to `limit` decisions (1 to 1,000) that meet every filter given, from all tiers.

        Args:
            decision_type: one type; all where None.
            time_range: (from, up to and not including), either None for open.
            success_filter: True or False by the headline outcome, "pending" while there is none.
            context_filter: a part of the context; names that the context lacks are looked for in its `market`.
            limit: how many at most.
            context_type: the whole market context, `trend=bullish|volatility=high`, found by an index.
            newest_first: the order.

        Raises:
            InvalidInput: names the argument. Unavailable: a tier did not answer.
        """
        page = await self.page_decisions(
            decision_type,
            time_range,
            success_filter,
            context_filter,
            limit,
            context_type=context_type,
            newest_first=newest_first,
        )
        return list(page["decisions"])

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
        """The same a page at a time: `decisions`, and `cursor` to pass on for the next page, None after the last."""
        wanted = DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type)
        page = await asyncio.to_thread(self.log.page, wanted, limit=limit, newest_first=newest_first, cursor=cursor)
        return page.as_dict()

    async def get_decision_chain(self, decision_id: str, depth: int = 5) -> list[dict[str, Any]]:
        """What led to a decision and what came of it: up to `depth` (1 to 50) steps and places each way.

        First the ancestors and descendants that `parent_ids` tell, then the agent's decisions before and after it, up
        to 30 days away, all nearest first. Each is a decision with `relation` (`ancestor`, `descendant`, `before`,
        `after`), `distance`, `why`, and `missing`, true where a parent was named that is not in the log.

        Raises:
            InvalidInput: names the argument. NotFound: no such decision. Unavailable: a tier did not answer.
        """
        return [entry.as_dict() for entry in await asyncio.to_thread(self.log.chain, decision_id, depth)]

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
            InvalidInput: names the argument. Unavailable: a tier did not answer.
        """
        wanted = DecisionFilter(decision_type, time_range)
        return await asyncio.to_thread(self.log.statistics, wanted, group_by)
