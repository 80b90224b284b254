"""The HTTP API: each route parses, calls one domain function and shapes the reply."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeVar, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from agent_memory.clock import SystemClock
from agent_memory.decision_log import DecisionLog
from agent_memory.decision_queries import DecisionFilter
from agent_memory.decision_writing import ItemResult
from agent_memory.errors import AgentMemoryError, InvalidInput
from agent_memory.memories import LongTermMemory, ShortTermMemory
from agent_memory.service import metric_names
from agent_memory.service.http_errors import status_of
from agent_memory.service.observability import count, logger
from agent_memory.service.settings import FunctionSettings
from agent_memory.stores.base import Written
from agent_memory.stores.connections import Stores

MAX_BATCH = 100
_AGENT = "/v1/agents/<agent_id>"

app = APIGatewayHttpResolver()
Handler = TypeVar("Handler", bound=Callable[..., Response[str]])


def handles(kind: type[Exception]) -> Callable[[Handler], Handler]:
    """Powertools' own registration of an error handler, with its type kept."""
    return cast("Callable[[Handler], Handler]", app.exception_handler(kind))


@lru_cache(maxsize=1)
def stores() -> Stores:
    """The deployment's stores, opened at the first request and kept."""
    return FunctionSettings.from_environment().open_stores()


@lru_cache(maxsize=1024)
def decision_log(agent_id: str) -> DecisionLog:
    """An agent's decision log; kept, because it remembers what it has registered."""
    return DecisionLog(agent_id, stores())


# --- decisions -----------------------------------------------------------------------------------


@app.post(f"{_AGENT}/decisions")
def log_decision(agent_id: str) -> Response[str]:
    """Log one decision."""
    return _single(decision_log(agent_id).log_one(_body()), metric_names.DECISIONS_LOGGED)


@app.post(f"{_AGENT}/decisions/batch")
def log_decisions(agent_id: str) -> Response[str]:
    """Log up to a hundred decisions; each has its own result."""
    drafts = _batch("decisions")
    return _results(decision_log(agent_id).log(drafts), metric_names.DECISIONS_LOGGED, Written.CREATED)


@app.post(f"{_AGENT}/outcomes/batch")
def log_outcomes(agent_id: str) -> Response[str]:
    """Log up to a hundred outcomes; each has its own result."""
    reports = _batch("outcomes")
    return _results(decision_log(agent_id).record_outcomes(reports), metric_names.OUTCOMES_LOGGED, "recorded")


@app.post(f"{_AGENT}/decisions/<decision_id>/outcome")
def log_outcome(agent_id: str, decision_id: str) -> Response[str]:
    """Log what came of one decision."""
    report = {**_body(), "decision_id": decision_id}
    return _single(decision_log(agent_id).record_outcome(report), metric_names.OUTCOMES_LOGGED)


@app.get(f"{_AGENT}/decisions/<decision_id>")
def get_decision(agent_id: str, decision_id: str) -> Response[str]:
    """One decision."""
    return _reply(HTTPStatus.OK, decision_log(agent_id).get(decision_id).as_dict())


@app.get(f"{_AGENT}/decisions")
def query_decisions(agent_id: str) -> Response[str]:
    """Decisions that match, a page at a time."""
    query = app.current_event
    start, end = query.get_query_string_value("start"), query.get_query_string_value("end")
    wanted = DecisionFilter(
        decision_type=query.get_query_string_value("decision_type"),
        time_range=(start, end),
        success=_choice("success", {"true": True, "false": False, "pending": "pending", None: None}),
        context=_json_object("context"),
        context_type=query.get_query_string_value("context_type"),
    )
    page = decision_log(agent_id).page(
        wanted,
        limit=_integer("limit", 100),
        newest_first=_choice("order", {"newest": True, "oldest": False, None: True}),
        cursor=query.get_query_string_value("cursor"),
    )
    return _reply(HTTPStatus.OK, page.as_dict())


# --- memory --------------------------------------------------------------------------------------


@app.put(f"{_AGENT}/memory/stm/<key>")
def store_stm(agent_id: str, key: str) -> Response[str]:
    """Keep a value for a while."""
    body = _body()
    _require(body, "data", "ttl_seconds")
    ShortTermMemory(agent_id, stores().short_term).put(key, body["data"], body["ttl_seconds"])
    return _reply(HTTPStatus.OK, {"key": key})


