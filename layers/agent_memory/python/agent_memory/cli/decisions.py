"""`agent-memory decisions`: list the decisions of a time or based on a memory, and exclude them from learning."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from agent_memory.cli.author import By, Reason
from agent_memory.cli.options import Agent, AsJson, Bucket, End, Start, TablePrefix, stores_of
from agent_memory.core.clock import END_OF_TIME_MS, parse_instant, to_iso
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.core.ids import check_pattern_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import Damages
from agent_memory.nightly.learning_controls import Exclusion, LearningControls, read_controls

decisions = typer.Typer(help="List decisions, and exclude them from learning.", rich_markup_mode=None)

Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Only decisions of this type.")]
BasedOn = Annotated[
    str | None, typer.Option("--memory", metavar="ID", help="Only decisions that name this memory in `memory_ids`.")
]


@decisions.command("list")
def list_(
    *,
    agent: Agent,
    from_: Start = None,
    to: End = None,
    type_: Type = None,
    memory: BasedOn = None,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Print an agent's decisions, oldest first, from table and archive."""
    stores, damages = stores_of(table_prefix, bucket), Damages()
    count = 0
    log = DecisionLog(agent, stores, stores.clock)
    for one in _matching(log, DecisionFilter(type_, (from_, to)), memory, damages):
        count += 1
        typer.echo(json.dumps(one.as_dict()) if as_json else _line(one))
    for missing in damages.as_dicts():
        typer.echo(f"missing  {missing['id']}: {missing['why']}", err=as_json)
    if not count and not as_json:
        typer.echo("no decisions")
    return 0


@decisions.command()
def exclude(
    *,
    agent: Agent,
    decision: Annotated[
        list[str] | None, typer.Option("--decision", metavar="ID", help="One decision; repeatable.")
    ] = None,
    from_: Start = None,
    to: End = None,
    type_: Type = None,
    memory: BasedOn = None,
    reason: Reason,
    by: By,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
) -> int:
    """Do not learn from these decisions any more: those of a time and type, those based on a memory, or single ones.

    The decisions themselves and their archive stay as they are. What was learned from them before stays as well, until
    `agent-memory learning rebuild`.
    """
    stores = stores_of(table_prefix, bucket)
    start_ms = 0 if from_ is None else parse_instant(from_, "from")
    end_ms = END_OF_TIME_MS if to is None else parse_instant(to, "to")
    ids: list[str] = list(decision or [])
    if decision and (from_ or to or type_ or memory):
        raise InvalidInput("--decision", "cannot be combined with --from, --to, --type or --memory")
    if memory is not None:
        damages = Damages()
        log = DecisionLog(agent, stores, stores.clock)
        ids = [one.decision_id for one in _matching(log, DecisionFilter(type_, (from_, to)), memory, damages)]
        if damages.items():
            raise InvalidInput("--memory", f"{len(damages.items())} decisions cannot be read; exclude a time instead")
        if not ids:
            raise NotFound(f"{agent} has no decision in this time that names the memory {memory}")
    if not ids and from_ is None:
        raise InvalidInput("--from", "is needed, or --memory or --decision: say what to exclude")
    excluded = LearningControls(agent, stores.states, stores.clock, by=by).exclude(
        start_ms=start_ms, end_ms=end_ms, decision_type=type_, decision_ids=ids, reason=reason
    )
    typer.echo(_exclusion_line(excluded))
    return 0


@decisions.command()
def exclusions(*, agent: Agent, table_prefix: TablePrefix = None, as_json: AsJson = False) -> int:
    """Print what is excluded from an agent's learning, since when, by whom and why."""
    found = read_controls(stores_of(table_prefix, None).states, agent).exclusions
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found]))
    else:
        typer.echo("\n".join(map(_exclusion_line, found)) or "nothing is excluded")
    return 0


@decisions.command()
def include(
    *,
    agent: Agent,
    exclusion: Annotated[int, typer.Option("--exclusion", min=1, metavar="N", help="Its number in `exclusions`.")],
    by: By,
    table_prefix: TablePrefix = None,
) -> int:
    """Learn from excluded decisions again: lift an exclusion."""
    stores = stores_of(table_prefix, None)
    LearningControls(agent, stores.states, stores.clock, by=by).lift(exclusion)
    typer.echo(f"exclusion {exclusion} was lifted")
    return 0


def _matching(log: DecisionLog, criteria: DecisionFilter, memory: str | None, damages: Damages) -> Iterator[Decision]:
    if memory is not None:
        check_pattern_id(memory)
    for one in log.stream(criteria, newest_first=False, on_unreadable=damages):
        if memory is None or memory in one.memory_ids:
            yield one


def _line(decision: Decision) -> str:
    outcome = {None: "pending", True: "succeeded", False: "failed"}[
        None if decision.outcome is None else decision.outcome.success
    ]
    based_on = f"  based on {', '.join(decision.memory_ids)}" if decision.memory_ids else ""
    when = to_iso(decision.timestamp_ms)
    return f"{when}  {decision.decision_type}  {decision.decision_id}  {outcome}{based_on}"


def _exclusion_line(one: Exclusion) -> str:
    if one.decision_ids:
        what = f"{len(one.decision_ids):,} decisions by their ids"
    else:
        until = "" if one.end_ms == END_OF_TIME_MS else f" to {to_iso(one.end_ms)}"
        what = f"{one.decision_type or 'all'} decisions from {to_iso(one.start_ms)}{until}"
    return f"exclusion {one.number}: {what}, by {one.excluded_by} at {to_iso(one.excluded_ms)}: {one.reason}"
