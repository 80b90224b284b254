"""Routes of what an agent keeps from cycle to cycle: each parses, calls one domain function and shapes the reply."""

from agent_memory.api.body import fields, some_of
from agent_memory.api.query import json_object, moment, whole_number
from agent_memory.api.replies import Reply, reply
from agent_memory.api.routing import Request, Room
from agent_memory.core.errors import ShortTermOff
from agent_memory.core.retention import RECENT_CYCLES
from agent_memory.memory.cycles import Cycle

cycles = Room("cycles", "What an agent keeps from cycle to cycle, and how often it may ask its sources.")

_PARTS = ("context", "queries", "signals", "performance", "decision_ids", "cycle_id")
_CYCLES = whole_number("cycles", "Of how many.", least=1, most=RECENT_CYCLES, default=RECENT_CYCLES)
_SINCE = moment(
    "signals_since", "Signals from this moment on; left out, all active ones.", example="2026-11-01T00:00:00Z"
)
_PERFORMANCE = json_object(
    "performance", "The markets, by source, whose figures are wanted.", example={"derivatives": ["bullish"]}
)


@cycles.route("POST", "/memory/cycles", takes="CycleGiven", gives="CycleKept", refuses=(ShortTermOff,))
def write_cycle(request: Request) -> Reply:
    """Keep what a cycle brought.

    The last ten cycles' queries stay for a day, signals for four hours, the context for one. Once more under the same
    `cycle_id` changes nothing.
    """
    cycle = Cycle(**some_of(request.body(), *_PARTS))
    request.memory.cycles.write(cycle)
    return reply({"cycle_id": cycle.cycle_id})


@cycles.route("GET", "/memory/cycles", query=(_CYCLES, _SINCE, _PERFORMANCE), gives="CyclesRemembered")
def read_cycle(request: Request) -> Reply:
    """What the last cycles left; `missing` names what the cache did not answer."""
    asked = request.query
    found = request.memory.cycles.read(
        cycles=asked["cycles"], signals_since=asked["signals_since"], performance=asked["performance"]
    )
    return reply(found.as_dict())


@cycles.route("POST", "/memory/signals/removal", takes="SignalRemoval", gives="SignalRemoved", refuses=(ShortTermOff,))
def remove_signal(request: Request) -> Reply:
    """Take a signal out of the active ones, and say whether it was among them."""
    (signal,) = fields(request.body(), "signal")
    return reply({"removed": request.memory.cycles.remove_signal(signal)})


@cycles.route("POST", "/memory/rate-limits/{source_id}", takes="QueryCounted", gives="RateLimit")
def check_rate_limit(request: Request) -> Reply:
    """Count one query of a source, and say whether it may go out.

    However many callers ask at once, no more than `limit` are allowed in a window.
    """
    limit, window_seconds = fields(request.body(), "limit", "window_seconds")
    return reply(request.memory.cycles.take(request.path["source_id"], limit, window_seconds).as_dict())
