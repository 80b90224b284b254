"""Routes of the decision log: each parses, calls one domain function and shapes the reply."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from agent_memory.api.body import batch
from agent_memory.api.observability import logger, put
from agent_memory.api.query import choice, json_object, moment, text, whole_number
from agent_memory.api.replies import READ_DIRECTLY, Reply, how_many_fit, reply
from agent_memory.api.routing import Request, Room
from agent_memory.core import metric_names
from agent_memory.core.errors import Conflict, InvalidInput, NotFound, TooLarge
from agent_memory.decisions.chains import MAX_DEPTH
from agent_memory.decisions.queries import MAX_PAGE, DecisionFilter, Page, make_cursor
from agent_memory.decisions.writer import ItemResult
from agent_memory.ports.decisions import WriteStatus

decisions = Room("decisions", "What an agent decided, why, and what came of it.")

_NEW_OR_KNOWN = (HTTPStatus.CREATED, HTTPStatus.OK)

_DECISION_TYPE = text("decision_type", "One type of decision; left out, all.", example="SOURCE_SELECTION")
_START = moment("start", "From this moment on, ISO 8601 with an offset.", example="2026-11-01T00:00:00Z")
_END = moment("end", "Up to and not including this moment.", example="2026-12-01T00:00:00Z")
_SUCCESS = choice(
    "success",
    "By the headline outcome; `pending` while there is none.",
    {"true": True, "false": False, "pending": "pending"},
)
_CONTEXT = json_object(
    "context",
    "A part of the context; names that the context lacks are looked for in its `market`.",
    example={"trend": "bullish"},
)
_CONTEXT_TYPE = text(
    "context_type",
    "The whole market context as canonical text, found by an index.",
    example="trend=bullish|volatility=high",
)
_LIMIT = whole_number("limit", "Decisions on a page, at most.", least=1, most=MAX_PAGE, default=100)
_ORDER = choice("order", "By time.", {"newest": True, "oldest": False}, default="newest")
_CURSOR = text("cursor", "The `cursor` of the page before, with the same filters and order.", example="MDEyMzQ1Njdu…")
_DEPTH = whole_number("depth", "Steps and places each way.", least=1, most=MAX_DEPTH, default=5)
_GROUP_BY = text(
    "group_by",
    "`context` (the whole market context), `source` (members of `reasoning.selected`), `type`, or a path such as "
    "`context.market.trend`.",
    example="source",
    default="context",
)


@decisions.route(
    "POST", "/decisions", takes="DecisionDraft", gives="LoggedDecision", statuses=_NEW_OR_KNOWN, refuses=(Conflict,)
)
def log_decision(request: Request) -> Reply:
    """Log one decision.

    Send a `decision_id` of your own, made by the library, to be able to repeat the request: the same decision again is
    `unchanged` (200), other content under the same id is refused (409).
    """
    draft, started = request.body(), time.perf_counter()
    result = request.decisions.log_one(draft)
    _logged([draft], [result], time.perf_counter() - started)
    return _single(result, "created")


@decisions.route("POST", "/decisions/batch", takes="DecisionBatch", gives="DecisionResults")
def log_decisions(request: Request) -> Reply:
    """Log up to a hundred decisions.

    Each has its own result, in order; one that cannot be stored does not hinder the others.
    """
    drafts, started = batch(request.body(), "decisions"), time.perf_counter()
    results = request.decisions.log(drafts)
    _logged(drafts, results, time.perf_counter() - started)
    return reply({"results": [result.as_dict("created") for result in results]})


@decisions.route("POST", "/outcomes/batch", takes="OutcomeBatch", gives="OutcomeResults")
def log_outcomes(request: Request) -> Reply:
    """Log up to a hundred outcomes.

    Each has its own result, in order; one that cannot be stored does not hinder the others.
    """
    results = request.decisions.record_outcomes(batch(request.body(), "outcomes"))
    _outcomes_logged(results)
    return reply({"results": [result.as_dict("recorded") for result in results]})


@decisions.route(
    "POST",
    "/decisions/{decision_id}/outcome",
    takes="OutcomeReport",
    gives="LoggedOutcome",
    statuses=_NEW_OR_KNOWN,
    refuses=(NotFound, Conflict),
)
def log_outcome(request: Request) -> Reply:
    """Log what came of one decision.

    A decision may have an outcome at each of several horizons. The same outcome again is `unchanged` (200), a different
    one of the same horizon is refused (409) unless `amend` is true, and the one it replaces is kept. To repeat an
    amendment safely, send its `timestamp`.
    """
    report = request.body()
    if "decision_id" in report:
        raise InvalidInput("/decision_id", "the path names the decision; leave it out of the body")
    report["decision_id"] = request.path["decision_id"]
    result = request.decisions.record_outcome(report)
    _outcomes_logged([result])
    return _single(result, "recorded")


@decisions.route(
    "GET", "/decisions/statistics", query=(_DECISION_TYPE, _START, _END, _GROUP_BY), gives="DecisionStatistics"
)
def analyze_decision_patterns(request: Request) -> Reply:
    """How decisions turned out, group by group.

    Every decision in the range is read: name a type or a time range where there are many.
    """
    asked = request.query
    wanted = DecisionFilter(asked["decision_type"], (asked["start"], asked["end"]))
    return reply(request.decisions.statistics(wanted, asked["group_by"]))


@decisions.route("GET", "/decisions/{decision_id}/chain", query=(_DEPTH,), gives="DecisionChain", refuses=(NotFound,))
def get_decision_chain(request: Request) -> Reply:
    """What led to a decision and what came of it.

    First the ancestors and descendants that `parent_ids` tell, then the agent's decisions before and after it, up to 30
    days away, all nearest first.
    """
    chain = request.decisions.chain(request.path["decision_id"], request.query["depth"])
    return reply({"chain": [entry.as_dict() for entry in chain]})


@decisions.route("GET", "/decisions/{decision_id}", gives="Decision", refuses=(NotFound,))
def get_decision(request: Request) -> Reply:
    """One decision with its outcomes, from the table or the archive."""
    return reply(request.decisions.get(request.path["decision_id"]).as_dict())


@decisions.route(
    "GET",
    "/decisions",
    query=(_DECISION_TYPE, _START, _END, _SUCCESS, _CONTEXT, _CONTEXT_TYPE, _LIMIT, _ORDER, _CURSOR),
    gives="DecisionPage",
)
def query_decisions(request: Request) -> Reply:
    """Decisions that meet every filter, a page at a time.

    Pass `cursor` on for the next page; it is null after the last. A page ends early, with a cursor, where more would
    not fit into a reply.
    """
    asked = request.query
    wanted = DecisionFilter(
        asked["decision_type"],
        (asked["start"], asked["end"]),
        asked["success"],
        asked["context"],
        asked["context_type"],
    )
    newest_first = asked["order"]
    page = request.decisions.page(wanted, limit=asked["limit"], newest_first=newest_first, cursor=asked["cursor"])
    return reply(_fitting(page, wanted, newest_first=newest_first).as_dict())


def _fitting(page: Page, wanted: DecisionFilter, *, newest_first: bool) -> Page:
    """As much of a page, from its beginning, as a reply can carry."""
    fitting = how_many_fit(decision.as_dict() for decision in page.decisions)
    if fitting == len(page.decisions):
        return page
    if fitting == 0:
        first = page.decisions[0].decision_id
        raise TooLarge("reply", f"decision {first} alone is over the 6 MB that Lambda returns; {READ_DIRECTLY}")
    kept = page.decisions[:fitting]
    return Page(kept, make_cursor(wanted, kept[-1], newest_first=newest_first))


def _logged(drafts: Sequence[Mapping[str, Any]], results: list[ItemResult], seconds: float) -> None:
    """Tell what was logged: metrics, and a log line by decision type."""
    new = [draft for draft, result in zip(drafts, results, strict=True) if result.status is WriteStatus.CREATED]
    put(metric_names.DECISIONS_LOGGED, len(new))
    put(metric_names.DECISIONS_INFLUENCED, sum(1 for draft in new if draft.get("memory_ids")))
    put(metric_names.DECISION_LATENCY, seconds * 1000)
    logger.info("decisions", decision_types=Counter(str(draft["decision_type"]) for draft in new))


def _single(result: ItemResult, created: str) -> Reply:
    is_new = result.status is WriteStatus.CREATED
    return reply(result.as_dict(created), HTTPStatus.CREATED if is_new else HTTPStatus.OK)


def _outcomes_logged(results: list[ItemResult]) -> None:
    """Tell what was logged, in a log line only: nothing watches it, and a metric would cost every month."""
    logger.info("outcomes", logged=sum(1 for result in results if result.status is WriteStatus.CREATED))
