"""`AgentMemoryClient`: the decision log and memory of one agent over signed HTTP."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from agent_memory.client.memory_calls import MemoryCalls
from agent_memory.client.requests import Requests, iso, segment, time_query
from agent_memory.client.signing import SigV4
from agent_memory.clock import Instant, SystemClock, parse_instant, to_iso
from agent_memory.codec import check
from agent_memory.decision_drafts import decision_draft, outcome_report
from agent_memory.decision_queries import SuccessFilter, TimeRange
from agent_memory.errors import AgentMemoryError, InvalidInput
from agent_memory.http_limits import MAX_BATCH
from agent_memory.ids import new_decision_id
from agent_memory.keys import check_agent_id
from agent_memory.models import Document

_REQUESTS_AT_ONCE = 4


class AgentMemoryClient(MemoryCalls):
    """Talks to a deployed API as one agent, with the methods of the direct classes.

    Use it as an async context manager, or call `aclose`; `Blocking` makes it one for callers without asyncio.

    Ids of decisions, and times of amendments, are made before the first attempt: what is sent again after a timeout is
    recognised. So requests are repeated, with exponential backoff and full jitter, where the connection fails or the
    API answers 429, 500, 502, 503 or 504; four attempts at most, within a minute.

    Args:
        base_url: the API's address up to, not including, `/v1`.
        agent_id: whose memory it is.
        session: a boto3 or botocore session whose credentials sign the requests; by default what boto3 finds.
        region: of the API; by default the session's.
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
        write_shards: int = 1,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if session is None:
            import boto3  # noqa: PLC0415  a caller with a session of its own never pays for it

            session = boto3.Session()
        self.agent_id = check_agent_id(agent_id)
        self.write_shards = write_shards
        self._http = Requests(
            f"{base_url.rstrip('/')}/v1/agents/{self.agent_id}/",
            SigV4(session, region or getattr(session, "region_name", None) or "us-east-1"),
            transport,
        )

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
        await self._http.aclose()

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
        draft = decision_draft(
            decision_type,
            context,
            reasoning,
            metadata=metadata,
            decision_id=decision_id,
            timestamp=timestamp,
            parent_ids=parent_ids,
            memory_ids=memory_ids,
        )
        answer = await self._http.send("POST", "decisions", self._repeatable_draft(draft))
        return str(answer["decision_id"])

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log many decisions, a hundred a request; see `DecisionLogger.log_decisions`."""
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
        report = outcome_report(
            decision_id,
            outcome,
            success,
            metrics=metrics,
            horizon=horizon,
            amend=amend,
            headline=headline,
            timestamp=timestamp,
        )
        body = {name: value for name, value in _repeatable_report(report).items() if name != "decision_id"}
        await self._http.send("POST", f"decisions/{segment(decision_id)}/outcome", body)

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add many outcomes, a hundred a request; see `DecisionLogger.log_outcomes`."""
        return await self._in_batches("outcomes", reports, _repeatable_report)

    async def get_decision(self, decision_id: str) -> dict[str, Any]:
        """One decision with its outcomes; see `DecisionLogger.get_decision`."""
        return await self._http.send("GET", f"decisions/{segment(decision_id)}")

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
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self.page_decisions(
                decision_type,
                time_range,
                success_filter,
                context_filter,
                limit - len(found),
                context_type=context_type,
                newest_first=newest_first,
                cursor=cursor,
            )
            found += page["decisions"]
            cursor = page["cursor"]
            if cursor is None or len(found) >= limit:
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
        success = str(success_filter).lower() if isinstance(success_filter, bool) else success_filter
        query = {
            "decision_type": decision_type,
            **time_query(time_range),
            "success": success,
            "context": None if context_filter is None else json.dumps(context_filter),
            "context_type": context_type,
            "limit": str(limit),
            "order": "newest" if newest_first else "oldest",
            "cursor": cursor,
        }
        return await self._http.send("GET", "decisions", query=query)

    async def get_decision_chain(self, decision_id: str, depth: int = 5) -> list[dict[str, Any]]:
        """What led to a decision and what came of it; see `DecisionLogger.get_decision_chain`."""
        answer = await self._http.send("GET", f"decisions/{segment(decision_id)}/chain", query={"depth": str(depth)})
        return list(answer["chain"])

    async def analyze_decision_patterns(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        group_by: str = "context",
    ) -> dict[str, Any]:
        """Outcomes grouped by context, source, type or a path; see `DecisionLogger.analyze_decision_patterns`."""
        query = {"decision_type": decision_type, **time_query(time_range), "group_by": group_by}
        return await self._http.send("GET", "decisions/statistics", query=query)

    # --- inside --------------------------------------------------------------------------------

    def _repeatable_draft(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        """The draft with an id of its own where it has none; what cannot have one is left to the API to refuse."""
        body = _checked(draft, "context", "reasoning", "metadata")
        if body.get("decision_id") is None and isinstance(body.get("decision_type"), str):
            at_ms = parse_instant(body["timestamp"]) if "timestamp" in body else SystemClock().now_ms()
            kind = body["decision_type"]
            body["decision_id"] = new_decision_id(kind, at_ms, write_shards=self.write_shards)
        return body

    async def _in_batches(
        self,
        name: str,
        items: Sequence[Mapping[str, Any]],
        repeatable: Callable[[Mapping[str, Any]], dict[str, Any]],
    ) -> list[dict[str, Any]]:
        """Send items a hundred a request, a few requests at a time; each one's result, in order."""
        results: dict[int, dict[str, Any]] = {}
        bodies: dict[int, dict[str, Any]] = {}
        for place, item in enumerate(items):
            try:
                bodies[place] = repeatable(item)
            except InvalidInput as error:
                results[place] = {"decision_id": None, "status": "invalid", "error": error.as_dict()}
        slots = asyncio.Semaphore(_REQUESTS_AT_ONCE)

        async def send(places: Sequence[int]) -> None:
            async with slots:
                told = await self._http.send("POST", f"{name}/batch", {name: [bodies[place] for place in places]})
            results.update(zip(places, told["results"], strict=True))

        ready = list(bodies)
        try:
            async with asyncio.TaskGroup() as group:
                for at in range(0, len(ready), MAX_BATCH):
                    group.create_task(send(ready[at : at + MAX_BATCH]))
        except* AgentMemoryError as errors:
            failed = errors.exceptions[0]
        else:
            return [results[place] for place in range(len(items))]
        raise failed


def _repeatable_report(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report with a time of its own where it amends: by that a repeated amendment is told from a new one."""
    body = _checked(report, "outcome", "metrics")
    if body.get("amend") and "timestamp" not in body:
        body["timestamp"] = to_iso(SystemClock().now_ms())
    return body


def _checked(given: Mapping[str, Any], *documents: str) -> dict[str, Any]:
    """What was handed in, as JSON can carry it: JSON itself would turn keys that are no text into such."""
    body = dict(given)
    for name in documents:
        if isinstance(body.get(name), Mapping):
            check(body[name], f"/{name}")
    if body.get("timestamp") is None:
        body.pop("timestamp", None)
    else:
        body["timestamp"] = iso(body["timestamp"], "/timestamp")
    return body
