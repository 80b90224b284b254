"""`agent-memory export`, `import` and `forget`: write all data of an agent to a file, read it back, or erase it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_memory.admin.agent_data import AgentData
from agent_memory.admin.importing.agent import AgentImport
from agent_memory.cli.options import Agent, AsJson, Bucket, TablePrefix, stores_of
from agent_memory.core.clock import SystemClock
from agent_memory.model.memories import MemoryType
from agent_memory.storage.parquet.archive import ParquetArchive

CONFLICTS = 1


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zip file to write.")],
    *,
    agent: Agent,
    memory_type: Annotated[list[str] | None, typer.Option(metavar="TYPE", help="Your memory type; repeatable.")] = None,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Write all data of an agent to a zip file of JSON Lines, and print counts of its content."""
    if not file.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {file.parent}", param_hint="'FILE'")
    data = AgentData(agent, stores_of(table_prefix, bucket), SystemClock())
    _print(data.export(file, [*MemoryType, *(memory_type or [])]), as_json=as_json)
    return 0


def import_agent(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="An export of the agent.")],
    *,
    agent: Agent,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Read an export of an agent into this deployment: what is missing is written, nothing newer is overwritten.

    Running it again continues after a failure and changes nothing else. AGENT_MEMORY_REDIS_ENDPOINT names the cache.

    Exit code: 0 imported, 1 imported except for conflicts, which are listed, 2 nothing or only a part was imported.
    """
    data = AgentImport(agent, stores_of(table_prefix, bucket), SystemClock(), ParquetArchive)
    receipt = data.run(file, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(receipt))
    else:
        for line in _import_lines(receipt):
            typer.echo(line)
    return CONFLICTS if receipt["conflicts"] else 0


def forget(
    *,
    agent: Agent,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; otherwise only count.")] = False,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Count all data of an agent, and with --yes erase it permanently: tables, cache, archive, all versions.

    AGENT_MEMORY_REDIS_ENDPOINT names the cache; without it, short-term memory expires by itself within a day.
    """
    data = AgentData(agent, stores_of(table_prefix, bucket), SystemClock())
    receipt = data.forget(dry_run=not yes)
    _print(receipt, as_json=as_json)
    if not yes and not as_json:
        typer.echo("Nothing was erased; add --yes to erase.")
    return 0


def _import_lines(receipt: dict[str, Any]) -> Iterator[str]:
    for kind, counts in receipt["counts"].items():
        numbers = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in counts.items())
        yield f"{kind.replace('_', ' '):<12}{numbers}"
    for reason in ("conflicts", "not_imported"):
        for one in receipt[reason]:
            yield f"{reason.replace('_', ' ')}  {one['id']}: {one['why']}"
    if receipt["dry_run"]:
        yield "Nothing was written; leave out --dry-run to import."


def _print(receipt: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(receipt))
        return
    for kind, count in receipt["counts"].items():
        typer.echo(f"{count:>10,}  {kind.replace('_', ' ')}")
    for one in receipt.get("missing", ()):
        typer.echo(f"   missing  {one['id']}: {one['why']}")
    if "file" in receipt:
        typer.echo(f"{receipt['file']}  sha256 {receipt['sha256']}")
