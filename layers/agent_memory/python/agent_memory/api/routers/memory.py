"""Routes of short-term and long-term memory; each calls one domain function and builds the response.

What takes long to import, and only one route needs, is imported with that route's first request.
"""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from agent_memory.api.agent import count_short_term_reads, memory_of
from agent_memory.api.http import json_response, parse_list, parse_object
from agent_memory.api.parameters import (
    NAME,
    AgentId,
    End,
    ExpectedVersion,
    Flag,
    Start,
    json_list_query,
    json_query,
    name_query,
    path_parameter,
)
from agent_memory.api.router import Router
from agent_memory.api.schemas.memory import (
    Advice,
    Consolidation,
    ContextMemory,
    Memories,
    MemoryData,
    MemoryDict,
    MemoryHistory,
    MemoryRemoved,
    NewConfidence,
    RecallResult,
    ShortTermErased,
    ShortTermFound,
    ShortTermKept,
    ShortTermValue,
    SimilarResult,
)
from agent_memory.core.errors import Conflict, NotFound, ShortTermOff
from agent_memory.core.option_limits import MAX_OPTIONS
from agent_memory.decisions.queries import SuccessFilter
from agent_memory.memory.hierarchy import MAX_ENTRIES
from agent_memory.memory.similar import MAX_SIMILAR, SimilarQuery
from agent_memory.model.listings import MAX_TOP_K
from agent_memory.model.memories import Memory

router = Router(
    "memory", "Short-term memory, which expires, and long-term memory.", middlewares=[count_short_term_reads]
)

Key = Annotated[str, path_parameter("stm_key", "A key of short-term memory, as `context:current`"), NAME]
MemoryTypeName = Annotated[
    str, path_parameter("type", "PATTERN, STRATEGY, ARCHETYPE, SOURCE_PERFORMANCE, ESTIMATE or your own")
]
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


_SUCCESS: dict[str, SuccessFilter] = {"true": True, "false": False, "pending": "pending"}


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


@router.operation("GET", "/memory/ltm/<memory_type>/<pattern_id>", MemoryDict)
def get_ltm(agent_id: AgentId, memory_type: MemoryTypeName, pattern_id: PatternId) -> Response[str]:
    """One memory of the agent's own."""
    return json_response(memory_of(router, agent_id).reader.get(memory_type, pattern_id).as_dict())


@router.operation("DELETE", "/memory/ltm/<memory_type>/<pattern_id>", MemoryRemoved, errors=(Conflict,))
def delete_ltm(
    agent_id: AgentId,
    memory_type: MemoryTypeName,
    pattern_id: PatternId,
    reason: Annotated[
        str,
        Query(description="Why, for the history", json_schema_extra={"minLength": 1, "maxLength": 500}),
    ],
    expected_version: ExpectedVersion = None,
    writer: Writer = None,
) -> Response[str]:
    """Remove a memory; its history is kept.

    It may be stored again, as its next version. Removing it again changes nothing. With `expected_version` only that
    version is removed (else 409).
    """
    delete = memory_of(router, agent_id, writer).long_term.delete
    removal = delete(memory_type, pattern_id, reason=reason, expected_version=expected_version)
    return json_response(removal.removal_as_dict())


@router.operation("GET", "/memory/ltm/<memory_type>", Memories)
def retrieve_ltm(
    agent_id: AgentId,
    memory_type: MemoryTypeName,
    filters: Annotated[
        str | None, json_query("Fields of the memories with their values, and `min_confidence` (0 to 1)")
    ] = None,
    as_of: Annotated[str | None, Query(description="As the memories were at this time; by default now")] = None,
    matches: Annotated[
        str | None, json_query("The context of a decision: only memories whose facts all hold in it")
    ] = None,
) -> Response[str]:
    """Memories of a type that meet every filter, most confident first.

    `filters` contains fields of the memories with their values, and optionally `min_confidence` (0 to 1), which
    memories without a confidence meet too. A nested object names the members that are compared; null is an explicit
    null. With `matches` only memories are returned whose `features`, as far as they are facts of a context, hold in it.
    """
    memories = memory_of(router, agent_id).reader.find(
        memory_type, parse_object("filters", filters), as_of=as_of, matches=parse_object("matches", matches)
    )
    return json_response(memories.map(Memory.as_dict).body("memories"))


