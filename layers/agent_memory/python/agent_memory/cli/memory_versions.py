"""`agent-memory memory history|changes|revert|remove`: who wrote which version, and the way back to an earlier one."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from agent_memory.cli.author import Change
from agent_memory.cli.memory import PatternId, Type, memory
from agent_memory.cli.options import Agent, OwnTypes, StoreOptions, TimeOptions
from agent_memory.cli.output import Output, missing_lines
from agent_memory.core.errors import NotFound
from agent_memory.core.retries import retry_conflicts
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.listings import Damages
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.ports.stores import Stores


@memory.command()
def history(
    *,
    agent: Agent,
    type_: Type,
    pattern_id: PatternId,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print every version of a memory: when, by whom, with which IAM principal, why, and what it changed."""
    long_term = _long_term(agent, where.stores())
    listing = long_term.changes(type_, pattern_id)
    if not listing and not listing.missing:
        raise NotFound(f"{agent} never had a {type_} {pattern_id}")
    lines = [line for one in listing for line in _change_lines(one)]
    output.show({"changes": listing, "missing": listing.missing}, [*lines, *missing_lines(listing.missing)])
    return 0


@memory.command()
def changes(
    *,
    agent: Agent,
    time: TimeOptions,
    author: Annotated[str | None, typer.Option("--author", metavar="NAME", help="Only changes by this author.")] = None,
    memory_type: OwnTypes = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print all versions of an agent's memories that were written in a time, oldest first."""
    stores, damages = where.stores(), Damages()
    first_ms, end_ms = time.span_ms()
    found = [
        one
        for kind in dict.fromkeys([*MemoryType, *(memory_type or [])])
        for one in stores.memories.all_versions(agent, kind, on_unreadable=damages)
        if first_ms <= one.updated_ms < end_ms and author in {None, one.changed_by}
    ]
    rows = [_row(one) for one in sorted(found, key=lambda one: one.updated_ms)]
    missing = damages.as_dicts()
    lines = [f"{row['memory_type']} {row['pattern_id']}  {_version_line(row)}" for row in rows] or ["no changes"]
    output.show({"changes": rows, "missing": missing}, [*lines, *missing_lines(missing)])
    return 0


@memory.command()
def revert(
    *,
    agent: Agent,
    type_: Type,
    pattern_id: PatternId,
    version: Annotated[int, typer.Option("--version", min=1, metavar="N", help="The version to return to.")],
    change: Change,
    where: StoreOptions,
    output: Output,
) -> int:
    """Store an earlier version of a memory as its next one. A removed memory exists again then."""
    long_term = _long_term(agent, where.stores(), change.by)
    versions = {one.version: one for one in long_term.history(type_, pattern_id)}
    earlier = versions.get(version)
    if earlier is None or earlier.is_removed:
        kept = ", ".join(str(number) for number, one in versions.items() if not one.is_removed)
        raise NotFound(f"{agent} has no version {version} of {type_} {pattern_id}; it has: {kept or 'none'}")
    now = long_term.put(type_, pattern_id, {**earlier.data, "confidence": earlier.confidence}, reason=change.reason)
    line = f"{type_} {pattern_id} is at version {now.version}, with the content of version {version}"
    output.show(now.as_dict(), [line])
    return 0


@memory.command()
def remove(
    *,
    agent: Agent,
    type_: Type,
    pattern_id: PatternId,
    change: Change,
    where: StoreOptions,
    output: Output,
) -> int:
    """Remove a memory, so that no agent reads it any more. Its history is kept; `revert` brings it back."""
    stores = where.stores()
    long_term = _long_term(agent, stores, change.by)

    def attempt() -> None:
        current = stores.memories.get(agent, type_, pattern_id)
        if current is None:
            raise NotFound(f"{agent} has no {type_} {pattern_id}")
        long_term.remove(current, reason=change.reason)

    long_term.history(type_, pattern_id)  # checks both names
    retry_conflicts(attempt)
    removed = {"memory_type": type_, "pattern_id": pattern_id, "removed": True}
    output.show(removed, [f"{type_} {pattern_id} was removed"])
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


def _change_lines(row: Mapping[str, Any]) -> Iterator[str]:
    yield _version_line(row)
    for name, values in row["changes"].items():
        yield f"    {name}: {json.dumps(values['before'])} -> {json.dumps(values['after'])}"
