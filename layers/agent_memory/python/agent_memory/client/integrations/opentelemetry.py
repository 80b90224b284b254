"""OpenTelemetry: `instrument` records spans of memory operations and decisions, and outcomes as evaluation events.

Names are those of the GenAI semantic conventions, whose memory attributes are in no package yet. The store of an
operation is the agent whose memory it is, a record `TYPE/pattern_id`. Needs the API of OpenTelemetry alone; nothing is
recorded unless the program configures its SDK.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider, LogRecord, get_logger
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TracerProvider

from agent_memory.client.facade import AsyncFacade, SyncFacade
from agent_memory.core.errors import AgentMemoryError, InvalidInput

_NAME = "agent_memory"
_REMEMBERED_DECISIONS = 10_000

OPERATION = "gen_ai.operation.name"
AGENT = "gen_ai.agent.id"
STORE = "gen_ai.memory.store.id"
RECORD = "gen_ai.memory.record.id"
COUNT = "gen_ai.memory.record.count"
QUERY = "gen_ai.memory.query.text"
RECORDS = "gen_ai.memory.records"
EVALUATION = "gen_ai.evaluation.result"
DECISION = "agent_memory.decision.id"
DECISION_TYPE = "agent_memory.decision.type"
PARENTS = "agent_memory.decision.parent_ids"

_RECORD_OPERATIONS = {
    "store_ltm": "upsert_memory",
    "update_ltm_confidence": "update_memory",
    "delete_ltm": "delete_memory",
    "get_ltm": "search_memory",
}
"""Operations on one record, whose first arguments are its type and id."""
_SEARCHES = ("retrieve_ltm", "recall")


def instrument(
    *objects: AsyncFacade | SyncFacade,
    tracer_provider: TracerProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    capture_content: bool = False,
) -> None:
    """Record the calls of decision loggers, memory managers and clients, and of their `.sync`, from now on.

    Doing it again changes nothing. What `pool` returns is instrumented by itself. A decision keeps the ids of its trace
    and span in `metadata["trace"]`, unless the caller names its id: a repeated call has to be the same record.

    Args:
        objects: what to record.
        tracer_provider: by default the global one.
        logger_provider: of the events, by default the global one.
        capture_content: also record the queries and the records that were found. They may hold personal data.

    Raises:
        InvalidInput: an object is none of these.
    """
    telemetry = _Telemetry(
        trace.get_tracer(_NAME, tracer_provider=tracer_provider),
        get_logger(_NAME, logger_provider=logger_provider),
        capture_content,
    )
    for one in objects:
        if not isinstance(one, AsyncFacade | SyncFacade):
            raise InvalidInput("objects", f"expected a logger, a memory manager or a client, got {type(one).__name__}")
        for backend in {id(part): part for part in _backends(one)}.values():
            telemetry.wrap(backend)


def _backends(one: Any) -> Iterator[Any]:
    """What answers the calls of an object; a buffered logger's are answered by its buffer."""
    for name in ("_decisions", "_memory"):
        backend = getattr(one, name, None)
        if backend is not None:
            yield getattr(backend, "buffer", backend)


