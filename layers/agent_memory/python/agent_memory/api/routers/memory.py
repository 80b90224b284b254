"""Routes of short-term and long-term memory; each calls one domain function and builds the response."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from agent_memory.api.agent import count_short_term_reads, memory_of
from agent_memory.api.http import json_response, parse_object
from agent_memory.api.parameters import (
    NAME,
    AgentId,
    End,
    ExpectedVersion,
    Flag,
    Start,
    json_query,
    name_query,
    path_parameter,
)
from agent_memory.api.router import Router
from agent_memory.api.schemas.memory import (
    Consolidation,
    ContextMemory,
    Memories,
    MemoryData,
    MemoryDict,
    MemoryHistory,
    NewConfidence,
    RecallResult,
    ShortTermErased,
    ShortTermFound,
    ShortTermKept,
    ShortTermValue,
)
from agent_memory.core.errors import Conflict, NotFound, ShortTermOff
from agent_memory.memory.hierarchy import MAX_ENTRIES
from agent_memory.memory.long_term import consolidate_value
from agent_memory.memory.ranking import MAX_TOP_K, RecallQuery
from agent_memory.model.memories import Memory

router = Router(
    "memory", "Short-term memory, which expires, and long-term memory.", middlewares=[count_short_term_reads]
)

Key = Annotated[str, path_parameter("stm_key", "A key of short-term memory, as `context:current`"), NAME]
MemoryTypeName = Annotated[str, path_parameter("type", "PATTERN, STRATEGY, ARCHETYPE, SOURCE_PERFORMANCE or your own")]
PatternId = Annotated[str, path_parameter("pattern_id", "A memory of that type"), NAME]
Reason = Annotated[
    str | None,
    Query(
        description="Why, for the history; up to 500 characters", json_schema_extra={"minLength": 1, "maxLength": 500}
    ),
]
Writer = Annotated[
    str | None,
    name_query("agent_id", "The agent that writes, if the path names a pool; stored with the version as a claim"),
]


@router.operation("PUT", "/memory/stm/<key>", ShortTermKept, errors=(ShortTermOff,))
def store_stm(agent_id: AgentId, key: Key, body: Annotated[ShortTermValue, Body()]) -> Response[str]:
    """Store a JSON value under a key until it expires."""
    memory_of(router, agent_id).short_term.put(key, body["data"], body["ttl_seconds"])
    return json_response({"key": key})


@router.operation("GET", "/memory/stm/<key>", ShortTermFound, errors=(ShortTermOff,))
def retrieve_stm(agent_id: AgentId, key: Key) -> Response[str]:
    """The value under a key; `data` is null once it has expired."""
    return json_response({"key": key, "data": memory_of(router, agent_id).short_term.get(key)})


@router.operation("DELETE", "/memory/stm", ShortTermErased, errors=(ShortTermOff,))
def clear_stm(
    agent_id: AgentId,
    pattern: Annotated[
        str | None,
        Query(
            description="A glob pattern of keys, as `queries:*`; by default all keys",
            json_schema_extra={"minLength": 1, "maxLength": 255},
        ),
    ] = None,
) -> Response[str]:
    """Erase the agent's short-term memory, or the keys that match a pattern."""
    return json_response({"erased": memory_of(router, agent_id).short_term.clear(pattern)})


@router.operation("PUT", "/memory/ltm/<memory_type>/<pattern_id>", MemoryDict, errors=(Conflict,))
def store_ltm(
    agent_id: AgentId,
    memory_type: MemoryTypeName,
    pattern_id: PatternId,
    body: Annotated[MemoryData, Body()],
    expected_version: ExpectedVersion = None,
    reason: Reason = None,
    writer: Writer = None,
) -> Response[str]:
    """Store a memory, or its next version if it has changed.

    Every version is kept, with who changed it and why. With `expected_version` only that version is replaced (else
    409).
    """
    long_term = memory_of(router, agent_id, writer).long_term
    stored = long_term.put(memory_type, pattern_id, body, reason=reason, expected_version=expected_version)
    return json_response(stored.as_dict())


