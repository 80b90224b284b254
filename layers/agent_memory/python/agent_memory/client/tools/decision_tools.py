"""Tools of the decision log."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from agent_memory.client.tools.access import AgentAccess
from agent_memory.client.tools.results import (
    LoggedDecision,
    RecalledDecision,
    RecalledList,
    RecalledReport,
    RecordedOutcome,
    SimilarSituations,
)
from agent_memory.core.fields import strict
from agent_memory.decisions.queries import SuccessFilter
from agent_memory.model.listings import Listing

DecisionId = Annotated[str, Field(description="As record_decision returned it")]
DecisionTypeName = Annotated[str, Field(description="In capitals, as TRADE, QUERY or SIGNAL_GENERATION")]
Start = Annotated[str | None, Field(description="From this time on; ISO 8601 with an offset")]
End = Annotated[str | None, Field(description="Before this time; ISO 8601 with an offset")]
Success = Annotated[
    Literal["succeeded", "failed", "pending"] | None, Field(description="By the headline outcome; pending has none")
]
KnownAt = Annotated[str | None, Field(description="Only with what was known at this time; ISO 8601 with an offset")]
_SUCCESS: dict[str | None, SuccessFilter] = {"succeeded": True, "failed": False, "pending": "pending", None: None}


@strict
class LogWith(TypedDict, total=False):
    """How a decision was chosen, and the memories that it is based on."""

    memory_ids: Sequence[str]
    policy: str | None
    policy_version: str | None
    propensity: float | None
    joint_propensity: float | None


class DecisionTools:
    """Record, find and judge the decisions of the server's agent."""

    def __init__(self, access: AgentAccess) -> None:
        self._log = access.log
        self._memory = access.memory

    async def record_decision(
        self,
        decision_type: DecisionTypeName,
        context: Annotated[dict[str, Any], Field(description="The situation; statistics group by its `market`")],
        reasoning: Annotated[dict[str, Any], Field(description="What was chosen, and why")],
        metadata: Annotated[dict[str, Any] | None, Field(description="Other data")] = None,
        decision_id: Annotated[
            str | None, Field(description="The id of a call that is repeated; by default a new one")
        ] = None,
        parent_ids: Annotated[Sequence[str], Field(description="Earlier decisions that led to this one")] = (),
        memory_ids: Annotated[Sequence[str], Field(description="Memories that it is based on")] = (),
        log_with: Annotated[LogWith | None, Field(description="What `advise` returned under this name")] = None,
    ) -> LoggedDecision:
        """Record a decision before acting on it. It cannot be changed; record_outcome adds what came of it."""
        links: dict[str, Any] = {"decision_id": decision_id, "parent_ids": parent_ids, "memory_ids": memory_ids}
        logged = await self._log.log_decision(
            decision_type, context, reasoning, metadata, **{**links, **(log_with or {})}
        )
        return LoggedDecision(decision_id=logged)

    async def record_outcome(
        self,
        decision_id: DecisionId,
        outcome: Annotated[dict[str, Any], Field(description="What happened")],
        success: Annotated[bool, Field(description="Whether the decision succeeded")],
        metrics: Annotated[dict[str, Any] | None, Field(description="Measurements, as pnl or latency_ms")] = None,
        horizon: Annotated[str | None, Field(description="When it was judged, as 1h or exit")] = None,
        amend: Annotated[bool, Field(description="Replace a different outcome, which is kept")] = False,
    ) -> RecordedOutcome:
        """Record what came of a decision, once for each horizon. The same outcome again changes nothing."""
        await self._log.log_outcome(decision_id, outcome, success, metrics, horizon=horizon, amend=amend)
        return RecordedOutcome(decision_id=decision_id, horizon=horizon)

    async def get_decision(self, decision_id: DecisionId) -> RecalledDecision:
        """One decision with its outcomes, also from the archive."""
        return RecalledDecision(decision=dict(await self._log.get_decision(decision_id)))

    async def search_decisions(
        self,
        decision_type: DecisionTypeName | None = None,
        start: Start = None,
        end: End = None,
        success: Success = None,
        context: Annotated[
            dict[str, Any] | None, Field(description="A part of the context, as {'symbol': 'X'}")
        ] = None,
        limit: Annotated[int, Field(ge=1, le=1000)] = 20,
        cursor: Annotated[str | None, Field(description="The cursor of the result before")] = None,
    ) -> RecalledList:
        """Decisions that meet every filter, newest first."""
        page = await self._log.page_decisions(
            decision_type, (start, end), _SUCCESS[success], context, limit, cursor=cursor
        )
        return RecalledList.of(Listing.from_body(page, "decisions"))

    async def find_similar_decisions(
        self,
        context: Annotated[dict[str, Any], Field(description="The situation now, as decisions record it")],
        decision_type: DecisionTypeName | None = None,
        limit: Annotated[int, Field(ge=1, le=1000)] = 10,
        min_similarity: Annotated[float, Field(ge=0, le=1, description="The least similarity")] = 0.5,
        start: Start = None,
        end: End = None,
        as_of: KnownAt = None,
    ) -> SimilarSituations:
        """Earlier decisions in a like situation, the most similar first, with what came of them and the base rate.

        Facts are compared as they are, numbers by how much they usually differ. Of the last 88 days, unless start says.
        """
        time_range = None if start is None and end is None else (start, end)
        found = await self._memory.similar(
            context,
            decision_type,
            top_k=limit,
            min_similarity=min_similarity,
            as_of=as_of,
            time_range=time_range,
        )
        return SimilarSituations.of(found)

    async def get_decision_chain(
        self, decision_id: DecisionId, depth: Annotated[int, Field(ge=1, le=50)] = 5
    ) -> RecalledList:
        """The decisions that led to a decision and those that followed from it."""
        return RecalledList.of(await self._log.get_decision_chain(decision_id, depth))

    async def get_decision_stats(
        self,
        decision_type: DecisionTypeName | None = None,
        start: Start = None,
        end: End = None,
        group_by: Annotated[str, Field(description="context, source, type, or a path as reasoning.action")] = "context",
    ) -> RecalledReport:
        """Counts, success rates with their 95 % intervals, latency and quality of decisions, by group."""
        statistics = await self._log.analyze_decision_patterns(decision_type, (start, end), group_by)
        return RecalledReport(figures=statistics)
