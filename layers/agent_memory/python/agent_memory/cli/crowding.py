"""`agent-memory crowding`: memories on which several agents acted at once."""

from datetime import date
from typing import Annotated

from agent_memory.cli.options import Agents, StoreOptions, day_option
from agent_memory.cli.output import Output
from agent_memory.core.clock import last_ended_day
from agent_memory.core.extras import needs_extra
from agent_memory.learning.crowding import Crowding

CROWDED = 1


def crowding(
    *,
    date_: Annotated[date | None, day_option("--date", "The UTC day; by default the last one that has ended.")] = None,
    agent: Agents = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print the memories on which several agents acted within an hour of a day, and how alike they decided.

    A day is known once the nightly jobs have learned from it. How alike two agents decided is the overlap of what they
    chose, from 0 to 100 %; beside it is that of their other decisions on the day.

    Exit code: 0 no memory is crowded, 1 five or more agents decided alike on one, 2 a store did not respond.
    """
    stores = where.stores(needs_bucket=True)
    day = date_ or last_ended_day(stores.clock.now_ms())
    with needs_extra("cli"):
        from agent_memory.nightly.crowding import crowding_on  # noqa: PLC0415  other commands need no NumPy
    found = crowding_on(day, agent or stores.states.agents(), stores)
    memories = [{**one.as_dict(), "agent_ids": list(one.agents)} for one in found]
    output.show(
        {"date": day.isoformat(), "memories": memories},
        list(map(_line, found)) or [f"no memory was acted on by several agents on {day}"],
    )
    return CROWDED if any(one.is_crowded for one in found) else 0


def _line(one: Crowding) -> str:
    mark = "  crowded" if one.is_crowded else ""
    start, end = (one.as_dict()[name][:16].replace("T", " ") for name in ("start", "end"))
    return (
        f"{one.memory_id}  {len(one.agents)} agents, {one.decisions} decisions from {start} to {end}: "
        f"{_alike(one.alike)} alike, otherwise {_alike(one.alike_otherwise)}{mark}\n  {', '.join(one.agents)}"
    )


def _alike(share: float | None) -> str:
    return "not comparable" if share is None else f"{100 * share:.0f} %"
