"""`agent-memory memory`: read and store memories, recall them for a question, and read the levels of memory."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from agent_memory.cli.author import Author
from agent_memory.cli.groups import Commands
from agent_memory.cli.options import Agent, Pools, StoreOptions, TimeOptions, object_option
from agent_memory.cli.output import INCOMPLETE, Output, missing_lines, table
from agent_memory.client.memory_manager import MemoryManager, SyncMemoryManager
from agent_memory.core.errors import NotFound

_COLUMNS = {"type": 18, "id": 36, "confidence": 10, "version": 7, "agent": 16, "updated": 24}
_RECALL_COLUMNS = {"score": 6, "kind": 18, "id": 36, "agent": 16}
_LEVEL_COLUMNS = {"level": 10, "time": 24, "type": 20, "decision": 36}

memory = Commands("Read and store memories, their history, and take them out of use.")

Type = Annotated[str, typer.Option("--type", metavar="TYPE", help="The memory type, as PATTERN.")]
PatternId = Annotated[str, typer.Option("--id", metavar="ID", help="The memory's id, its `pattern_id`.")]


class Level(StrEnum):
    """The levels of memory, by age."""

    IMMEDIATE = "immediate"
    RECENT = "recent"
    HISTORICAL = "historical"
    ARCHIVE = "archive"


@memory.command()
def get(
    *,
    agent: Agent,
    pools: Pools,
    type_: Type,
    pattern_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Only the memory with this id, in full.")
    ] = None,
    min_confidence: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="P", help="Only memories at least this confident.")
    ] = None,
    matches: Annotated[
        dict[str, Any] | None, object_option("--matches", "Only memories whose facts hold in this context.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="The memories as they were then, ISO 8601 with an offset.")
    ] = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print an agent's memories of a type, the most confident first; this counts as reading them.

    Exit code: 0 all of them, 1 some cannot be read, as the last lines say, 2 none or there is no such memory.
    """
    filters = None if min_confidence is None else {"min_confidence": min_confidence}
    found = _memory(where, agent, pools).retrieve_ltm(type_, filters, as_of=as_of, matches=matches)
    if pattern_id is None:
        lines = table(_COLUMNS, map(_cells, found), f"no memories of the type {type_}")
        return output.listing(found, "memories", lines)
    for one in found:
        if one["pattern_id"] == pattern_id:
            output.show(one, table({"member": 20, "value": 0}, one.items(), ""))
            return 0
    raise NotFound(f"{agent} has no {type_} {pattern_id}")


@memory.command()
def put(
    *,
    agent: Agent,
    type_: Type,
    pattern_id: PatternId,
    data: Annotated[dict[str, Any], object_option("--data", 'What it says, as \'{"text": "…", "confidence": 0.7}\'.')],
    pool: Annotated[
        str | None, typer.Option("--pool", metavar="ID", help="Store it in this pool of the agent.")
    ] = None,
    expected_version: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Only if this is its version; 0: only a new one.")
    ] = None,
    author: Author,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; it is recorded.")] = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Store a memory, or its next version if it has changed."""
    stores = where.connection(creates=True)
    manager = MemoryManager(agent, stores=stores, pools=[pool] if pool else (), writer=author.by).sync
    target = manager.pool(pool) if pool else manager
    stored = target.store_ltm(type_, pattern_id, data, reason=reason, expected_version=expected_version)
    output.show(stored, [f"{type_} {pattern_id} is at version {stored['version']}"])
    return 0


@memory.command()
def recall(
    question: Annotated[str, typer.Argument(metavar="[WORDS]", help="The words to search for.")] = "",
    *,
    agent: Agent,
    pools: Pools,
    kind: Annotated[str | None, typer.Option(metavar="TYPE", help="Only this type of memory or decision.")] = None,
    symbol: Annotated[str | None, typer.Option(metavar="SYMBOL", help="Only entries with this symbol.")] = None,
    top: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="The most entries.")] = 5,
    explain: Annotated[bool, typer.Option("--explain", help="Add the parts of each score, with --json.")] = False,
    where: StoreOptions,
    output: Output,
) -> int:
    """Search memories and decisions of any age, and print the best matches with their scores.

    Exit code: 0 everything was ranked, 1 something was not, as the last lines say, 2 not done.
    """
    found = _memory(where, agent, pools).recall(question, kind, symbol, top, explain)
    rows = ([one["score"], one["kind"], *_entry(one)] for one in found)
    return output.listing(found, "entries", table(_RECALL_COLUMNS, rows, "nothing matches"))


@memory.command()
def levels(
    *,
    agent: Agent,
    time: TimeOptions,
    context: Annotated[
        dict[str, Any] | None, object_option("--context", "Only entries with this part of a context.")
    ] = None,
    level: Annotated[Level | None, typer.Option(help="Only this level.", show_default="all")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="The most entries.")] = 100,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print the contexts of a time from all levels of memory, newest first.

    Exit code: 0 all of them, 1 some are missing or there are more than --limit, as the last lines say, 2 not done.
    """
    found = _memory(where, agent).get_context_memory(time.range, context, limit=limit, level=level)
    rows = (
        [one["level"], one.get("timestamp"), one.get("decision_type"), one.get("decision_id")]
        for one in found["entries"]
    )
    more = ["there are more; raise --limit, or narrow --from and --to"] if found["cursor"] else []
    output.show(found, [*table(_LEVEL_COLUMNS, rows, "no entries"), *missing_lines(found["missing"]), *more])
    return 0 if found["complete"] else INCOMPLETE


def _memory(where: StoreOptions, agent: str, pools: Pools | None = None) -> SyncMemoryManager:
    return MemoryManager(agent, stores=where.connection(), pools=pools.names if pools else ()).sync


def _cells(one: dict[str, Any]) -> list[object]:
    names = ("memory_type", "pattern_id", "confidence", "version", "agent_id", "updated_at")
    return [one[name] for name in names]


def _entry(one: dict[str, Any]) -> list[object]:
    found = one.get("memory") or one["decision"]
    return [found.get("pattern_id") or found.get("decision_id"), found["agent_id"]]
