"""One memory: what it says, how it has changed, what was decided with it and what came of that; and changing it."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent_memory.cli.console.pages.memories import as_of, memory_row
from agent_memory.cli.console.rendering import segment
from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import to_iso
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.memory.influence import influence_of
from agent_memory.memory.pattern_figures import sentence_of
from agent_memory.model.memories import MemoryType
from agent_memory.reporting.trend_text import trend_text

_HISTORY = columns(
    """
    version     number   Version
    at          time     Time
    changed_by  text     By
    reason      text     Why
    changes     changes  Changes
    """
)
_READERS = columns(
    """
    timestamp      time         Time
    decision_type  type         Type
    success        outcome      Outcome
    decision_id    decision_id  Decision
    """
)
_OUTCOMES = columns(
    """
    decision_type  type    Type
    decisions      number  Decisions
    with_outcome   number  With outcome
    succeeded      number  Succeeded
    success_rate   rate    Success rate
    """
)
_FED = columns(
    """
    memory_type  text    Type
    pattern_id   memory  Memory
    decisions    number  Decisions
    matching     number  With its features
    """
)
_OWN = ("agent_id", "memory_type", "pattern_id", "embedding")
_SHOWN = 20


async def memory_page(visit: Visit) -> Page:
    """The page of a memory."""
    memory_type, pattern_id = visit.path["memory_type"], visit.path["pattern_id"]
    memory = visit.source.memory(visit.agent_id)
    current, quarantines = await asyncio.gather(_version(visit, memory_type, pattern_id), memory.list_quarantines())
    if current is None and not await memory.get_ltm_history(memory_type, pattern_id):
        raise NotFound(f"{visit.agent_id} never had a memory {pattern_id} of type {memory_type}")
    trend: list[dict[str, Any]] = []
    if memory_type == MemoryType.PATTERN:
        trend = _until(visit, await in_thread(visit.source.confidence_trend, visit.agent_id, pattern_id))
    # Of reads and quarantines, only the present is known.
    is_now = visit.as_of is None
    reads = await in_thread(_reads, visit, memory_type, pattern_id) if is_now else None
    values = {
        "memory": current,
        "row": memory_row(current) if current else None,
        "sentence": sentence_of(current) if current else None,
        "data": {name: value for name, value in (current or {}).items() if name not in _OWN},
        "editable": _editable(current),
        "memory_type": memory_type,
        "pattern_id": pattern_id,
        "quarantine": next((one for one in quarantines if is_now and one["memory_id"] == pattern_id), None),
        "reads": reads,
        "series": _series(trend, to_iso(visit.as_of_ms or visit.source.clock.now_ms())),
    }
    return Page("memory.html.j2", pattern_id, values, is_dated=True)


async def _version(visit: Visit, memory_type: str, pattern_id: str) -> dict[str, Any] | None:
    """The memory as it is, or was at the time in the URL, without counting a read; None if there is none."""
    if visit.source.is_direct and visit.text("as_of") is None:
        stored = await in_thread(visit.source.stores("reads").memories.get, visit.agent_id, memory_type, pattern_id)
        return None if stored is None else stored.as_dict()
    find = visit.source.memory(visit.agent_id).retrieve_ltm
    found = await find(memory_type, {"pattern_id": pattern_id}, as_of=as_of(visit))
    return dict(found[0]) if found else None


async def history_page(visit: Visit) -> Page:
    """How a memory has changed, a part of its page: an estimate has large versions."""
    memory_type, pattern_id = visit.path["memory_type"], visit.path["pattern_id"]
    history = await visit.source.memory(visit.agent_id).get_ltm_history(memory_type, pattern_id)
    table = Table("history", _HISTORY, _until(visit, history)[::-1], empty="It has no history.", shown=_SHOWN)
    return Page("history.html.j2", pattern_id, {"missing": history.missing}, [table])


def _until(visit: Visit, changes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The changes up to the time that the page is shown as of."""
    if visit.as_of is None:
        return list(changes)
    return [one for one in changes if datetime.fromisoformat(one["at"]) < visit.as_of]


async def named_memory_page(visit: Visit) -> Page:
    """The page of a memory whose type is not known, as decisions name it: the first type that has one."""
    memory, pattern_id = visit.source.memory(visit.agent_id), visit.path["pattern_id"]
    types = list(map(str, MemoryType))
    found = await asyncio.gather(*(memory.get_ltm_history(one, pattern_id) for one in types))
    for memory_type, history in zip(types, found, strict=True):
        if history:
            return await memory_page(replace(visit, path={**visit.path, "memory_type": memory_type}))
    raise NotFound(f"{visit.agent_id} never had a memory {pattern_id} of a standard type")


