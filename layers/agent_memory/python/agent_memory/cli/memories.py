"""`agent-memory memories`: who wrote which version of a memory, and the way back to an earlier one."""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from agent_memory.cli.author import By, Reason
from agent_memory.cli.options import Agent, AsJson, End, Start, TablePrefix, stores_of
from agent_memory.core.clock import END_OF_TIME_MS, parse_instant
from agent_memory.core.errors import NotFound
from agent_memory.core.retries import retry_conflicts
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.listings import Damages
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.ports.stores import Stores

memories = typer.Typer(help="Read the history of memories, revert them and remove them.", rich_markup_mode=None)

Type = Annotated[str, typer.Option("--type", metavar="TYPE", help="The memory type, as PATTERN.")]
PatternId = Annotated[str, typer.Option("--id", metavar="ID", help="The memory's id, its `pattern_id`.")]


@memories.command()
def history(
    *, agent: Agent, type_: Type, pattern_id: PatternId, table_prefix: TablePrefix = None, as_json: AsJson = False
) -> int:
    """Print every version of a memory: when, by whom, with which IAM principal, why, and what it changed."""
    long_term = _long_term(agent, stores_of(table_prefix, None))
    listing = long_term.changes(type_, pattern_id)
    if not listing and not listing.missing:
        raise NotFound(f"{agent} never had a {type_} {pattern_id}")
    if as_json:
        typer.echo(json.dumps({"changes": listing, "missing": listing.missing}))
        return 0
    for one in listing:
        typer.echo(_version_line(one))
        for name, values in one["changes"].items():
            typer.echo(f"    {name}: {json.dumps(values['before'])} -> {json.dumps(values['after'])}")
    _print_missing(listing.missing)
    return 0


@memories.command()
def changes(
    *,
    agent: Agent,
    from_: Start = None,
    to: End = None,
    author: Annotated[str | None, typer.Option("--author", metavar="NAME", help="Only changes by this author.")] = None,
    memory_type: Annotated[list[str] | None, typer.Option(metavar="TYPE", help="Your memory type; repeatable.")] = None,
    table_prefix: TablePrefix = None,
    as_json: AsJson = False,
) -> int:
    """Print all versions of an agent's memories that were written in a time, oldest first."""
    stores, damages = stores_of(table_prefix, None), Damages()
    first_ms = 0 if from_ is None else parse_instant(from_, "from")
    end_ms = END_OF_TIME_MS if to is None else parse_instant(to, "to")
    found = [
        one
        for kind in dict.fromkeys([*MemoryType, *(memory_type or [])])
        for one in stores.memories.all_versions(agent, kind, on_unreadable=damages)
        if first_ms <= one.updated_ms < end_ms and author in {None, one.changed_by}
    ]
    rows = [_row(one) for one in sorted(found, key=lambda one: one.updated_ms)]
    missing = damages.as_dicts()
    if as_json:
        typer.echo(json.dumps({"changes": rows, "missing": missing}))
        return 0
    for row in rows:
        typer.echo(f"{row['memory_type']} {row['pattern_id']}  {_version_line(row)}")
    if not rows:
        typer.echo("no changes")
    _print_missing(missing)
    return 0


@memories.command()
def revert(
    *,
    agent: Agent,
    type_: Type,
    pattern_id: PatternId,
    version: Annotated[int, typer.Option("--version", min=1, metavar="N", help="The version to return to.")],
    reason: Reason,
    by: By,
    table_prefix: TablePrefix = None,
) -> int:
    """Store an earlier version of a memory as its next one. A removed memory exists again then."""
    long_term = _long_term(agent, stores_of(table_prefix, None), by)
    versions = {one.version: one for one in long_term.history(type_, pattern_id)}
    earlier = versions.get(version)
    if earlier is None or earlier.is_removed:
        kept = ", ".join(str(number) for number, one in versions.items() if not one.is_removed)
        raise NotFound(f"{agent} has no version {version} of {type_} {pattern_id}; it has: {kept or 'none'}")
    now = long_term.put(type_, pattern_id, {**earlier.data, "confidence": earlier.confidence}, reason=reason)
    typer.echo(f"{type_} {pattern_id} is at version {now.version}, with the content of version {version}")
    return 0


@memories.command()
def remove(
    *, agent: Agent, type_: Type, pattern_id: PatternId, reason: Reason, by: By, table_prefix: TablePrefix = None
) -> int:
    """Remove a memory, so that no agent reads it any more. Its history is kept; `revert` brings it back."""
    stores = stores_of(table_prefix, None)
    long_term = _long_term(agent, stores, by)

    def attempt() -> None:
        current = stores.memories.get(agent, type_, pattern_id)
        if current is None:
            raise NotFound(f"{agent} has no {type_} {pattern_id}")
        long_term.remove(current, reason=reason)

    long_term.history(type_, pattern_id)  # checks both names
    retry_conflicts(attempt)
    typer.echo(f"{type_} {pattern_id} was removed")
    return 0


def _long_term(agent: str, stores: Stores, by: str | None = None) -> LongTermMemory:
    return LongTermMemory(agent, stores.memories, stores.clock, writer=by)


def _row(memory: Memory) -> dict[str, Any]:
    shown = memory.as_dict()
    names = ("memory_type", "pattern_id", "version", "changed_by", "changed_as", "changed_by_claimed", "reason")
    return {name: shown[name] for name in names} | {"at": shown["updated_at"], "removed": memory.is_removed}


def _version_line(row: Mapping[str, Any]) -> str:
    author = row["changed_by"] or "unknown"
    principal = f" as {row['changed_as']}" if row["changed_as"] else ""
    claimed = " (claimed)" if row["changed_by_claimed"] else ""
    what = "removed" if row["removed"] else f"version {row['version']}"
    return f"{row['at']}  {what} by {author}{claimed}{principal}: {row['reason'] or 'no reason given'}"


def _print_missing(missing: Iterable[Mapping[str, Any]]) -> None:
    for one in missing:
        typer.echo(f"missing  {one['id']}: {one['why']}")
