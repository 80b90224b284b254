"""One decision: why it was made, what it rested on as it was then, what came of it, and whether it is as sealed."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from agent_memory.archive.verification import verification_of
from agent_memory.cli.console.chain_graph import chain_graph
from agent_memory.cli.console.conditions import start_of
from agent_memory.cli.console.pages.decisions import COLUMNS, as_known, row_of, was_made
from agent_memory.cli.console.reasons import chosen_of, score_groups, symbol_of
from agent_memory.cli.console.rendering import instant
from agent_memory.cli.console.view import Column, Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.core.errors import NotFound
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS
from agent_memory.memory.pattern_figures import sentence_of
from agent_memory.model.decisions import DecisionDict
from agent_memory.model.memories import MemoryType
from agent_memory.reporting.formatting import name

_OUTCOME_COLUMNS = columns(
    """
    horizon      text     Horizon
    success      outcome  Outcome
    recorded_at  time     Known since
    outcome      json     What happened
    metrics      json     Metrics
    note         text
    """
)
_MEMORY_COLUMNS = columns(
    """
    pattern_id   memory   Memory
    description  text     What it said
    confidence   percent  Confidence
    version      number   Version
    updated_at   time     Of
    note         text
    """
)
_PRICE_COLUMNS = columns(
    """
    time   time     Time
    open   decimal  Open
    high   decimal  High
    low    decimal  Low
    close  decimal  Close
    """
)


async def decision_page(visit: Visit) -> Page:
    """The page of a decision."""
    decision = await visit.source.log(visit.agent_id).get_decision(visit.path["decision_id"])
    if not was_made(visit, decision):
        raise NotFound(f"decision {decision['decision_id']} was made later, at {decision['timestamp']}")
    (decision,) = await in_thread(as_known, visit, [decision])
    chain, memories = await asyncio.gather(
        visit.source.log(visit.agent_id).get_decision_chain(decision["decision_id"], visit.number("depth", 5, most=50)),
        memories_then(visit, decision),
    )
    linked = await in_thread(_linked, visit, chain)
    prices = await in_thread(_prices, visit, decision)
    related = [{**row_of(one), "why": one["why"]} for one in linked if not one["missing"]]
    values = {
        "decision": decision,
        "chosen": chosen_of(decision),
        "score_groups": score_groups(decision),
        "graph": chain_graph(decision, linked),
        "chain_missing": chain.missing,
        "absent": [one for one in linked if one["missing"]],
        "withheld": _withholding(decision),
        "prices": _price_series(decision, prices),
    }
    tables = [
        Table("outcomes", _OUTCOME_COLUMNS, outcomes_of(decision), empty="No outcome yet."),
        Table("memories", _MEMORY_COLUMNS, memories, empty="It names no memory."),
        Table("prices", _PRICE_COLUMNS, prices, empty="There are no bars of its symbol around it."),
        Table("chain", [Column("why", "Relation"), *COLUMNS[:5]], related, empty="No other decision."),
    ]
    return Page(
        "decision.html.j2",
        f"{name(decision['decision_type'])}, {instant(decision['timestamp'])} UTC",
        values,
        tables,
        is_dated=visit.source.is_direct,
    )


def _linked(visit: Visit, chain: Iterable[Mapping[str, Any]]) -> list[Any]:
    """The chain up to the time that the page is shown as of, with the outcomes that were known then; blocks."""
    linked: list[Any] = [one for one in chain if one["missing"] or was_made(visit, one)]
    made = [one for one in linked if not one["missing"]]
    known = {one["decision_id"]: one for one in as_known(visit, made)}
    return [{**one, **known.get(one["decision_id"], {})} for one in linked]


def _withholding(decision: DecisionDict) -> list[str]:
    """The names of the experiments that withheld memory from a decision."""
    logged = decision["metadata"].get("experiments")
    assigned = [one for one in logged if isinstance(one, Mapping)] if isinstance(logged, list) else []
    return [str(one.get("name")) for one in assigned if one.get("withheld") is True]


def _prices(visit: Visit, decision: DecisionDict) -> list[Mapping[str, Any]]:
    """The bars around a decision, up to the time that the page is shown as of."""
    at = start_of(decision["timestamp"], "timestamp")
    if visit.source.prices is None or at is None:
        return []
    return list(visit.source.prices.around(symbol_of(decision), at, visit.as_of))


def _price_series(decision: DecisionDict, bars: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The prices for the plot, and the decision as a line."""
    if not bars:
        return None
    names = ("open", "high", "low", "close")
    return {
        "kind": "candles",
        "label": "Prices around the decision",
        "times": [one["time"] for one in bars],
        "mark": decision["timestamp"],
        "series": [{"label": name.capitalize(), "values": [one[name] for one in bars]} for name in names],
    }


