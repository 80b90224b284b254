"""`agent-memory experiments`: what experiments that withhold memory have shown."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from agent_memory.cli.options import Agents, StoreOptions
from agent_memory.cli.output import Output, missing_lines
from agent_memory.memory.experiment_results import experiment_results
from agent_memory.model.listings import Damages
from agent_memory.model.memories import MemoryType


def experiments(
    *,
    agent: Agents = None,
    pooled: Annotated[bool, typer.Option("--pooled", help="State one difference for all these agents.")] = False,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print what memory adds to success, as experiments that withhold it have shown by the last nightly job.

    The intervals hold for all days together, so that an experiment may be ended as soon as it excludes zero.
    """
    stores, damages = where.stores(), Damages()
    found = [
        memory
        for name in (agent or stores.states.agents())
        for memory in stores.memories.by_confidence(name, MemoryType.EXPERIMENT, on_unreadable=damages)
    ]
    results = experiment_results(found, pooled=pooled)
    missing = damages.as_dicts()
    lines = list(map(_line, results)) or ["no experiment"]
    output.show({"experiments": results, "missing": missing}, [*lines, *missing_lines(missing)])
    return 0


def _line(one: Mapping[str, Any]) -> str:
    agents = one["agents"][0] if len(one["agents"]) == 1 else f"{len(one['agents'])} agents"
    arms = " against ".join(
        f"{one[arm]['units']:,} units {name} memory" for arm, name in (("memory", "with"), ("holdout", "without"))
    )
    paired = f"; option by option {_difference(one['paired'])}" if one["paired"] else ""
    return f"{one['name']}  {agents}  {one['decision_type']}  {one['status']}: {_difference(one)}, {arms}{paired}"


def _difference(one: Mapping[str, Any]) -> str:
    if one["uplift"] is None:
        return "not known yet"
    points = f"{100 * one['uplift']:+.1f} points"
    if one["interval"] is None:
        return f"{points} [too few for an interval]"
    low, high = one["interval"]
    return f"{points} [{100 * low:+.1f}, {100 * high:+.1f}]"
