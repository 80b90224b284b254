"""`AgentMemoryClient`: the decision log and memory of one agent over signed HTTP."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import httpx

from agent_memory.client.bodies import Batch, Repeatable, batches, json_text, repeatable_draft, repeatable_report
from agent_memory.client.cycle_calls import CycleCalls
from agent_memory.client.memory_calls import MemoryCalls
from agent_memory.client.requests import Requests, time_query
from agent_memory.client.signing import SigV4, region_of
from agent_memory.core.checks import check_integer
from agent_memory.core.clock import Instant
from agent_memory.core.errors import InvalidInput
from agent_memory.core.http_limits import MAX_BATCH
from agent_memory.core.ids import MAX_SHARDS, parse_decision_id
from agent_memory.core.json_values import Document
from agent_memory.core.names import check_agent_id, check_pools
from agent_memory.decisions.inputs import decision_input, outcome_item
from agent_memory.decisions.queries import DecisionFilter, SuccessFilter, TimeRange

_REQUESTS_AT_ONCE = 4


class AgentMemoryClient(MemoryCalls, CycleCalls):
    """Talks to a deployed API as one agent, with the methods of the direct classes.

    Use it as an async context manager, or call `aclose`; `Blocking` makes it one for callers without asyncio.

    Ids of decisions, and times of amendments, are made before the first attempt: what is sent again after a timeout is
    recognised. So requests are repeated, with exponential backoff and full jitter, where the connection fails or the
    API answers 429, 500, 502, 503 or 504; four attempts at most, within a minute.

    Args:
        base_url: the API's address up to, not including, `/v1`.
        agent_id: whose memory it is.
        session: a boto3 or botocore session whose credentials sign the requests; by default what boto3 finds.
        region: of the API; by default the one in its address, else the session's.
        pools: agent ids that stand for knowledge held in common, as `shared`; long-term memory is read from the agent's
            own and theirs together, as far as the credentials may, and written to one by `pool("shared")`.
        writer: who changes memories, the agent itself unless another is named.
        write_shards: as the deployment has it: over how many partitions new decisions are spread.
        transport: what carries the requests, for tests.
    """

    max_batch = MAX_BATCH

    def __init__(
        self,
        base_url: str,
        agent_id: str,
        *,
        session: Any = None,
        region: str | None = None,
        pools: Sequence[str] = (),
        writer: str | None = None,
        write_shards: int = 1,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if session is None:
            import boto3  # noqa: PLC0415  a caller with a session of its own never pays for it

            session = boto3.Session()
        self.agent_id = check_agent_id(agent_id)
        self.write_shards = check_integer("write_shards", write_shards, least=1, most=MAX_SHARDS)
        self.pools = check_pools(pools)
        auth = SigV4(session, region or region_of(base_url, session))
        self._http, *self._pools = (
            Requests(f"{base_url.rstrip('/')}/v1/agents/{one}/", auth, transport)
            for one in (self.agent_id, *self.pools)
        )
        self._writer = None if writer is None else check_agent_id(writer, "writer")
        self._like_this = partial(
            AgentMemoryClient, base_url, session=session, region=region, write_shards=write_shards, transport=transport
        )

    def pool(self, name: str) -> "AgentMemoryClient":
        """A client of one of the agent's pools, to be closed like this one; memories say that this agent wrote them.

        Raises:
            InvalidInput: it is none of the agent's pools.
        """
        if name not in self.pools:
            raise InvalidInput("name", f"{name!r:.80} is none of the agent's pools: {', '.join(self.pools) or 'none'}")
        return self._like_this(name, writer=self.agent_id)

    def __repr__(self) -> str:
        return f"AgentMemoryClient({self._http.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(http.aclose() for http in (self._http, *self._pools)))

    # --- decisions -----------------------------------------------------------------------------

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
        """Log one decision and return its id; see `DecisionLogger.log_decision`."""
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
        answer = await self._http.send("POST", "decisions", json_text(self._repeatable_draft(draft), "body"))
        return str(answer["decision_id"])

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log many decisions, a hundred a request; see `DecisionLogger.log_decisions`.

        Give each draft a `decision_id` to be able to repeat the call after `Unavailable`: some may have been logged.
        """
        return await self._in_batches("decisions", drafts, self._repeatable_draft)

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
        """Add what came of a decision; see `DecisionLogger.log_outcome`."""
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
        body = repeatable_report(report)
        del body["decision_id"]  # the path names it
        parse_decision_id(decision_id, "/decision_id")
        await self._http.send("POST", f"decisions/{decision_id}/outcome", json_text(body, "body"))

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add many outcomes, a hundred a request; see `DecisionLogger.log_outcomes`."""
        return await self._in_batches("outcomes", reports, repeatable_report)

    async def get_decision(self, decision_id: str) -> dict[str, Any]:
        """One decision with its outcomes; see `DecisionLogger.get_decision`."""
        parse_decision_id(decision_id)
        return await self._http.send("GET", f"decisions/{decision_id}")

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
        """Up to `limit` decisions that meet every filter, over as many pages as it takes; see `DecisionLogger`."""
        ask = partial(
            self.page_decisions,
            decision_type,
            time_range,
            success_filter,
            context_filter,
            context_type=context_type,
            newest_first=newest_first,
        )
        page = await ask(limit=limit)
        found = list(page["decisions"])
        while page["cursor"] is not None and len(found) < limit:
            page = await ask(limit=limit - len(found), cursor=page["cursor"])
            found += page["decisions"]
        return found

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
        """One page of such decisions; see `DecisionLogger.page_decisions`. It may end before `limit`, with a cursor."""
        # What the domain would refuse is refused here, under the names of this method's arguments.
        DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type).validated()
        query = {
            "decision_type": decision_type,
            **time_query(time_range),
            "success": None if success_filter is None else str(success_filter).lower(),
            "context": None if context_filter is None else json_text(context_filter, "context_filter"),
            "context_type": context_type,
            "limit": str(limit),
            "order": "newest" if newest_first else "oldest",
            "cursor": cursor,
        }
        return await self._http.send("GET", "decisions", query=query)

    async def get_decision_chain(self, decision_id: str, depth: int = 5) -> list[dict[str, Any]]:
        """What led to a decision and what came of it; see `DecisionLogger.get_decision_chain`."""
        parse_decision_id(decision_id)
        answer = await self._http.send("GET", f"decisions/{decision_id}/chain", query={"depth": str(depth)})
        return list(answer["chain"])

    async def analyze_decision_patterns(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        group_by: str = "context",
    ) -> dict[str, Any]:
        """Outcomes grouped by context, source, type or a path; see `DecisionLogger.analyze_decision_patterns`."""
        DecisionFilter(decision_type, time_range).validated()
        query = {"decision_type": decision_type, **time_query(time_range), "group_by": group_by}
        return await self._http.send("GET", "decisions/statistics", query=query)

    # --- inside --------------------------------------------------------------------------------

    def _repeatable_draft(self, draft: Any, path: str = "") -> dict[str, Any]:
        return repeatable_draft(draft, path, write_shards=self.write_shards)

    async def _in_batches(
        self, name: str, items: Sequence[Mapping[str, Any]], repeatable: Repeatable
    ) -> list[dict[str, Any]]:
        """Send items in as many requests as they need, a few at a time; each one's result, in order."""
        made, results = batches(name, items, repeatable)
        slots = asyncio.Semaphore(_REQUESTS_AT_ONCE)

        async def send(batch: Batch) -> dict[int, dict[str, Any]]:
            async with slots:
                told = await self._http.send("POST", f"{name}/batch", batch.body)
            return batch.placed(told["results"])

        # All end before an error is raised, so that nothing is still being written when the caller hears of it.
        for answered in await asyncio.gather(*map(send, made), return_exceptions=True):
            if isinstance(answered, BaseException):
                raise answered
            results |= answered
        return [results[place] for place in range(len(items))]
