"""`agent-memory nightly`: run the nightly job by hand, for any agent and day."""

from datetime import date
from typing import Annotated, Any

import typer

from agent_memory.cli.groups import Commands, with_groups
from agent_memory.cli.options import Agents, StoreOptions, day_option
from agent_memory.cli.output import Output, table
from agent_memory.core.clock import last_ended_day
from agent_memory.core.errors import NotFound
from agent_memory.core.extras import needs_extra
from agent_memory.memory.learning_controls import read_controls
from agent_memory.nightly.days import LearnedDays
from agent_memory.ports.stores import Stores

FAILED_AGENTS = BEHIND = 1
_UNKNOWN = "there is no such agent: it has no registration and no memories"
_STATUS_COLUMNS = {"agent": 24, "learned": 10, "days due": 8, "learning": 8}


nightly = Commands("Run the nightly job: learn, prune, archive and report.", invoke_without_command=True)


@nightly.callback()
@with_groups
def by_hand(
    context: typer.Context,
    *,
    date_: Annotated[date | None, day_option("--date", "The UTC day to process.")] = None,
    agent: Agents = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Learn, prune, archive and report for a UTC day, in this process. Running it again changes nothing.

    `agent-memory nightly run` does so for yesterday, as from cron.

    Exit code: 0 every agent's job succeeded, 1 some failed, 2 no job could be started.
    """
    if context.invoked_subcommand is not None:
        sources = map(context.get_parameter_source, context.params)
        if any(source is not None and source.name == "COMMANDLINE" for source in sources):
            raise typer.BadParameter(f"write options after `{context.invoked_subcommand}`")
        return 0
    if date_ is None:
        raise typer.BadParameter("Missing option '--date'.")
    stores = where.stores(needs_bucket=True)
    return _run(stores, agent, date_, output)


@nightly.command()
def run(
    *,
    date_: Annotated[
        date | None, day_option("--date", "The UTC day to process; by default the last one that has ended.")
    ] = None,
    agent: Agents = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Run the job of the last day that has ended, and make up for the days that were missed.

    Exit code: 0 every agent's job succeeded, 1 some failed, 2 no job could be started.
    """
    stores = where.stores(needs_bucket=True)
    day = date_ or last_ended_day(stores.clock.now_ms())
    return _run(stores, agent, day, output)


@nightly.command()
def status(*, agent: Agents = None, where: StoreOptions, output: Output) -> int:
    """Print for each agent the last day that was learned and how many days are due.

    Exit code: 0 nothing is due, 1 an agent has days that no job has learned, 2 the stores did not respond.
    """
    stores = where.stores()
    through = last_ended_day(stores.clock.now_ms())
    for one in agent or ():
        if not _is_known(one, stores):
            raise NotFound(f"{one}: {_UNKNOWN}")
    entries = [status_of(name, through, stores) for name in agent or stores.states.agents()]
    rows = ([one["agent_id"], one["learned_through"], one["days_due"], one["paused"] or ""] for one in entries)
    output.show(entries, table(_STATUS_COLUMNS, rows, "no agent is registered"))
    return BEHIND if any(one["days_due"] and not one["paused"] for one in entries) else 0


def status_of(agent_id: str, through: date, stores: Stores) -> dict[str, Any]:
    """How far the nightly jobs of an agent have come, and how many days until `through` they have not learned."""
    days = LearnedDays(agent_id, stores)
    progress = days.progress()
    paused = read_controls(stores.states, agent_id).paused
    due = [one for one in days.due(through, progress) if one != progress.learned_through]
    return {
        "agent_id": agent_id,
        "learned_through": progress.learned_through.isoformat() if progress.learned_through else None,
        "interrupted": progress.learning.isoformat() if progress.learning else None,
        "days_due": len(due),
        "paused": f"paused by {paused['by']} since {paused['at']}" if paused else None,
    }


def _run(stores: Stores, agents: list[str] | None, day: date, output: Output) -> int:
    with needs_extra("cli"):
        from agent_memory.nightly.run import run_nightly_jobs  # noqa: PLC0415  other commands need no NumPy
    unknown = [one for one in agents or () if not _is_known(one, stores)]
    chosen = [one for one in agents if one not in unknown] if agents else None
    entries = run_nightly_jobs(chosen, day, stores)
    entries += [{"agent_id": one, "date": day.isoformat(), "error": _UNKNOWN} for one in unknown]
    output.show(entries, list(map(_line, entries)) or ["no agent is registered"])
    return FAILED_AGENTS if any("error" in entry for entry in entries) else 0


def _is_known(agent_id: str, stores: Stores) -> bool:
    """Whether an agent has decisions or memories; its name may be misspelled."""
    return bool(stores.states.registration(agent_id).decision_types or stores.memories.types(agent_id))


def _line(entry: dict[str, Any]) -> str:
    if "error" in entry:
        return f"{entry['agent_id']}  failed: {entry['error']}"
    learned, pruned, archived = entry["consolidation"], entry["pruning"], entry["archival"]
    notes = [one["note"] for one in learned["outcomes"].values() if one["note"]]
    line = (
        f"{entry['agent_id']}  {learned['evidence_rows']:,} rows of evidence, {learned['active']} active patterns, "
        f"{pruned['pruned']} memories pruned, {archived['decisions']:,} decisions archived"
    )
    return "\n  ".join([line, *notes])