@router.operation("GET", "/memory/ltm/<memory_type>", Memories)
def retrieve_ltm(
    agent_id: AgentId,
    memory_type: MemoryTypeName,
    filters: Annotated[
        str | None, json_query("Fields of the memories with their values, and `min_confidence` (0 to 1)")
    ] = None,
    as_of: Annotated[str | None, Query(description="As the memories were at this time; by default now")] = None,
) -> Response[str]:
    """Memories of a type that meet every filter, most confident first.

    `filters` contains fields of the memories with their values, and optionally `min_confidence` (0 to 1), which
    memories without a confidence meet too. A nested object names the members that are compared; null is an explicit
    null.
    """
    memories = memory_of(router, agent_id).reader.find(memory_type, parse_object("filters", filters), as_of=as_of)
    return json_response(memories.map(Memory.as_dict).body("memories"))


@router.operation("PUT", "/memory/ltm/<memory_type>/<pattern_id>/confidence", MemoryDict, errors=(NotFound,))
def update_ltm_confidence(
    agent_id: AgentId,
    memory_type: MemoryTypeName,
    pattern_id: PatternId,
    body: Annotated[NewConfidence, Body()],
    reason: Reason = None,
    writer: Writer = None,
) -> Response[str]:
    """Store the next version of a memory with another confidence."""
    change = memory_of(router, agent_id, writer).long_term.set_confidence
    return json_response(change(memory_type, pattern_id, body["new_confidence"], reason=reason).as_dict())


@router.operation("GET", "/memory/ltm/<memory_type>/<pattern_id>/history", MemoryHistory)
def get_ltm_history(agent_id: AgentId, memory_type: MemoryTypeName, pattern_id: PatternId) -> Response[str]:
    """Every change of a memory, oldest first: when, by whom, why, and each field before and after."""
    return json_response(memory_of(router, agent_id).changes(memory_type, pattern_id).body("changes"))


@router.operation("POST", "/memory/consolidations", MemoryDict, errors=(NotFound, Conflict, ShortTermOff))
def consolidate_to_ltm(
    agent_id: AgentId, body: Annotated[Consolidation, Body()], writer: Writer = None
) -> Response[str]:
    """Store a value of short-term memory as a long-term memory.

    Its id is the value's `pattern_id`, or the key. Repeating it with the same value changes nothing.
    """
    memory = memory_of(router, agent_id, writer)
    stored = consolidate_value(memory.short_term, memory.long_term, body["stm_key"], body["pattern_type"])
    return json_response(stored.as_dict())


@router.operation("GET", "/memory/recall", RecallResult)
def recall(
    agent_id: AgentId,
    query: Annotated[str, Query(description="Words; without them important and recent entries come first")] = "",
    kind: Annotated[str | None, Query(description="Only this type of memory or decision; by default all")] = None,
    symbol: Annotated[str | None, Query(description="Only entries with this symbol; by default all")] = None,
    top_k: Annotated[int, Query(ge=1, le=MAX_TOP_K, description="Maximum number of entries")] = 5,
    explain: Annotated[Flag, Query(description="Return the parts of each score")] = "false",
    half_lives: Annotated[str | None, json_query("Seconds by kind")] = None,
) -> Response[str]:
    """Long-term memories and decisions of the last 24 hours, ranked for a query.

    The score is importance × 0.5^(age / half-life) + BM25 over their words; `explain` adds its parts as `why`.
    `half_lives` are seconds by kind.
    """
    request = RecallQuery(query, kind, symbol, top_k, explain == "true", parse_object("half_lives", half_lives))
    return json_response(memory_of(router, agent_id).recall.recall(request).body("found"))


@router.operation("GET", "/memory/contexts", ContextMemory)
def get_context_memory(
    agent_id: AgentId,
    start: Start = None,
    end: End = None,
    context: Annotated[str | None, json_query("A part of the context")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ENTRIES, description="Maximum number of entries")] = 100,
    level: Annotated[
        Literal["immediate", "recent", "historical", "archive"] | None,
        Query(description="Only this level; by default all levels of the time range"),
    ] = None,
    cursor: Annotated[str | None, Query(description="The `cursor` of the answer before, with the same filter")] = None,
) -> Response[str]:
    """The contexts of a time range that match a filter, newest first, from all levels of memory.

    `context` is a part of the context. `missing` names levels that did not respond and decisions that are damaged or do
    not fit into the response, with the reason. Pass `cursor` for the next entries. `off` contains `short_term` if the
    deployment has no cache.
    """
    contexts = memory_of(router, agent_id).hierarchy.contexts
    filters = parse_object("context", context)
    return json_response(contexts((start, end), filters, limit=limit, level=level, cursor=cursor))