@router.operation("GET", "/memory/advice", Advice)
def advise(
    agent_id: AgentId,
    decision_type: Annotated[str, name_query("type", "The type of the decision that is due")],
    context: Annotated[str, json_query("The context of the decision, as it will be logged")],
    options: Annotated[str, json_list_query("What can be chosen, 1 to 32 texts")],
    choice: Annotated[
        str | None, Query(description="The path under which decisions name the option, as `reasoning.strategy`")
    ] = None,
    choose: Annotated[Literal["thompson", "greedy"] | None, Query(description="Choose by this rule")] = None,
    count: Annotated[int, Query(ge=1, le=MAX_OPTIONS, description="How many options to choose")] = 1,
    exploration: Annotated[
        float, Query(ge=0, lt=1, description="Probability, with `greedy`, of replacing the last option by another")
    ] = 0.1,
    seed: Annotated[
        str | None,
        Query(
            description="The same one leads to the same choice, as a cycle's id",
            json_schema_extra={"minLength": 1, "maxLength": 256},
        ),
    ] = None,
    result: Annotated[
        Literal["success", "reward"], Query(description="What is expected, and chosen by: the rate, or the mean reward")
    ] = "success",
    withhold: Annotated[
        str | None,
        json_query("Leave these memories out: `memory_type` and `memory_id`, each optional; `{}` leaves out all"),
    ] = None,
    recent: Annotated[
        bool, Query(description="Count the results since the last nightly job, too: of at most 1,000 decisions")
    ] = False,
) -> Response[str]:
    """What to expect of each option where a decision is due, and a choice among them.

    Expectations come from the nightly estimates: of success and, where outcomes name one, of a mean reward. Each option
    has its 95 % interval and the patterns about it whose facts hold; with `choose` the answer has a choice, and the
    probability of it. `log_with` holds the fields that keep all this in the logged decision.
    """
    from agent_memory.memory.advice import AdviceQuery  # noqa: PLC0415  see above

    query = AdviceQuery(
        decision_type,
        parse_object("context", context) or {},
        parse_list("options", options),
        choice,
        choose,
        count,
        exploration,
        seed,
        result,
        parse_object("withhold", withhold),
        recent,
    )
    return json_response(memory_of(router, agent_id).advice.advise(query))


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
    from agent_memory.memory.long_term import consolidate_value  # noqa: PLC0415  see above

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
    start: Start = None,
    end: End = None,
    as_of: Annotated[
        str | None, Query(description="Recall what was known at this time; ISO 8601 with an offset")
    ] = None,
    context: Annotated[str | None, json_query("A part of a decision's context, or of a memory's data")] = None,
    tags: Annotated[str | None, json_list_query("Only entries that have all these tags")] = None,
    success: Annotated[
        Literal["true", "false", "pending"] | None, Query(description="Only decisions with this outcome")
    ] = None,
    weights: Annotated[
        str | None, json_query("Of the parts of the score: `importance`, `text`, `meaning` and `outcome`")
    ] = None,
    cursor: Annotated[str | None, Query(description="The `cursor` of the answer before, with the same query")] = None,
    statistics: Annotated[
        str | None, json_query("The sum of the `statistics` of several agents or pools, to rank them together")
    ] = None,
    decisions: Annotated[Flag, Query(description="Search decisions too; false for a pool")] = "true",
) -> Response[str]:
    """Long-term memories and decisions, ranked for a query.

    The score is importance × 0.5^(age / half-life) + BM25 over the stems of their words; `explain` adds its parts as
    `why`. `half_lives` are seconds by kind. Decisions of any age are searched: the newest ones themselves, older ones
    by digests that the nightly job makes, in which only words count. `missing` names what was not searched; `cursor`
    leads to the next best entries.
    """
    from agent_memory.memory.recall_query import RecallQuery  # noqa: PLC0415  see above

    request = RecallQuery(
        query,
        kind,
        symbol,
        top_k,
        explain == "true",
        parse_object("half_lives", half_lives),
        time_range=None if start is None and end is None else (start, end),
        as_of=as_of,
        context=parse_object("context", context),
        tags=None if tags is None else tuple(parse_list("tags", tags)),
        success=None if success is None else _SUCCESS[success],
        weights=parse_object("weights", weights),
        cursor=cursor,
        statistics=parse_object("statistics", statistics),
        with_decisions=decisions == "true",
    )
    return json_response(memory_of(router, agent_id).recall.recall(request).body("found"))


@router.operation("GET", "/memory/similar", SimilarResult)
def similar(
    agent_id: AgentId,
    context: Annotated[str, json_query("The context in question, as decisions have it")],
    decision_type: Annotated[str | None, name_query("type", "Only decisions of this type; by default all")] = None,
    top_k: Annotated[int, Query(ge=1, le=MAX_SIMILAR, description="Maximum number of decisions")] = 20,
    min_similarity: Annotated[float, Query(ge=0, le=1, description="The least similarity")] = 0.5,
    as_of: Annotated[str | None, Query(description="Compare with what was known at this time; with an offset")] = None,
    start: Start = None,
    end: End = None,
) -> Response[str]:
    """Earlier decisions in a like context, with what came of them, and the base rate.

    Contexts are alike by their facts and standardised numbers. Nothing later than `as_of` is used. Without `start`,
    decisions of the last 88 days are compared.
    """
    time_range = None if start is None and end is None else (start, end)
    document = parse_object("context", context) or {}
    query = SimilarQuery(document, decision_type, top_k, min_similarity, as_of, time_range)
    return json_response(memory_of(router, agent_id).similar.find(query))


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
