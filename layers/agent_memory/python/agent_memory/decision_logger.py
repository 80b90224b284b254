"""`DecisionLogger`: the async face of an agent's decision log."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.clock import Clock, Instant
from agent_memory.decision_log import DecisionFilter, DecisionLog, ItemResult, TimeRange
from agent_memory.models import Document
from agent_memory.stores.connections import Stores, open_stores

if TYPE_CHECKING:
    from agent_memory.memory_manager import MemoryManager


class DecisionLogger:
    """Logs all of an agent's decisions with context, reasoning and outcome.

    The stores are those of `memory_manager` where one is given, else `stores`, else they are opened
    on `dynamodb_client`, or as the environment's AWS settings say.
    """

    def __init__(
        self,
        agent_id: str,
        dynamodb_client: Any = None,
        memory_manager: "MemoryManager | None" = None,
        *,
        stores: Stores | None = None,
        clock: Clock | None = None,
    ) -> None:
        if stores is None:
            stores = memory_manager.stores if memory_manager else open_stores(dynamodb_client=dynamodb_client)
        self.agent_id = agent_id
        self.log = DecisionLog(agent_id, stores, clock)

    async def log_decision(
        self,
        decision_type: str,
        context: Document,
        reasoning: Document,
        metadata: Document | None = None,
        *,
        decision_id: str | None = None,
        timestamp: Instant | None = None,
    ) -> str:
        """Log one decision and return its id, a UUID.

        Logging the same decision again under the same `decision_id` changes nothing.

        Raises:
            InvalidInput: names the field. Conflict: the id holds another decision.
            Unavailable: the table did not answer.
        """
        draft = {
            "decision_type": decision_type,
            "context": context,
            "reasoning": reasoning,
            "metadata": metadata,
            "decision_id": decision_id,
            "timestamp": timestamp,
        }
        return str((await asyncio.to_thread(self.log.log_one, draft)).decision_id)

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[ItemResult]:
        """Log many decisions; each has its own result, in order. See `DecisionLog.log`."""
        return await asyncio.to_thread(self.log.log, drafts)

    async def log_outcome(
        self, decision_id: str, outcome: Document, success: bool, metrics: Document | None = None
    ) -> None:
        """Add what came of a decision. The same outcome again changes nothing.

        Raises:
            InvalidInput: names the field. NotFound: no such decision.
            Conflict: the decision has another outcome. Unavailable: the table did not answer.
        """
        report = {"decision_id": decision_id, "outcome": outcome, "success": success, "metrics": metrics}
        await asyncio.to_thread(self.log.record_outcome, report)

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[ItemResult]:
        """Add many outcomes; each has its own result, in order. See `DecisionLog.record_outcomes`."""
        return await asyncio.to_thread(self.log.record_outcomes, reports)

    async def get_decision(self, decision_id: str) -> dict[str, Any]:
        """One decision with all that was logged of it.

        Raises:
            InvalidInput: not a decision id. NotFound: this agent logged no such decision.
        """
        return (await asyncio.to_thread(self.log.get, decision_id)).as_dict()

    async def query_decisions(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        success_filter: bool | None = None,
        context_filter: Document | None = None,
        limit: int = 100,
        *,
        newest_first: bool = True,
    ) -> list[dict[str, Any]]:
        """Up to `limit` decisions (1 to 1,000) that meet every filter given, from all tiers.

        `time_range` is (from, up to and not including), either None for open. `context_filter` is a
        part of the context; names that the context lacks are looked for in its `market`.

        Raises:
            InvalidInput: names the argument. Unavailable: a tier did not answer.
        """
        wanted = DecisionFilter(decision_type, time_range, success_filter, context_filter)
        page = await asyncio.to_thread(self.log.page, wanted, limit=limit, newest_first=newest_first)
        return [decision.as_dict() for decision in page.decisions]
