"""Routes of quarantine, and of what rested on a memory; each calls one domain function and builds the response."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from agent_memory.api.agent import count_short_term_reads, memory_of
from agent_memory.api.http import json_response
from agent_memory.api.parameters import NAME, AgentId, End, Start, path_parameter
from agent_memory.api.router import Router
from agent_memory.api.schemas.quarantines import (
    CrowdingDict,
    InfluenceDict,
    QuarantineDict,
    QuarantineInput,
    QuarantineList,
    Released,
)
from agent_memory.core.errors import NotFound

router = Router(
    "quarantine",
    "What rested on a memory, and taking a memory out of use.",
    middlewares=[count_short_term_reads],
)

PatternId = Annotated[str, path_parameter("pattern_id", "A memory's `pattern_id`, as in `memory_ids`"), NAME]


@router.operation("GET", "/memory/influence/<pattern_id>", InfluenceDict)
def influence(agent_id: AgentId, pattern_id: PatternId, start: Start = None, end: End = None) -> Response[str]:
    """Every decision that is based on a memory, what came of them, and the memories that were learned from them.

    The decisions of the time are read one after the other; narrow it by `start` and `end` if that takes too long.
    """
    return json_response(memory_of(router, agent_id).influence(pattern_id, (start, end)).as_dict())


@router.operation("GET", "/memory/crowding", CrowdingDict)
def get_crowding(
    agent_id: AgentId,
    date: Annotated[str, Query(description="The UTC day", json_schema_extra={"format": "date"})],
) -> Response[str]:
    """How many agents acted on one memory within an hour of a day, and how alike they decided.

    Of the memories of this agent or pool, as the nightly job of that day has found it.
    """
    return json_response({"agent_id": agent_id, **memory_of(router, agent_id).crowding(date)})


@router.operation("GET", "/memory/quarantines", QuarantineList)
def list_quarantines(agent_id: AgentId) -> Response[str]:
    """The memories that are quarantined: by whom, why and since when."""
    return json_response({"quarantines": memory_of(router, agent_id).quarantines.current()})


@router.operation("PUT", "/memory/quarantines/<pattern_id>", QuarantineDict)
def quarantine(agent_id: AgentId, pattern_id: PatternId, body: Annotated[QuarantineInput, Body()]) -> Response[str]:
    """Take a memory out of use.

    It is not read any more and cannot be stored again, and decisions that are based on it are not learned from. The
    next nightly job learns again, without them, the days since the first one, up to 90.
    """
    put = memory_of(router, agent_id).quarantines.put
    return json_response(put(pattern_id, body["reason"], body.get("memory_type")))


@router.operation("DELETE", "/memory/quarantines/<pattern_id>", Released, errors=(NotFound,))
def release(
    agent_id: AgentId,
    pattern_id: PatternId,
    reason: Annotated[
        str | None,
        Query(description="Why, for the history", json_schema_extra={"minLength": 1, "maxLength": 500}),
    ] = None,
    memory_type: Annotated[str | None, Query(description="The memory's type, if it is a type of your own")] = None,
) -> Response[str]:
    """Use a memory again that was quarantined, and learn from its decisions again."""
    return json_response(memory_of(router, agent_id).quarantines.release(pattern_id, reason, memory_type))
