"""Routes of analytics; each calls one domain function and builds the response."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from agent_memory.api import deployment
from agent_memory.api.agent import memory_of
from agent_memory.api.http import json_response
from agent_memory.api.parameters import NAME, AgentId, End, Start, path_parameter
from agent_memory.api.router import Router
from agent_memory.api.schemas.analytics import ConfidenceTrend, PatternList, Performance
from agent_memory.decisions.performance_parts import MAX_READ

router = Router("analytics", "How an agent's decisions did, and how sure its patterns are.")

PatternId = Annotated[str, path_parameter("pattern_id", "A pattern"), NAME]


@router.operation("GET", "/analytics/performance", Performance)
def get_performance(
    agent_id: AgentId,
    start: Start = None,
    end: End = None,
    limit: Annotated[int, Query(ge=1, le=MAX_READ, description="Maximum number of decisions to read")] = MAX_READ,
    cursor: Annotated[
        str | None, Query(description="The `cursor` of the answer before, with the same time range")
    ] = None,
    exact: Annotated[bool, Query(description="Read all decisions, also those of days that are counted")] = False,
) -> Response[str]:
    """Success rates by decision type, day, market context and source.

    Decisions are counted oldest first; days that the nightly job has counted are added up without reading their
    decisions. If there are more than `limit` to read, or their rows do not fit into a response, `cursor` continues
    after them, and the counts of the answers add up. `by_source` has the decisions that were judged by what came of
    them; `by_selection` those that only chose a source.
    """
    log = deployment.deployment().decision_log(agent_id)
    return json_response(log.performance((start, end), limit=limit, cursor=cursor, exact=exact))


@router.operation("GET", "/analytics/patterns", PatternList)
def get_patterns(
    agent_id: AgentId,
    status: Annotated[
        Literal["active", "emerging", "deprecated"] | None, Query(description="Only patterns with this status")
    ] = None,
    min_occurrences: Annotated[
        int, Query(ge=0, description="Only patterns that rest on at least this many decisions")
    ] = 0,
) -> Response[str]:
    """The agent's own patterns with their figures, active ones first, then the most confident.

    Unlike a query of long-term memory, this does not count as a read of the patterns.
    """
    found = memory_of(router, agent_id).pattern_figures(status=status, min_occurrences=min_occurrences)
    return json_response(found.body("patterns"))


@router.operation("GET", "/analytics/patterns/<pattern_id>/confidence", ConfidenceTrend)
def get_pattern_confidence_trend(agent_id: AgentId, pattern_id: PatternId) -> Response[str]:
    """The confidence of every version of a pattern, oldest first, and the success rate that it rests on.

    A pattern that was never stored has no versions.
    """
    return json_response(memory_of(router, agent_id).confidence_trend(pattern_id).body("versions"))
