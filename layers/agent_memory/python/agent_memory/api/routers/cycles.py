"""Routes of cycles, signals and rate limits; each calls one domain function and builds the response."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from agent_memory.api.agent import count_short_term_reads, memory_of
from agent_memory.api.http import json_response, parse_object
from agent_memory.api.parameters import NAME, AgentId, json_query, path_parameter
from agent_memory.api.router import Router
from agent_memory.api.schemas.cycles import (
    CycleInput,
    CycleKept,
    CyclesDict,
    RateLimitDict,
    RateLimitInput,
    SignalRemoval,
    SignalRemoved,
)
from agent_memory.core.errors import ShortTermOff
from agent_memory.core.retention import RECENT_CYCLES
from agent_memory.memory.cycles import Cycle

router = Router(
    "cycles",
    "What an agent passes from cycle to cycle, and the rate limits of its sources.",
    middlewares=[count_short_term_reads],
)


@router.operation("POST", "/memory/cycles", CycleKept, errors=(ShortTermOff,))
def write_cycle(agent_id: AgentId, body: Annotated[CycleInput, Body()]) -> Response[str]:
    """Store the results of a cycle.

    The queries of the last ten cycles are kept for a day, signals for four hours, the context for one hour. Sending the
    same `cycle_id` again changes nothing but the counts of the sources that were `asked`.
    """
    cycle = Cycle(**body)
    memory_of(router, agent_id).cycles.write(cycle)
    return json_response({"cycle_id": cycle.cycle_id})


@router.operation("GET", "/memory/cycles", CyclesDict)
def read_cycle(
    agent_id: AgentId,
    cycles: Annotated[int, Query(ge=1, le=RECENT_CYCLES, description="Number of cycles")] = RECENT_CYCLES,
    signals_since: Annotated[
        str | None, Query(description="Signals from this time on; by default all active ones")
    ] = None,
    performance: Annotated[str | None, json_query("The markets whose figures to read, by source")] = None,
) -> Response[str]:
    """The results of the last cycles; `missing` names what the cache did not return.

    `performance` names the markets whose figures are read, by source: `{"derivatives": ["bullish"]}`.
    """
    results = memory_of(router, agent_id).cycles.read(
        cycles=cycles, signals_since=signals_since, performance=parse_object("performance", performance)
    )
    return json_response(results.as_dict())


@router.operation("POST", "/memory/signals/removal", SignalRemoved, errors=(ShortTermOff,))
def remove_signal(agent_id: AgentId, body: Annotated[SignalRemoval, Body()]) -> Response[str]:
    """Remove a signal from the active ones; returns whether it was active."""
    return json_response({"removed": memory_of(router, agent_id).cycles.remove_signal(body["signal"])})


@router.operation("POST", "/memory/rate-limits/<source_id>", RateLimitDict)
def check_rate_limit(
    agent_id: AgentId,
    source_id: Annotated[str, path_parameter("source_id", "The source that is queried"), NAME],
    body: Annotated[RateLimitInput, Body()],
) -> Response[str]:
    """Count a query of a source; returns whether it may be sent.

    Concurrent callers together are allowed at most `limit` queries per window.
    """
    check = memory_of(router, agent_id).cycles.check_rate_limit
    return json_response(check(source_id, body["limit"], body["window_seconds"]).as_dict())
