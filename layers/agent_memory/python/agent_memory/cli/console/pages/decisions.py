"""The decisions that meet what the URL says, newest first."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent_memory.cli.console.conditions import context_conditions, end_of, start_of
from agent_memory.cli.console.reasons import chosen_of, sources_named, symbol_of
from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import to_iso
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.core.ids import is_decision_id
from agent_memory.core.json_values import canonical_json
from agent_memory.decisions.queries import DecisionFilter, SuccessFilter, place_of
from agent_memory.model.decisions import Decision, DecisionDict, context_type_of
from agent_memory.model.outcomes import known_at
from agent_memory.reporting.records import Missing, decisions_of

ROWS = 50
_SECONDS = 0.1
"""After this time no further page of the log is read for one of the console."""
_OUTCOMES: Mapping[str, SuccessFilter] = {"succeeded": True, "failed": False, "pending": "pending"}

COLUMNS = columns(
    """
    timestamp      decision  Time
    decision_type  type      Type
    success        outcome   Outcome
    chosen         short     Chosen
    context_type   context   Context
    source         short     Source
    symbol         short     Symbol
    propensity     decimal   Propensity
    memories       number    Memories
    """
)


async def decisions_page(visit: Visit) -> Page:
    """The table of decisions with its filters."""
    found = await _find(visit)
    types = await decision_types(visit)
    rows = [row_of(one) for one in found.decisions]
    table = Table("decisions", COLUMNS, rows, empty="No decision meets these conditions.")
    values = {"found": found, "types": types, "marks": _marks(found.decisions), "outcomes": list(_OUTCOMES)}
    return Page("decisions.html.j2", "Decisions", values, [table], is_dated=visit.source.is_direct)


async def decision_types(visit: Visit) -> list[str]:
    """The types that the agent has used; empty where the store does not say."""
    if not visit.source.is_direct:
        return []
    registration = visit.source.stores("types").states.registration
    return list((await in_thread(registration, visit.agent_id)).decision_types)


def row_of(decision: DecisionDict) -> dict[str, Any]:
    """A decision as a row of a table."""
    return {
        "decision_id": decision["decision_id"],
        "timestamp": decision["timestamp"],
        "decision_type": decision["decision_type"],
        "success": decision["success"],
        "chosen": ", ".join(chosen_of(decision)) or None,
        "context_type": context_type_of(decision["context"]),
        "source": ", ".join(sources_named(decision)) or None,
        "symbol": symbol_of(decision),
        "propensity": decision["propensity"],
        "memories": len(decision["memory_ids"]),
    }


@dataclass(slots=True)
class _Found:
    """The decisions of one page, and how far they were looked for.

    Attributes:
        decisions: those that meet every condition, newest first.
        cursor: where to continue; None if there are no more.
        missing: what could not be read.
        back_to: how far they were looked for, if there are more.
        is_searched: whether the log has no index for the conditions.
    """

    decisions: list[DecisionDict] = field(default_factory=list)
    cursor: str | None = None
    missing: list[dict[str, Any]] = field(default_factory=list)
    back_to: str | None = None
    is_searched: bool = False


async def _find(visit: Visit) -> _Found:
    """Read pages of the log until there are enough rows, or its time is over; then the page says how far it has come.

    The log has no conditions for a source or a symbol: decisions that have its name somewhere are looked through here.
    """
    if is_decision_id(visit.text("text") or ""):
        return await _named(visit)
    source, symbol = visit.text("source"), visit.text("symbol")
    criteria = _criteria(visit, [one for one in (source, symbol) if one])
    found = _Found(
        cursor=visit.text("cursor"), is_searched=criteria.text is not None or bool(visit.as_of and _outcome(visit))
    )
    log, began = visit.source.pages(visit.agent_id), time.monotonic()
    while True:
        page = await in_thread(log.page_decisions, criteria, limit=ROWS, newest_first=True, cursor=found.cursor)
        known = await in_thread(as_known, visit, page["decisions"])
        found.decisions += [one for one in known if _is_of(one, source, symbol) and _has_outcome(one, visit)]
        found.missing += page["missing"]
        found.cursor = page["cursor"]
        is_slow = time.monotonic() - began > _SECONDS
        if found.cursor is None or len(found.decisions) >= ROWS or is_slow:
            break
    if found.cursor is not None:
        found.back_to = place_of(found.cursor).partition("#")[0]
    return found


async def _named(visit: Visit) -> _Found:
    """The decision whose id was typed: an id says where its decision is."""
    try:
        decision = await visit.source.log(visit.agent_id).get_decision(visit.text("text") or "")
    except NotFound:
        return _Found(is_searched=True)
    if not was_made(visit, decision):
        return _Found(is_searched=True)
    return _Found(await in_thread(as_known, visit, [decision]), is_searched=True)


def _criteria(visit: Visit, names: list[str]) -> DecisionFilter:
    """What the log filters by. Decisions that have a name somewhere have it as it is written in JSON."""
    words = [visit.text("text") or "", *(canonical_json(one)[1:-1] for one in names)]
    return DecisionFilter(
        visit.text("type"),
        (start_of(visit.text("from"), "from"), _end(visit)),
        # The log knows outcomes as they are now: as of a time, they are compared here.
        _outcome(visit) if visit.as_of is None else None,
        context_conditions(visit.text("context")),
        text=" ".join(words).strip() or None,
    )


def _end(visit: Visit) -> datetime | None:
    """The earlier one of the end in the URL and the time that the page is shown as of."""
    ends = [one for one in (end_of(visit.text("to"), "to"), visit.as_of) if one is not None]
    return min(ends, default=None)


def _outcome(visit: Visit) -> SuccessFilter:
    """The outcome that the URL asks for."""
    name = visit.text("outcome")
    if name is not None and name not in _OUTCOMES:
        raise InvalidInput("outcome", f"is not one of {', '.join(_OUTCOMES)}")
    return _OUTCOMES[name] if name else None


def _has_outcome(decision: DecisionDict, visit: Visit) -> bool:
    wanted = _outcome(visit)
    return wanted is None or decision["success"] is (None if wanted == "pending" else wanted)


def was_made(visit: Visit, decision: Mapping[str, Any]) -> bool:
    """Whether a decision had been made by the time that the page is shown as of."""
    made = start_of(decision["timestamp"], "timestamp")
    return visit.as_of is None or made is None or made < visit.as_of


def as_known(visit: Visit, decisions: list[DecisionDict]) -> list[DecisionDict]:
    """Decisions with the outcomes that were known at the time that the page is shown as of; blocks."""
    at_ms = visit.as_of_ms
    if at_ms is None:
        return decisions
    with_outcome = [one["decision_id"] for one in decisions if one["success"] is not None]
    found = visit.source.recorded(visit.agent_id, with_outcome)
    known = {one.decision_id: known_at(one, at_ms).as_dict() for one in found}
    return [known.get(one["decision_id"], one) for one in decisions]


def known_decisions(visit: Visit, start_ms: int, end: datetime | None, missing: Missing) -> Iterator[Decision]:
    """The decisions of a range of time, with the outcomes that were known at the time that the page is shown as of.

    Of an outcome that was changed, an API knows the latest; what it was before counts as not known.
    """
    criteria = DecisionFilter(time_range=(to_iso(start_ms), end)).validated()
    found, at_ms = decisions_of(visit.source.log(visit.agent_id)).decisions(criteria, missing), visit.as_of_ms
    return found if at_ms is None else (known_at(one, at_ms) for one in found)


def _is_of(decision: DecisionDict, source: str | None, symbol: str | None) -> bool:
    return (source is None or source in sources_named(decision)) and (symbol is None or symbol == symbol_of(decision))


def _marks(decisions: list[DecisionDict]) -> list[dict[str, Any]]:
    """The rows on a line of time, each from 0 (the oldest) to 1."""
    times = [start_of(one["timestamp"], "timestamp") for one in decisions]
    numbers = [one.timestamp() for one in times if one is not None]
    if not numbers:
        return []
    first, span = min(numbers), (max(numbers) - min(numbers)) or 1.0
    return [
        {"at": (number - first) / span, "success": one["success"], "decision_id": one["decision_id"]}
        for number, one in zip(numbers, decisions, strict=True)
    ]
