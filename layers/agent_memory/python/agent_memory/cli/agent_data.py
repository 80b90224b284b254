"""`agent-memory export` and `agent-memory forget`: write all data of an agent to a file, or erase it."""

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