def outcomes_of(decision: DecisionDict) -> list[dict[str, Any]]:
    """Every outcome of a decision: the headline, those of other horizons, and those that were amended."""
    rows: list[dict[str, Any]] = []
    if decision["success"] is not None:
        headline = {name: decision[name] for name in ("horizon", "success", "outcome", "metrics")}
        rows.append({**headline, "recorded_at": decision["outcome_recorded_at"], "note": "headline"})
    rows += [_outcome_row(one, "") for one in decision["other_outcomes"]]
    rows += [_outcome_row(one, "replaced later") for one in decision["superseded_outcomes"]]
    return rows


def _outcome_row(one: Mapping[str, Any], note: str) -> dict[str, Any]:
    return {
        "horizon": one.get("horizon"),
        "success": one["success"],
        "outcome": one["outcome"],
        "metrics": one["metrics"],
        "recorded_at": one.get("recorded_at") or one.get("outcome_recorded_at"),
        "note": note,
    }


async def memories_then(visit: Visit, decision: DecisionDict) -> list[dict[str, Any]]:
    """The memories that a decision names, each as it was when the decision was made. These reads are not counted."""
    memory = visit.source.memory(visit.agent_id)

    async def find(pattern_id: str, memory_type: str) -> list[dict[str, Any]]:
        return await memory.retrieve_ltm(memory_type, {"pattern_id": pattern_id}, as_of=decision["timestamp"])

    async def row(pattern_id: str) -> dict[str, Any]:
        found = await asyncio.gather(*(find(pattern_id, str(one)) for one in MemoryType))
        versions = [one for listing in found for one in listing]
        if not versions:
            absent = dict.fromkeys(("memory_type", "description", "confidence", "version", "updated_at"))
            return {**absent, "pattern_id": pattern_id, "note": "not stored at that time under any standard type"}
        return {**versions[0], "description": sentence_of(versions[0]), "note": ""}

    return list(await asyncio.gather(*map(row, decision["memory_ids"])))


async def seal_page(visit: Visit) -> Page:
    """The seal of a decision's day, and whether the day is as it was sealed: a part of a decision's page."""
    decision = await visit.source.log(visit.agent_id).get_decision(visit.path["decision_id"])
    made = start_of(decision["timestamp"], "timestamp")
    values: dict[str, Any] = {"decision": decision, "archive_after_days": ARCHIVE_AFTER_DAYS}
    values |= await in_thread(_sealed, visit, made.date()) if made else {}
    return Page("seal.html.j2", "Seal", values)


def _sealed(visit: Visit, day: date) -> dict[str, Any]:
    stores = visit.source.stores("the archive's seals")
    manifest = stores.bucket().archive.manifest(visit.agent_id, day)
    if manifest is None:
        return {"day": day.isoformat(), "manifest": None, "verification": None}
    verification = verification_of(visit.agent_id, stores, first=day, last=day)
    return {"day": day.isoformat(), "manifest": manifest.as_dict(), "verification": verification.as_dict()}
