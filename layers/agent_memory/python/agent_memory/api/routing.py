"""Routes as data: each is declared once, beside its handler, for the function and for the OpenAPI document."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from agent_memory.api.body import read_object
from agent_memory.api.deployment import Deployment
from agent_memory.api.observability import percent, put
from agent_memory.api.query import Parameter, read_query
from agent_memory.api.replies import Reply
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.core import metric_names
from agent_memory.core.errors import AgentMemoryError
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.short_term import ShortTermMetrics

AGENT_PATH = "/v1/agents/{agent_id}"

_ROOMS_OF_MEMORY = frozenset({"memory", "cycles", "state"})

Method = Literal["DELETE", "GET", "POST", "PUT"]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What comes over HTTP, before anything is read from it; `path` holds the values of the path's names.

    `principal` is the ARN of the IAM principal that signed it.
    """

    path: Mapping[str, str]
    raw_query: str = ""
    body: str | None = None
    is_base64: bool = False
    principal: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a handler sees it: `query` holds a value for every parameter that its route declares."""

    deployment: Deployment
    path: Mapping[str, str]
    query: Mapping[str, Any]
    http: HttpRequest

    @property
    def decisions(self) -> DecisionLog:
        """The decision log of the agent that the path names."""
        return self.deployment.decision_log(self.path["agent_id"])

    @property
    def memory(self) -> MemoryManager:
        """The memory and the state of that agent."""
        writer, principal = self.query.get("writer"), self.http.principal
        return self.deployment.memory(self.path["agent_id"], writer=writer, principal=principal)

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; `InvalidInput` or `TooLarge` where it cannot be had."""
        return read_object(self.http.body, is_base64=self.http.is_base64)


Handler = Callable[[Request], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One route. `takes` and `gives` name models of the OpenAPI document, `refuses` the errors of its own.

    Every route may refuse unusable input, and may find a store unavailable.
    """

    method: Method
    path: str
    handler: Handler
    room: str
    gives: str
    takes: str | None
    query: tuple[Parameter, ...]
    statuses: tuple[HTTPStatus, ...]
    refuses: tuple[type[AgentMemoryError], ...]

    @property
    def name(self) -> str:
        """The handler's name, which is the client's for the same."""
        return self.handler.__name__

    @property
    def names(self) -> list[str]:
        """The names in its path."""
        return re.findall(r"{(\w+)}", self.path)

    def answer(self, deployment: Deployment, http: HttpRequest) -> Reply:
        """Parse, call the handler, and hand on its reply or what it raises."""
        request = Request(deployment, http.path, read_query(http.raw_query, self.query), http)
        if self.room not in _ROOMS_OF_MEMORY:
            return self.handler(request)
        memory = request.memory
        before = memory.short_term.metrics
        try:
            return self.handler(request)
        finally:
            _told_short_term(before, memory.short_term.metrics)


def _told_short_term(before: ShortTermMetrics, after: ShortTermMetrics) -> None:
    """Put how one request's reads of short-term memory went."""
    hits, misses = after.hits - before.hits, after.misses - before.misses
    if hits + misses:
        percent(metric_names.STM_HIT_RATE, hits / (hits + misses))
    if after.failures > before.failures:
        put(metric_names.STM_FAILURES, after.failures - before.failures)


@dataclass(frozen=True, slots=True)
class Room:
    """Routes that belong together, in the order in which they are looked up."""

    name: str
    description: str
    operations: list[Operation] = field(default_factory=list)

    def route(
        self,
        method: Method,
        path: str,
        *,
        gives: str,
        takes: str | None = None,
        query: tuple[Parameter, ...] = (),
        statuses: tuple[HTTPStatus, ...] = (HTTPStatus.OK,),
        refuses: tuple[type[AgentMemoryError], ...] = (),
    ) -> Callable[[Handler], Handler]:
        """Declare that a handler answers a path below the agent's. Its docstring is the route's description."""

        def declared(handler: Handler) -> Handler:
            operation = Operation(
                method=method,
                path=f"{AGENT_PATH}{path}",
                handler=handler,
                room=self.name,
                gives=gives,
                takes=takes,
                query=query,
                statuses=statuses,
                refuses=refuses,
            )
            self.operations.append(operation)
            return handler

        return declared