async def influence_page(visit: Visit) -> Page:
    """What was decided with a memory and what came of that, a part of its page: it reads all decisions."""
    found = await _influence(visit)
    outcomes = [{"decision_type": name, **one} for name, one in found["outcomes"].items()]
    decisions = list(reversed(found["decisions"]))
    tables = [
        Table("outcomes", _OUTCOMES, outcomes, empty="No decision names it."),
        Table("decisions", _READERS, decisions, empty="No decision names it.", shown=_SHOWN),
    ]
    if visit.as_of is None:
        tables.append(Table("fed", _FED, found["fed"], empty="Nothing was learned from its decisions."))
    return Page("influence.html.j2", visit.path["pattern_id"], {"missing": found["missing"]}, tables)


async def _influence(visit: Visit) -> dict[str, Any]:
    """The decisions up to the time that the page is shown as of, with the outcomes that were known then.

    An API knows outcomes as they are now.
    """
    pattern_id = visit.path["pattern_id"]
    span = None if visit.as_of is None else (None, visit.as_of)
    if visit.as_of is None or not visit.source.is_direct:
        return await visit.source.memory(visit.agent_id).influence(pattern_id, span)
    log, stores = visit.source.log(visit.agent_id).log, visit.source.stores("outcomes as they were known at a time")
    found = await in_thread(lambda: influence_of(pattern_id, log, stores, time_range=span, known_by_ms=visit.as_of_ms))
    return found.as_dict()


def _reads(visit: Visit, memory_type: str, pattern_id: str) -> dict[str, Any] | None:
    """How often agents have read it, as the nightly job has added up; None over HTTP, where a look is itself a read."""
    if not visit.source.is_direct:
        return None
    stored = visit.source.stores("reads").memories.get(visit.agent_id, memory_type, pattern_id)
    return None if stored is None else {name: stored.as_dict()[name] for name in ("access_count", "last_accessed")}


def _series(trend: list[dict[str, Any]], until: str) -> dict[str, Any] | None:
    """The confidence over time for the plot, with the interval of the success rate as a band."""
    if not trend:
        return None

    def values(name: str) -> list[float | None]:
        return [None if one["removed"] else one[name] for one in trend]

    return {
        "kind": "steps",
        "label": trend_text(trend),
        "times": [one["at"] for one in trend],
        "until": until,
        "percent": True,
        "band": {"low": values("low"), "high": values("high"), "label": "95 % interval of the success rate"},
        "series": [
            {"label": "Confidence", "values": values("confidence")},
            {"label": "Success rate", "values": values("success_rate")},
            {"label": "Otherwise", "values": values("base_rate")},
        ],
    }


def _editable(memory: dict[str, Any] | None) -> str | None:
    """What a correction begins with: the memory as it was read, which may be stored again."""
    return None if memory is None else json.dumps(memory, ensure_ascii=False, indent=2)


async def quarantine(visit: Visit) -> str:
    """Take a memory out of use."""
    memory = visit.source.memory(visit.agent_id)
    await memory.quarantine(_id(visit), visit.form.get("reason", ""), memory_type=visit.form.get("memory_type"))
    return _path(visit)


async def release(visit: Visit) -> str:
    """Use a memory again that was quarantined."""
    memory = visit.source.memory(visit.agent_id)
    await memory.release(_id(visit), visit.form.get("reason", ""), memory_type=visit.form.get("memory_type"))
    return _path(visit)


async def correct(visit: Visit) -> str:
    """Store the next version of a memory, if it still has the version that the page showed."""
    try:
        data = json.loads(visit.form.get("data", ""))
        version = int(visit.form.get("version", ""))
    except (ValueError, RecursionError) as error:
        raise InvalidInput("data", f"is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise InvalidInput("data", "expected a JSON object")
    memory = visit.source.memory(visit.agent_id)
    await memory.store_ltm(
        visit.form.get("memory_type", ""),
        _id(visit),
        data,
        reason=visit.form.get("reason") or None,
        expected_version=version,
    )
    return _path(visit)


def _id(visit: Visit) -> str:
    return visit.form.get("memory_id", "")


def _path(visit: Visit) -> str:
    memory_type = visit.form.get("memory_type", "")
    return f"/agents/{segment(visit.agent_id)}/memories/{segment(memory_type)}/{segment(_id(visit))}"
