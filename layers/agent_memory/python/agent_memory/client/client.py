"""`AgentMemoryClient`: the decision log and memory of one agent over signed HTTP."""

import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx

from agent_memory.client.signing import SigV4
from agent_memory.clock import Instant, parse_instant, to_iso
from agent_memory.decision_queries import TimeRange
from agent_memory.errors import AgentMemoryError, Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from agent_memory.keys import check_agent_id
from agent_memory.models import Document
from agent_memory.retention import CONTEXT_SECONDS

_TIMEOUT_SECONDS = 30
_CONNECTION_RETRIES = 3


class AgentMemoryClient:
    """Talks to a deployed API as one agent. Use it as an async context manager, or call `aclose`.

    `base_url` is the API's address up to, not including, `/v1`. Requests are signed with the
    credentials of `session` (a boto3 or botocore session; by default what boto3 finds).
    """

    def __init__(
        self,
        base_url: str,
        agent_id: str,
        *,
        session: Any = None,
        region: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if session is None:
            import boto3  # noqa: PLC0415  a caller with a session of its own never pays for it

            session = boto3.Session()
        self.agent_id = check_agent_id(agent_id)
        self._http = httpx.AsyncClient(
            base_url=f"{base_url.rstrip('/')}/v1/agents/{self.agent_id}/",
            auth=SigV4(session, region or getattr(session, "region_name", None) or "us-east-1"),
            timeout=_TIMEOUT_SECONDS,
            transport=transport or httpx.AsyncHTTPTransport(retries=_CONNECTION_RETRIES),
        )

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
    ) -> str:
        """Log one decision and return its id; see `DecisionLogger.log_decision`."""
        draft: dict[str, Any] = {"decision_type": decision_type, "context": context, "reasoning": reasoning}
        optional = {"metadata": metadata, "decision_id": decision_id, "timestamp": _iso(timestamp)}
        draft |= {name: value for name, value in optional.items() if value is not None}
        answer = await self._send("POST", "decisions", draft)
        return str(answer["decision_id"])

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log up to a hundred decisions; each has its own result: `decision_id`, `status`, maybe `error`."""
        return list((await self._send("POST", "decisions/batch", {"decisions": list(drafts)}))["results"])

    async def log_outcome(
        self, decision_id: str, outcome: Document, success: bool, metrics: Document | None = None
    ) -> None:
        """Add what came of a decision; see `DecisionLogger.log_outcome`."""
        body = {"outcome": outcome, "success": success, "metrics": metrics or {}}
        await self._send("POST", f"decisions/{_segment(decision_id)}/outcome", body)

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add up to a hundred outcomes; each has its own result: `decision_id`, `status`, maybe `error`."""
        return list((await self._send("POST", "outcomes/batch", {"outcomes": list(reports)}))["results"])

    async def get_decision(self, decision_id: str) -> dict[str, Any]:
        """One decision; see `DecisionLogger.get_decision`."""
        return await self._send("GET", f"decisions/{_segment(decision_id)}")

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
        """Decisions that meet every filter; see `DecisionLogger.query_decisions`."""
        start, end = time_range or (None, None)
        query = {
            "decision_type": decision_type,
            "start": _iso(start),
            "end": _iso(end),
            "success": None if success_filter is None else str(success_filter).lower(),
            "context": None if context_filter is None else json.dumps(context_filter),
            "limit": str(limit),
            "order": "newest" if newest_first else "oldest",
        }
        return list((await self._send("GET", "decisions", query=query))["decisions"])

    # --- memory --------------------------------------------------------------------------------

    async def store_stm(self, key: str, data: Any, ttl_seconds: int = CONTEXT_SECONDS) -> None:
        """Keep a JSON value for a while; see `MemoryManager.store_stm`."""
        await self._send("PUT", f"memory/stm/{_segment(key)}", {"data": data, "ttl_seconds": ttl_seconds})

    async def retrieve_stm(self, key: str) -> Any | None:
        """The value under a key, or None once it has vanished."""
        return (await self._send("GET", f"memory/stm/{_segment(key)}"))["data"]

    async def store_ltm(self, memory_type: str, pattern_id: str, data: Document) -> dict[str, Any]:
        """Store a memory, or its next version; see `MemoryManager.store_ltm`."""
        return await self._send("PUT", f"memory/ltm/{_segment(memory_type)}/{_segment(pattern_id)}", data)

    async def retrieve_ltm(self, memory_type: str, filters: Document | None = None) -> list[dict[str, Any]]:
        """Memories of a type that meet every filter; see `MemoryManager.retrieve_ltm`."""
        query = {"filters": None if filters is None else json.dumps(filters)}
        return list((await self._send("GET", f"memory/ltm/{_segment(memory_type)}", query=query))["memories"])

    # --- inside --------------------------------------------------------------------------------

    async def _send(
        self, method: str, path: str, body: Document | None = None, *, query: Mapping[str, str | None] | None = None
    ) -> dict[str, Any]:
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        # Signatures know a space as %20 only; httpx's own encoding would write a plus sign.
        target = f"{path}?{urlencode(asked, quote_via=quote)}" if asked else path
        try:
            content = None if body is None else json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise InvalidInput("body", f"not JSON: {error}") from error
        headers = {} if content is None else {"content-type": "application/json"}
        try:
            answer = await self._http.request(method, target, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(f"the API did not answer: {type(error).__name__}") from error
        if answer.is_success:
            return dict(answer.json())
        raise _error_of(answer)


def _error_of(answer: httpx.Response) -> AgentMemoryError:
    told = _told(answer)
    message = str(told.get("message", f"the API answered {answer.status_code}"))
    match answer.status_code:
        case httpx.codes.BAD_REQUEST if "field" in told:
            field = str(told["field"])
            return InvalidInput(field, message.removeprefix(f"{field}: "))
        case httpx.codes.BAD_REQUEST:
            return InvalidInput("request", message)
        case httpx.codes.FORBIDDEN:
            return Forbidden(f"{answer.request.method} {answer.request.url.path}: {message}")
        case httpx.codes.NOT_FOUND:
            return NotFound(message)
        case httpx.codes.CONFLICT:
            return Conflict(message)
    request_id = told.get("request_id")
    return Unavailable(message + (f" (request {request_id})" if request_id else ""))


def _told(answer: httpx.Response) -> dict[str, Any]:
    """What the answer's body says of the error: ours has an object `error`, the gateway's a `message`."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    error = body.get("error")
    return error if isinstance(error, dict) else body


def _segment(value: str) -> str:
    return quote(str(value), safe="")


def _iso(moment: Instant | None) -> str | None:
    return None if moment is None else to_iso(parse_instant(moment))
