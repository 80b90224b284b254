"""`agent-memory export` and `agent-memory forget`: everything of one agent, handed out or erased."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_memory.admin.agent_data import AgentData
from agent_memory.cli.options import Agent, AsJson, Bucket, TablePrefix, stores_of
from agent_memory.core.clock import SystemClock
from agent_memory.model.memories import MemoryType


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zip file to write.")],
    *,
    agent: Agent,
    memory_type: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="A team's own type of memory; repeatable."),
    ] = None,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Write everything that is kept of an agent into a zip file of JSON Lines, and tell what it holds."""
    if not file.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {file.parent}", param_hint="'FILE'")
    data = AgentData(agent, stores_of(table_prefix, bucket), SystemClock())
    _tell(data.export(file, [*MemoryType, *(memory_type or [])]), as_json=as_json)
    return 0


def forget(
    *,
    agent: Agent,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it only count.")] = False,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Count everything that is kept of an agent, and with --yes erase it for good: table, cache, archive, versions.

    The cache is that of AGENT_MEMORY_REDIS_ENDPOINT; without it, short-term memory ends by itself within a day.
    """
    data = AgentData(agent, stores_of(table_prefix, bucket), SystemClock())
    receipt = data.forget(dry_run=not yes)
    _tell(receipt, as_json=as_json)
    if not yes and not as_json:
        typer.echo("Nothing was erased: say --yes to do it.")
    return 0


def _tell(receipt: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(receipt))
        return
    for kind, count in receipt["counts"].items():
        typer.echo(f"{count:>10,}  {kind.replace('_', ' ')}")
    if "file" in receipt:
        typer.echo(f"{receipt['file']}  sha256 {receipt['sha256']}")