@app.get(f"{_AGENT}/memory/stm/<key>")
def retrieve_stm(agent_id: str, key: str) -> Response[str]:
    """A value, null once it has vanished."""
    return _reply(HTTPStatus.OK, {"key": key, "data": ShortTermMemory(agent_id, stores().short_term).get(key)})


@app.put(f"{_AGENT}/memory/ltm/<memory_type>/<pattern_id>")
def store_ltm(agent_id: str, memory_type: str, pattern_id: str) -> Response[str]:
    """Store a memory, or its next version."""
    memory = LongTermMemory(agent_id, stores().memories, SystemClock()).put(memory_type, pattern_id, _body())
    return _reply(HTTPStatus.OK, memory.as_dict())


@app.get(f"{_AGENT}/memory/ltm/<memory_type>")
def retrieve_ltm(agent_id: str, memory_type: str) -> Response[str]:
    """Memories that match, most confident first."""
    found = LongTermMemory(agent_id, stores().memories, SystemClock()).find(memory_type, _json_object("filters"))
    return _reply(HTTPStatus.OK, {"memories": [memory.as_dict() for memory in found]})


# --- errors --------------------------------------------------------------------------------------


@handles(AgentMemoryError)
def told(error: AgentMemoryError) -> Response[str]:
    """An error that the caller can do something about."""
    return _reply(status_of(error), {"error": error.as_dict()})


@handles(NotFoundError)
def no_route(_: NotFoundError) -> Response[str]:
    """A path that is none of ours."""
    where = f"{app.current_event.http_method} {app.current_event.path}"
    return _reply(HTTPStatus.NOT_FOUND, {"error": {"code": "no_route", "message": f"there is no {where}"}})


@handles(Exception)
def untold(_: Exception) -> Response[str]:
    """Anything else: the log has the trace, the caller has the request id to ask for it by."""
    logger.exception("unexpected error")
    request_id = app.lambda_context.aws_request_id
    error = {"code": "internal", "message": "unexpected error", "request_id": request_id}
    return _reply(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": error})


# --- parsing and shaping ---------------------------------------------------------------------------


def _body() -> dict[str, Any]:
    try:
        body = json.loads(app.current_event.decoded_body or "", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise InvalidInput("body", f"expected a JSON object, got {type(body).__name__}")
    return body


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _batch(name: str) -> list[dict[str, Any]]:
    body = _body()
    _require(body, name)
    items = body[name]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_BATCH:
        raise InvalidInput(f"/{name}", f"expected a list of 1 to {MAX_BATCH} objects")
    return items


def _require(body: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if name not in body:
            raise InvalidInput(f"/{name}", "is missing")


def _integer(name: str, default: int) -> int:
    value = app.current_event.get_query_string_value(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit():
        raise InvalidInput(name, f"{value!r:.40} is not a whole number")
    return int(value)


def _choice(name: str, choices: Mapping[str | None, Any]) -> Any:
    value = app.current_event.get_query_string_value(name)
    if value not in choices:
        raise InvalidInput(name, f"{value!r:.40} is none of {', '.join(c for c in choices if c)}")
    return choices[value]


def _json_object(name: str) -> dict[str, Any] | None:
    value = app.current_event.get_query_string_value(name)
    if value is None:
        return None
    try:
        parsed = json.loads(value, parse_constant=_no_constant)
    except ValueError as error:
        raise InvalidInput(name, f"not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise InvalidInput(name, "expected a JSON object")
    return parsed


def _single(result: ItemResult, metric: str) -> Response[str]:
    is_new = result.status is Written.CREATED
    count(metric, 1 if is_new else 0)
    status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return _reply(status, {"decision_id": result.decision_id, "status": result.status})


def _results(results: list[ItemResult], metric: str, created: str) -> Response[str]:
    count(metric, sum(1 for result in results if result.status is Written.CREATED))
    return _reply(HTTPStatus.OK, {"results": [result.as_dict(created) for result in results]})


def _reply(status: int, body: Mapping[str, Any]) -> Response[str]:
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    return Response(status_code=int(status), content_type="application/json", body=text)
