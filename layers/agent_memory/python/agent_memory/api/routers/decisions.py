"""Routes of the decision log: each calls one domain function and shapes the reply."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from agent_memory.api import deployment
from agent_memory.api.http import READ_DIRECTLY, json_response, json_text, parse_object, text_response
from agent_memory.api.observability import logger, metrics
from agent_memory.api.parameters import AgentId, DecisionId, End, Start, json_query
from agent_memory.api.router import NEW_OR_KNOWN, Router
from agent_memory.api.schemas.decisions import (
    DecisionBatch,
    DecisionChain,
    DecisionPage,
    DecisionResults,
    DecisionStatistics,
    LoggedDecision,
    LoggedOutcome,
    OutcomeBatch,
    OutcomeResults,
)
from agent_memory.core import metric_names
from agent_memory.core.checks import check_length
from agent_memory.core.errors import Conflict, NotFound, TooLarge
from agent_memory.core.http_limits import MAX_BATCH, MAX_ESCAPED_BYTES, escaped_size
from agent_memory.decisions.chains import MAX_DEPTH
from agent_memory.decisions.inputs import DecisionInput, OutcomeInput
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import MAX_PAGE, DecisionFilter, Page, make_cursor
from agent_memory.decisions.writer import ItemResult
from agent_memory.model.decisions import DecisionDict
from agent_memory.ports.decisions import WriteStatus

router = Router("decisions", "What an agent decided, why, and with what outcome.")

# Beside a page's decisions: its names and its cursor.
_PAGE_FRAME_BYTES = 1_024
_SUCCESS: Mapping[str | None, bool | Literal["pending"] | None] = {
    "true": True,
    "false": False,
    "pending": "pending",
    None: None,
}

Type = Annotated[str | None, Query(description="Only decisions of this type; by default all")]


@router.operation("POST", "/decisions", LoggedDecision, statuses=NEW_OR_KNOWN, errors=(Conflict,))
def log_decision(agent_id: AgentId, body: Annotated[DecisionInput, Body()]) -> Response[str]:
    """Log one decision.

    Send a `decision_id` of your own, made by the library, to be able to repeat the request: the same decision again is
    `unchanged` (200), other content under the same id is refused (409).
    """
    started = time.perf_counter()
    result = _log(agent_id).log_one(body)
    _count_logged([body], [result], time.perf_counter() - started)
    return _single(result, "created")


@router.operation("POST", "/decisions/batch", DecisionResults)
def log_decisions(agent_id: AgentId, body: Annotated[DecisionBatch, Body()]) -> Response[str]:
    """Log up to a hundred decisions.

    Each has its own result, in order; one that cannot be stored does not affect the others.
    """
    decisions, started = check_length("/decisions", body["decisions"], MAX_BATCH), time.perf_counter()
    results = _log(agent_id).log(decisions)
    _count_logged(decisions, results, time.perf_counter() - started)
    return json_response({"results": [result.as_dict("created") for result in results]})


@router.operation("POST", "/outcomes/batch", OutcomeResults)
def log_outcomes(agent_id: AgentId, body: Annotated[OutcomeBatch, Body()]) -> Response[str]:
    """Log up to a hundred outcomes.

    Each has its own result, in order; one that cannot be stored does not affect the others.
    """
    results = _log(agent_id).record_outcomes(check_length("/outcomes", body["outcomes"], MAX_BATCH))
    _count_outcomes(results)
    return json_response({"results": [result.as_dict("recorded") for result in results]})


@router.operation(
    "POST",
    "/decisions/<decision_id>/outcome",
    LoggedOutcome,
    statuses=NEW_OR_KNOWN,
    errors=(NotFound, Conflict),
)
def log_outcome(agent_id: AgentId, decision_id: DecisionId, body: Annotated[OutcomeInput, Body()]) -> Response[str]:
    """Log the outcome of a decision.

    A decision may have an outcome at each of several horizons. The same outcome again is `unchanged` (200), a different
    one of the same horizon is refused (409) unless `amend` is true, and the one it replaces is kept. To repeat an
    amendment safely, send its `timestamp`.
    """
    result = _log(agent_id).record_outcome({**body, "decision_id": decision_id})
    _count_outcomes([result])
    return _single(result, "recorded")


@router.operation("GET", "/decisions/statistics", DecisionStatistics)
def analyze_decision_patterns(
    agent_id: AgentId,
    decision_type: Type = None,
    start: Start = None,
    end: End = None,
    group_by: Annotated[
        str, Query(description="`context`, `source`, `type`, or a path such as `context.market.trend`")
    ] = "context",
) -> Response[str]:
    """Outcomes of decisions by group.

    Every decision in the range is read: name a type or a time range where there are many.
    """
    wanted = DecisionFilter(decision_type, (start, end))
    return json_response(_log(agent_id).statistics(wanted, group_by))


@router.operation("GET", "/decisions/<decision_id>/chain", DecisionChain, errors=(NotFound,))
def get_decision_chain(
    agent_id: AgentId,
    decision_id: DecisionId,
    depth: Annotated[
        int, Query(ge=1, le=MAX_DEPTH, description="Steps to relatives, and number of neighbours, in each direction")
    ] = 5,
) -> Response[str]:
    """The decisions that led to a decision and those that followed from it.

    First the ancestors and descendants by `parent_ids`, then the agent's decisions before and after it, up to 30 days
    away, all nearest first.
    """
    chain = _log(agent_id).chain(decision_id, depth)
    return json_response({"chain": [entry.as_dict() for entry in chain]})


@router.operation("GET", "/decisions/<decision_id>", DecisionDict, errors=(NotFound,))
def get_decision(agent_id: AgentId, decision_id: DecisionId) -> Response[str]:
    """One decision with its outcomes, from the table or the archive."""
    return json_response(_log(agent_id).get(decision_id).as_dict())


@router.operation("GET", "/decisions", DecisionPage)
def query_decisions(
    agent_id: AgentId,
    decision_type: Type = None,
    start: Start = None,
    end: End = None,
    success: Annotated[
        Literal["true", "false", "pending"] | None,
        Query(description="By the headline outcome; `pending` while there is none"),
    ] = None,
    context: Annotated[str | None, json_query("A part of the context")] = None,
    context_type: Annotated[
        str | None, Query(description="The complete market context, as `trend=bullish|volatility=high`; uses an index")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Maximum number of decisions on a page")] = 100,
    order: Annotated[Literal["newest", "oldest"], Query(description="By time")] = "newest",
    cursor: Annotated[
        str | None, Query(description="The `cursor` of the page before, with the same filters and order")
    ] = None,
) -> Response[str]:
    """Decisions that meet every filter, a page at a time.

    `context` is a part of the context; names that the context lacks are looked for in its `market`. Pass `cursor` on
    for the next page; it is null after the last. A page ends early, with a cursor, where more would not fit into a
    reply.
    """
    wanted = DecisionFilter(
        decision_type, (start, end), _SUCCESS[success], parse_object("context", context), context_type
    )
    newest_first = order == "newest"
    page = _log(agent_id).page(wanted, limit=limit, newest_first=newest_first, cursor=cursor)
    return text_response(_page_text(page, wanted, newest_first=newest_first))


def _log(agent_id: str) -> DecisionLog:
    return deployment.deployment().decision_log(agent_id)


def _page_text(page: Page, wanted: DecisionFilter, *, newest_first: bool) -> str:
    """A page as JSON, as much of it from its beginning as a reply can carry; each decision is written once."""
    texts: list[str] = []
    size, cursor = _PAGE_FRAME_BYTES, page.cursor
    for decision in page.decisions:
        text = json_text(decision.as_dict())
        size += escaped_size(text) + 1
        if size > MAX_ESCAPED_BYTES:
            if not texts:
                raise TooLarge(
                    "reply",
                    f"decision {decision.decision_id} alone is over the 6 MB that Lambda returns; {READ_DIRECTLY}",
                )
            cursor = make_cursor(wanted, page.decisions[len(texts) - 1], newest_first=newest_first)
            break
        texts.append(text)
    return f'{{"decisions":[{",".join(texts)}],"cursor":{json_text(cursor)}}}'


def _count_logged(inputs: Sequence[Any], results: list[ItemResult], seconds: float) -> None:
    """Put the metrics of what was logged, and a log line by decision type."""
    new = [data for data, result in zip(inputs, results, strict=True) if result.status is WriteStatus.CREATED]
    for metric, value in (
        (metric_names.DECISIONS_LOGGED, len(new)),
        (metric_names.DECISIONS_INFLUENCED, len([data for data in new if data.get("memory_ids")])),
        (metric_names.DECISION_LATENCY, seconds * 1000),
    ):
        metrics.add_metric(metric.name, metric.unit.value, value)
    logger.info("decisions", decision_types=Counter([str(data["decision_type"]) for data in new]))


def _single(result: ItemResult, created: str) -> Response[str]:
    is_new = result.status is WriteStatus.CREATED
    return json_response(result.as_dict(created), HTTPStatus.CREATED if is_new else HTTPStatus.OK)


def _count_outcomes(results: list[ItemResult]) -> None:
    """Write what was logged in a log line only: nothing watches it, and a metric would cost every month."""
    logger.info("outcomes", logged=len([result for result in results if result.status is WriteStatus.CREATED]))
