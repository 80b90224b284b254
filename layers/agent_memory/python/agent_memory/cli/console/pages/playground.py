"""What an agent would recall or be advised: the same calls, with their explanations."""

from typing import Any

from agent_memory.cli.console.conditions import context_conditions
from agent_memory.cli.console.pages.decisions import decision_types
from agent_memory.cli.console.reasons import chosen_of
from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.memory.pattern_figures import sentence_of

_RECALLED = columns(
    """
    score    decimal   Score
    kind     type      Kind
    entry    entry     Entry
    text     sentence  What it says
    success  outcome   Outcome
    why      json      Why
    """
)
_OPTIONS = columns(
    """
    option               text     Option
    success_rate         rate     Expected
    deviation            decimal  Deviation
    effective_decisions  decimal  Effective decisions
    propensity           decimal  Propensity
    chosen               flag     Chosen
    note                 text     Note
    """
)
_CLAIMS = columns(
    """
    pattern_id    memory    Pattern
    description   sentence  What it says
    confidence    percent   Confidence
    success_rate  percent   Success rate
    """
)


async def recall_page(visit: Visit) -> Page:
    """A search of memories and decisions, ranked as agents get it."""
    query, is_asked = visit.text("q") or "", any(visit.text(one) for one in ("q", "kind", "symbol", "context"))
    found: Any = []
    if is_asked:
        found = await visit.source.memory(visit.agent_id).recall(
            query,
            kind=visit.text("kind"),
            symbol=visit.text("symbol"),
            top_k=visit.number("top", 10, most=100),
            explain=True,
            as_of=visit.as_of,
            context=context_conditions(visit.text("context")),
        )
    table = Table("recalled", _RECALLED, [_recalled(one) for one in found], empty="Nothing was found.")
    values = {"is_asked": is_asked, "missing": getattr(found, "missing", []), "types": await decision_types(visit)}
    return Page("recall.html.j2", "Recall", values, [table], is_dated=True)


def _recalled(one: dict[str, Any]) -> dict[str, Any]:
    memory, decision = one.get("memory"), one.get("decision")
    row = {"score": one["score"], "kind": one["kind"], "why": one.get("why"), "success": None, "memory_type": None}
    if memory is not None:
        return {**row, "entry": memory["pattern_id"], "memory_type": memory["memory_type"], "text": sentence_of(memory)}
    assert decision is not None  # noqa: S101  an entry is one of the two
    chosen = ", ".join(chosen_of(decision))
    return {**row, "entry": decision["decision_id"], "text": chosen or None, "success": decision["success"]}


async def advise_page(visit: Visit) -> Page:
    """What to expect of each option."""
    options = [one.strip() for one in (visit.text("options") or "").split(",") if one.strip()]
    decision_type, advice = visit.text("type"), None
    rows: list[dict[str, Any]] = []
    if decision_type and options:
        advice = await visit.source.memory(visit.agent_id).advise(
            decision_type,
            context_conditions(visit.text("context")) or {},
            options,
            choose=visit.text("choose"),
            seed=visit.text("seed"),
        )
        rows = _option_rows(advice)
    claims = [{**one, "pattern_id": one["memory_id"], "memory_type": "PATTERN"} for one in _claims(advice)]
    tables = [
        Table("options", _OPTIONS, rows, empty="Name a type and its options."),
        Table("claims", _CLAIMS, claims, empty="No pattern applies."),
    ]
    return Page("advise.html.j2", "Advise", {"advice": advice, "types": await decision_types(visit)}, tables)


def _option_rows(advice: dict[str, Any]) -> list[dict[str, Any]]:
    choice = advice["choice"] or {"chosen": [], "propensities": []}
    propensities = {one["option"]: one["propensity"] for one in choice["propensities"]}
    return [
        {
            "option": one["option"],
            "success_rate": one["expected"],
            "low": one["interval"][0],
            "high": one["interval"][1],
            "deviation": one["deviation"],
            "effective_decisions": one["effective_decisions"],
            "propensity": propensities.get(one["option"]),
            "chosen": one["option"] in choice["chosen"],
            "note": "no decision yet: this is the prior" if one["is_prior"] else None,
        }
        for one in advice["options"]
    ]


def _claims(advice: dict[str, Any] | None) -> list[dict[str, Any]]:
    if advice is None:
        return []
    return [*advice["claims"], *(claim for one in advice["options"] for claim in one["claims"])]