class _Telemetry:
    """Wraps the methods of backends."""

    def __init__(self, tracer: trace.Tracer, logger: Any, capture_content: bool) -> None:
        self._tracer = tracer
        self._logger = logger
        self._captures = capture_content
        self._spans: OrderedDict[str, SpanContext] = OrderedDict()

    def wrap(self, backend: Any) -> None:
        """Replace the methods of one backend, unless they are replaced already."""
        agent_id = backend.agent_id
        wrappers: dict[str, Callable[[Any], Any]] = {
            **{name: self._record(agent_id, operation) for name, operation in _RECORD_OPERATIONS.items()},
            **dict.fromkeys(_SEARCHES, self._search(agent_id)),
            **dict.fromkeys(("log_decision", "add_decision"), self._decision(agent_id)),
            **dict.fromkeys(("log_outcome", "add_outcome"), self._outcome(agent_id)),
        }
        for name, wrapper in wrappers.items():
            method = getattr(backend, name, None)
            if method is not None and name not in vars(backend):
                setattr(backend, name, wraps(method)(wrapper(method)))

    def _record(self, agent_id: str, operation: str) -> Callable[[Any], Any]:
        def wrapper(method: Any) -> Any:
            def call(memory_type: Any, pattern_id: Any, *arguments: Any, **options: Any) -> Any:
                with self._span(operation, agent_id, {RECORD: f"{memory_type}/{pattern_id}"}) as span:
                    result = method(memory_type, pattern_id, *arguments, **options)
                    span.set_attribute(COUNT, 1)
                    return result

            return call

        return wrapper

    def _search(self, agent_id: str) -> Callable[[Any], Any]:
        def wrapper(method: Any) -> Any:
            def call(query: Any, *arguments: Any, **options: Any) -> Any:
                with self._span("search_memory", agent_id, {}) as span:
                    found = method(query, *arguments, **options)
                    span.set_attribute(COUNT, len(found))
                    if self._captures:
                        span.set_attribute(QUERY, str(getattr(query, "text", query)))
                        span.set_attribute(RECORDS, json.dumps(list(found), default=str))
                    return found

            return call

        return wrapper

    def _decision(self, agent_id: str) -> Callable[[Any], Any]:
        def wrapper(method: Any) -> Any:
            def call(data: Mapping[str, Any]) -> Any:
                kind, parents = str(data.get("decision_type")), [str(one) for one in data.get("parent_ids") or ()]
                links = [Link(self._spans[one]) for one in parents if one in self._spans]
                own = {AGENT: agent_id, DECISION_TYPE: kind, **({PARENTS: parents} if parents else {})}
                with self._started(f"record_decision {kind}", own, links) as span:
                    decision_id = method(_with_trace(data, span.get_span_context()))
                    span.set_attribute(DECISION, decision_id)
                    self._remember(decision_id, span.get_span_context())
                    return decision_id

            return call

        return wrapper

    def _outcome(self, agent_id: str) -> Callable[[Any], Any]:
        def wrapper(method: Any) -> Any:
            def call(data: Mapping[str, Any]) -> Any:
                result = method(data)
                decision_id, success = str(data["decision_id"]), bool(data["success"])
                attributes = {
                    "gen_ai.evaluation.name": data.get("horizon") or "outcome",
                    "gen_ai.evaluation.score.value": float(success),
                    "gen_ai.evaluation.score.label": "pass" if success else "fail",
                    AGENT: agent_id,
                    DECISION: decision_id,
                }
                judged = self._spans.get(decision_id)
                context = None if judged is None else trace.set_span_in_context(trace.NonRecordingSpan(judged))
                self._logger.emit(LogRecord(event_name=EVALUATION, attributes=attributes, context=context))
                return result

            return call

        return wrapper

    @contextmanager
    def _span(self, operation: str, agent_id: str, attributes: dict[str, Any]) -> Iterator[Span]:
        own = {OPERATION: operation, STORE: agent_id, **attributes}
        with self._started(operation, own, []) as span:
            yield span

    @contextmanager
    def _started(self, name: str, attributes: dict[str, Any], links: list[Link]) -> Iterator[Span]:
        """A span that says by its error's code why an operation failed; an error's text may hold content."""
        start = self._tracer.start_as_current_span
        options: dict[str, Any] = {"record_exception": False, "set_status_on_exception": False}
        with start(name, kind=SpanKind.CLIENT, attributes=attributes, links=links, **options) as span:
            try:
                yield span
            except Exception as error:
                code = error.code if isinstance(error, AgentMemoryError) else type(error).__qualname__
                span.set_attribute("error.type", code)
                span.set_status(Status(StatusCode.ERROR))
                raise

    def _remember(self, decision_id: str, context: SpanContext) -> None:
        """Remember a decision's span for the links and events of those that refer to it, as long as there is room."""
        self._spans[decision_id] = context
        while len(self._spans) > _REMEMBERED_DECISIONS:
            self._spans.popitem(last=False)


def _with_trace(data: Mapping[str, Any], context: SpanContext) -> Mapping[str, Any]:
    metadata = data.get("metadata")
    if not context.is_valid or data.get("decision_id") is not None or not isinstance(metadata, Mapping | None):
        return data
    ids = {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}
    return {**data, "metadata": {"trace": ids, **(metadata or {})}}
