"""`agent-memory decisions exclude|exclusions|include`: decisions that are not to be learned from."""

from typing import Annotated

import typer

from agent_memory.cli.author import Author, Change
from agent_memory.cli.decisions import BasedOn, Type, decisions
from agent_memory.cli.options import Agent, StoreOptions, TimeOptions
from agent_memory.cli.output import Output
from agent_memory.core.clock import END_OF_TIME_MS, to_iso
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.core.ids import check_pattern_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.memory.learning_controls import Exclusion, LearningControls, read_controls
from agent_memory.model.listings import Damages
from agent_memory.ports.stores import Stores


@decisions.command()
def exclude(
    *,
    agent: Agent,
    decision: Annotated[
        list[str] | None, typer.Option("--decision", metavar="ID", help="One decision; repeatable.")
    ] = None,
    time: TimeOptions,
    type_: Type = None,
    memory: BasedOn = None,
    change: Change,
    where: StoreOptions,
    output: Output,
) -> int:
    """Do not learn from these decisions any more: those of a time and type, those based on a memory, or single ones.

    The decisions themselves and their archive stay as they are. What was learned from them before stays as well, until
    `agent-memory learning rebuild`.
    """
    stores = where.stores()
    start_ms, end_ms = time.span_ms()
    ids: list[str] = list(decision or [])
    if decision and (time.is_given or type_ or memory):
        raise InvalidInput("--decision", "cannot be combined with --from, --to, --type or --memory")
    if memory is not None:
        ids = _ids_based_on(memory, DecisionFilter(type_, time.range), agent, stores)
    if not ids and time.from_ is None:
        raise InvalidInput("--from", "is needed, or --memory or --decision: say what to exclude")
    excluded = LearningControls(agent, stores.states, stores.clock, by=change.by).exclude(
        start_ms=start_ms, end_ms=end_ms, decision_type=type_, decision_ids=ids, reason=change.reason
    )
    output.show(excluded.as_dict(), [_line(excluded)])
    return 0


@decisions.command()
def exclusions(*, agent: Agent, where: StoreOptions, output: Output) -> int:
    """Print what is excluded from an agent's learning, since when, by whom and why."""
    found = read_controls(where.stores().states, agent).exclusions
    output.show([one.as_dict() for one in found], list(map(_line, found)) or ["nothing is excluded"])
    return 0


@decisions.command()
def include(
    *,
    agent: Agent,
    exclusion: Annotated[int, typer.Option("--exclusion", min=1, metavar="N", help="Its number in `exclusions`.")],
    author: Author,
    where: StoreOptions,
    output: Output,
) -> int:
    """Learn from excluded decisions again: lift an exclusion."""
    stores = where.stores()
    LearningControls(agent, stores.states, stores.clock, by=author.by).lift(exclusion)
    output.show({"agent_id": agent, "lifted": exclusion}, [f"exclusion {exclusion} was lifted"])
    return 0


def _ids_based_on(memory: str, criteria: DecisionFilter, agent: str, stores: Stores) -> list[str]:
    check_pattern_id(memory)
    damages = Damages()
    found = DecisionLog(agent, stores, stores.clock).stream(criteria, newest_first=False, on_unreadable=damages)
    ids = [one.decision_id for one in found if memory in one.memory_ids]
    if damages.items():
        raise InvalidInput("--memory", f"{len(damages.items())} decisions cannot be read; exclude a time instead")
    if not ids:
        raise NotFound(f"{agent} has no decision in this time that names the memory {memory}")
    return ids


def _line(one: Exclusion) -> str:
    if one.decision_ids:
        what = f"{len(one.decision_ids):,} decisions by their ids"
    else:
        until = "" if one.end_ms == END_OF_TIME_MS else f" to {to_iso(one.end_ms)}"
        what = f"{one.decision_type or 'all'} decisions from {to_iso(one.start_ms)}{until}"
    return f"exclusion {one.number}: {what}, by {one.excluded_by} at {to_iso(one.excluded_ms)}: {one.reason}"
