"""Routes of memory, short term and long: each parses, calls one domain function and shapes the reply."""

from agent_memory.api.body import fields
from agent_memory.api.query import choice, json_object, moment, text, whole_number
from agent_memory.api.replies import Reply, reply
from agent_memory.api.routing import Request, Room
from agent_memory.core.errors import Conflict, NotFound, ShortTermOff
from agent_memory.memory.hierarchy import LEVELS, MAX_ENTRIES
from agent_memory.memory.long_term import consolidate_value
from agent_memory.memory.ranking import MAX_TOP_K

memory = Room("memory", "What an agent keeps for hours, and what it has learned for good.")

_FILTERS = json_object(
    "filters",
    "Fields of the memories with their values, and `min_confidence` (0 to 1) where wanted.",
    example={"min_confidence": 0.7, "status": "active"},
)
_PATTERN = text("pattern", "A glob pattern of keys; left out, all.", example="queries:*")
_AS_OF = moment("as_of", "As the memories were known at this moment; left out, now.", example="2026-11-01T00:00:00Z")
_EXPECTED = whole_number("expected_version", "Change this version (0: none yet) or nothing.", least=0)
_REASON = text("reason", "Why, for the history; up to 500 characters.", example="held again")
_WRITER = text(
    "writer", "The agent that writes, where the path names a pool; kept with the version.", example="market-hunter"
)
_QUERY = text("query", "In words; without it what is important and fresh comes first.", example="whales in a bull run")
_KIND = text("kind", "A type of memory or of decision; left out, all.", example="PATTERN")
_SYMBOL = text("symbol", "Of what names one; left out, all.", example="BTC-USD")
_TOP_K = whole_number("top_k", "Entries, at most.", least=1, most=MAX_TOP_K, default=5)
_EXPLAIN = choice("explain", "Give the parts of each score.", {"false": False, "true": True}, default="false")
_HALF_LIVES = json_object("half_lives", "Seconds by kind.", example={"PATTERN": 604_800})
_START = moment("start", "From this moment on, ISO 8601 with an offset.", example="2026-11-01T00:00:00Z")
_END = moment("end", "Up to and not including this moment.", example="2026-12-01T00:00:00Z")
_CONTEXT = json_object("context", "A part of the context.", example={"volatility": "high"})
_LIMIT = whole_number("limit", "Entries, at most.", least=1, most=MAX_ENTRIES, default=100)
_LEVEL = choice("level", "One level only; left out, all that the time meets.", {name: name for name, _ in LEVELS})


@memory.route("PUT", "/memory/stm/{key}", takes="ShortTermValue", gives="ShortTermKept", refuses=(ShortTermOff,))
def store_stm(request: Request) -> Reply:
    """Keep a JSON value under a key for a while."""
    data, ttl_seconds = fields(request.body(), "data", "ttl_seconds")
    request.memory.short_term.put(request.path["key"], data, ttl_seconds)
    return reply({"key": request.path["key"]})


@memory.route("GET", "/memory/stm/{key}", gives="ShortTermFound", refuses=(ShortTermOff,))
def retrieve_stm(request: Request) -> Reply:
    """The value under a key; `data` is null once it has vanished."""
    return reply({"key": request.path["key"], "data": request.memory.short_term.get(request.path["key"])})


@memory.route("DELETE", "/memory/stm", query=(_PATTERN,), gives="ShortTermErased", refuses=(ShortTermOff,))
def clear_stm(request: Request) -> Reply:
    """Erase the agent's short-term memory, or the keys that match a pattern."""
    return reply({"erased": request.memory.short_term.clear(request.query["pattern"])})


@memory.route(
    "PUT",
    "/memory/ltm/{memory_type}/{pattern_id}",
    query=(_EXPECTED, _REASON, _WRITER),
    takes="MemoryData",
    gives="Memory",
    refuses=(Conflict,),
)
def store_ltm(request: Request) -> Reply:
    """Store a memory, or its next version where it has changed.

    Every version is kept, with who changed it and why. With `expected_version` the change is made to that version or
    not at all (409).
    """
    path, asked = request.path, request.query
    stored = request.memory.long_term.put(
        path["memory_type"],
        path["pattern_id"],
        request.body(),
        reason=asked["reason"],
        expected_version=asked["expected_version"],
    )
    return reply(stored.as_dict())


@memory.route("GET", "/memory/ltm/{memory_type}", query=(_FILTERS, _AS_OF), gives="Memories")
def retrieve_ltm(request: Request) -> Reply:
    """Memories of a type that meet every filter, most confident first."""
    asked = request.query
    found = request.memory.reading.find(request.path["memory_type"], asked["filters"], as_of=asked["as_of"])
    return reply({"memories": [one.as_dict() for one in found]})


@memory.route(
    "PUT",
    "/memory/ltm/{memory_type}/{pattern_id}/confidence",
    query=(_REASON, _WRITER),
    takes="NewConfidence",
    gives="Memory",
    refuses=(NotFound,),
)
def update_ltm_confidence(request: Request) -> Reply:
    """Store the next version of a memory with another confidence."""
    (confidence,) = fields(request.body(), "new_confidence")
    path = request.path
    change = request.memory.long_term.set_confidence
    return reply(change(path["memory_type"], path["pattern_id"], confidence, reason=request.query["reason"]).as_dict())


@memory.route("GET", "/memory/ltm/{memory_type}/{pattern_id}/history", gives="MemoryHistory")
def get_ltm_history(request: Request) -> Reply:
    """Every change of a memory, oldest first: when, by whom, why, and each field from what to what."""
    path = request.path
    return reply({"changes": request.memory.long_term.changes(path["memory_type"], path["pattern_id"])})


@memory.route(
    "POST",
    "/memory/consolidations",
    query=(_WRITER,),
    takes="Consolidation",
    gives="Memory",
    refuses=(NotFound, Conflict, ShortTermOff),
)
def consolidate_to_ltm(request: Request) -> Reply:
    """Keep what lies under a key of short-term memory as a long-term memory.

    Its id is its own `pattern_id`, or the key. Doing it again changes nothing while the value is the same.
    """
    stm_key, pattern_type = fields(request.body(), "stm_key", "pattern_type")
    parts = request.memory
    return reply(consolidate_value(parts.short_term, parts.long_term, stm_key, pattern_type).as_dict())


@memory.route(
    "GET", "/memory/recall", query=(_QUERY, _KIND, _SYMBOL, _TOP_K, _EXPLAIN, _HALF_LIVES), gives="Recollection"
)
def recall(request: Request) -> Reply:
    """What the agent knows about something: memories, and decisions of the last 24 hours, ranked.

    The score is importance × 0.5^(age / half-life) + BM25 over their words; `explain` adds its parts as `why`.
    """
    asked = dict(request.query)
    found = request.memory.recollection.recall(asked.pop("query") or "", **asked)
    return reply({"found": found})


@memory.route("GET", "/memory/contexts", query=(_START, _END, _CONTEXT, _LIMIT, _LEVEL), gives="ContextMemory")
def get_context_memory(request: Request) -> Reply:
    """What the agent met in a time and context, newest first, from all levels asked side by side.

    `complete` is false where a level did not answer; `missing` says which and why. `off` names `short_term` where the
    deployment has no cache.
    """
    asked = request.query
    time_range = (asked["start"], asked["end"])
    contexts = request.memory.hierarchy.contexts
    return reply(contexts(time_range, asked["context"], limit=asked["limit"], level=asked["level"]))
