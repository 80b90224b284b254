"""`agent-memory memory influence|quarantine|release|quarantines`: what rested on a memory, and taking it out of use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from agent_memory.cli.author import Change
from agent_memory.cli.memory import PatternId, memory
from agent_memory.cli.options import Agent, StoreOptions, TimeOptions, agent_id
from agent_memory.cli.output import Output, missing_lines
from agent_memory.memory.agent_memory import AgentMemory
from agent_memory.memory.quarantines import Quarantines

_LEARN_AGAIN = "run the nightly job to learn again"


@dataclass(frozen=True, slots=True)
class Target:
    """A memory, and those whose learning it affects."""

    agent: Agent
    pattern_id: PatternId
    memory_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="The memory type, if it is a type of your own.")
    ] = None
    reader: Annotated[
        list[str] | None,
        typer.Option("--reader", metavar="ID", parser=agent_id, help="An agent that reads this pool; repeatable."),
    ] = None

    @property
    def agents(self) -> list[str]:
        """The agent or pool that has the memory, and the readers of the pool."""
        return [self.agent, *(self.reader or [])]


@memory.command()
def influence(
    *,
    agent: Agent,
    pattern_id: PatternId,
    time: TimeOptions,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print the decisions that were based on a memory, what came of them, and what was learned from them."""
    stores = where.stores()
    found = AgentMemory(agent, stores, stores.clock).influence(pattern_id, time.range).as_dict()
    output.show(found, _influence_lines(pattern_id, found))
    return 0


@memory.command()
def quarantine(*, target: Target, change: Change, where: StoreOptions, output: Output) -> int:
    """Take a memory out of use, and learn again without its decisions with the next nightly job.

    Nobody reads or stores it until `release`. For the memory of a pool, name the agents that read the pool with
    `--reader`: their decisions that are based on it are not learned from either.
    """
    stores = where.stores()
    done = [
        Quarantines(name, stores, stores.clock, by=change.by).put(target.pattern_id, change.reason, target.memory_type)
        for name in target.agents
    ]
    lines = [_quarantine_line(name, one) for name, one in zip(target.agents, done, strict=True)]
    output.show(done, [*lines, _LEARN_AGAIN])
    return 0


@memory.command()
def release(*, target: Target, change: Change, where: StoreOptions, output: Output) -> int:
    """Use a memory again that is quarantined, and learn from its decisions again with the next nightly job."""
    stores = where.stores()
    for name in target.agents:
        quarantines_of = Quarantines(name, stores, stores.clock, by=change.by)
        quarantines_of.release(target.pattern_id, change.reason, target.memory_type)
    lines = [f"{target.pattern_id} is not quarantined for {name} any more" for name in target.agents]
    output.show({"memory_id": target.pattern_id, "released_for": target.agents}, [*lines, _LEARN_AGAIN])
    return 0


@memory.command()
def quarantines(*, agent: Agent, where: StoreOptions, output: Output) -> int:
    """Print which memories of an agent are quarantined, since when, by whom and why."""
    stores = where.stores()
    found = Quarantines(agent, stores, stores.clock).current()
    lines = [f"{one['memory_id']}  by {one['by']} at {one['at']}: {one['reason']}" for one in found]
    output.show(found, lines or ["nothing is quarantined"])
    return 0


def _quarantine_line(agent: str, done: dict[str, Any]) -> str:
    kinds = ", ".join(one["memory_type"] for one in done["memories"]) or "no memory of its own"
    return f"{done['memory_id']} is quarantined for {agent} by {done['by']} since {done['at']} ({kinds})"


def _influence_lines(pattern_id: str, found: dict[str, Any]) -> Iterator[str]:
    for one in found["decisions"]:
        outcome = {None: "pending", True: "succeeded", False: "failed"}[one["success"]]
        yield f"{one['timestamp']}  {one['decision_type']}  {one['decision_id']}  {outcome}"
    for name, figures in found["outcomes"].items():
        yield (
            f"{name}: {figures['decisions']:,} decisions based on {pattern_id}, {figures['succeeded']:,} of "
            f"{figures['with_outcome']:,} with an outcome succeeded"
        )
    for one in found["fed"]:
        yield (
            f"{one['memory_type']} {one['pattern_id']}: {one['decisions']:,} of these decisions are its evidence, "
            f"{one['matching']:,} have its features"
        )
    if not found["decisions"]:
        yield f"no decision is based on {pattern_id}"
    yield from missing_lines(found["missing"])
