"""All agents, how far their nightly jobs have come, and the memories on which several of them acted at once."""

from datetime import date
from typing import Any

from agent_memory.cli.console.pages.nightly import nightly_status
from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import last_ended_day, parse_date
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Damaged
from agent_memory.memory.crowding import crowding_report
from agent_memory.model.listings import Damages, Unreadable
from agent_memory.ports.stores import Stores

_AGENTS = columns(
    """
    agent_id         agent   Agent
    learned_through  day     Learned through
    days_due         number  Days due
    paused           text    Paused
    """
)
_CROWDING = columns(
    """
    memory_id        text     Memory
    agent_id         text     Of
    agents           number   Agents
    decisions        number   Decisions
    start            time     From
    end              time     To
    alike            percent  Alike
    alike_otherwise  percent  Otherwise
    crowded          flag     Crowded
    """
)


async def agents_page(visit: Visit) -> Page:
    """The page about all agents."""
    agents = await visit.source.agent_ids()
    if not visit.source.is_direct:
        rows: list[dict[str, Any]] = [{"agent_id": one} for one in agents]
        return Page("agents.html.j2", "Agents", {"day": None, "measured": None}, [Table("agents", _AGENTS[:1], rows)])
    stores = visit.source.stores("crowding")
    missing = Damages()
    rows = await in_thread(map_concurrently, lambda one: _status(one, stores, missing), agents)
    wanted = visit.text("day")
    day = parse_date(wanted) if wanted else last_ended_day(stores.clock.now_ms())
    tables = [Table("agents", _AGENTS, rows, empty="No agent has logged a decision.")]
    measured = None
    if stores.blobs is not None:
        found = await in_thread(_crowding, visit, day, agents, missing)
        measured = any(one["measured"] for one in found)
        memories = [{"agent_id": one["agent_id"], **memory} for one in found for memory in one["memories"]]
        tables.append(Table("crowding", _CROWDING, memories, empty="No memory was acted on by several agents."))
    values = {"day": day.isoformat(), "measured": measured, "missing": missing.as_dicts()}
    return Page("agents.html.j2", "Agents", values, tables)


def _status(agent_id: str, stores: Stores, missing: Damages) -> dict[str, Any]:
    """How far the nightly jobs of an agent have come; only its name where its own state is damaged."""
    try:
        return nightly_status(agent_id, stores)
    except Damaged as error:
        missing(Unreadable(agent_id, error))
        return {"agent_id": agent_id}


def _crowding(visit: Visit, day: date, agents: list[str], missing: Damages) -> list[dict[str, Any]]:
    """For each agent and pool, the memories on which several agents acted at once on a day."""
    stores = visit.source.stores("crowding")
    names = list(dict.fromkeys([*agents, *visit.source.pools]))
    try:
        return [{"agent_id": name, **crowding_report(name, day.isoformat(), stores)} for name in names]
    except Damaged as error:  # one report has all of them
        missing(Unreadable(f"crowding of {day}", error))
        return []
