"""Routes of short-term and long-term memory: each parses, calls one domain function and shapes the reply."""

from agent_memory.errors import Conflict
from agent_memory.service.body import fields
from agent_memory.service.query import json_object
from agent_memory.service.replies import Reply, reply
from agent_memory.service.routing import Request, Room

memory = Room("memory", "What an agent keeps for hours, and what it has learned for good.")

_FILTERS = json_object(
    "filters",
    "Fields of the memories with their values, and `min_confidence` (0 to 1) where wanted.",
    example={"min_confidence": 0.7, "status": "active"},
)


@memory.route("PUT", "/memory/stm/{key}", takes="ShortTermValue", gives="ShortTermKept")
def store_stm(request: Request) -> Reply:
    """Keep a JSON value under a key for a while."""
    data, ttl_seconds = fields(request.body(), "data", "ttl_seconds")
    request.short_term.put(request.path["key"], data, ttl_seconds)
    return reply({"key": request.path["key"]})


@memory.route("GET", "/memory/stm/{key}", gives="ShortTermFound")
def retrieve_stm(request: Request) -> Reply:
    """The value under a key; `data` is null once it has vanished."""
    return reply({"key": request.path["key"], "data": request.short_term.get(request.path["key"])})


@memory.route("PUT", "/memory/ltm/{memory_type}/{pattern_id}", takes="MemoryData", gives="Memory", refuses=(Conflict,))
def store_ltm(request: Request) -> Reply:
    """Store a memory, or its next version where it has changed.

    Every version is kept. Where another writer came first (409), read the memory and try again.
    """
    stored = request.long_term.put(request.path["memory_type"], request.path["pattern_id"], request.body())
    return reply(stored.as_dict())


@memory.route("GET", "/memory/ltm/{memory_type}", query=(_FILTERS,), gives="Memories")
def retrieve_ltm(request: Request) -> Reply:
    """Memories of a type that meet every filter, most confident first."""
    found = request.long_term.find(request.path["memory_type"], request.query["filters"])
    return reply({"memories": [one.as_dict() for one in found]})
