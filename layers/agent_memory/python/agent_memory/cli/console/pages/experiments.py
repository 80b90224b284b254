"""Experiments: what memory adds, measured against units from which it was withheld."""

from typing import Any

from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.memory.experiment_results import experiment_results
from agent_memory.model.listings import Damages
from agent_memory.model.memories import MemoryType

EXPERIMENT_COLUMNS = columns(
    """
    name           text     Experiment
    decision_type  type     Type
    status         status   Status
    uplift         uplift   Uplift
    memory_rate    percent  With memory
    memory_units   number   Units
    holdout_rate   percent  Without
    holdout_units  number   Units
    paired_uplift  points   Option by option
    """
)


def experiments_of(visit: Visit) -> list[dict[str, Any]]:
    """What the experiments of the agent have shown, as `agent-memory experiments` prints it, a row for each type."""
    visit.source.stores("the figures of experiments")
    memory = visit.source.memory(visit.agent_id).direct.long_term
    found = memory.find(MemoryType.EXPERIMENT, as_of=visit.as_of, on_unreadable=Damages())
    return [_row(one) for one in experiment_results(found)]


async def experiments_page(visit: Visit) -> Page:
    """The experiments of the agent."""
    rows = await in_thread(experiments_of, visit)
    table = Table("experiments", EXPERIMENT_COLUMNS, rows, empty="No experiment withholds memory.")
    return Page("experiments.html.j2", "Experiments", {}, [table], is_dated=True)


def _row(one: dict[str, Any]) -> dict[str, Any]:
    low, high = one["interval"] or (None, None)
    return {
        **{name: one[name] for name in ("name", "decision_type", "status", "uplift", "excludes_zero")},
        "low": low,
        "high": high,
        "memory_rate": one["memory"]["mean"],
        "memory_units": one["memory"]["units"],
        "holdout_rate": one["holdout"]["mean"],
        "holdout_units": one["holdout"]["units"],
        "paired_uplift": one["paired"]["uplift"] if one["paired"] else None,
    }
