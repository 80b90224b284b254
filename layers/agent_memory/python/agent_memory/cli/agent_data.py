"""`agent-memory export`, `import` and `forget`: write all data of an agent to a file, read it back, or erase it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_memory.admin.agent_data import AgentData
from agent_memory.admin.importing.agent import AgentImport
from agent_memory.cli.options import Agent, OwnTypes, StoreOptions
from agent_memory.cli.output import INCOMPLETE, Output, missing_lines
from agent_memory.core.clock import SystemClock
from agent_memory.model.memories import MemoryType
from agent_memory.storage.parquet.archive import ParquetArchive


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zip file to write.")],
    *,
    agent: Agent,
    memory_type: OwnTypes = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Write all data of an agent to a zip file of JSON Lines, and print counts of its content.

    Exit code: 0 all of it, 1 some items cannot be read, as the last lines say, 2 no file was written.
    """
    if not file.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {file.parent}", param_hint="'FILE'")
    data = AgentData(agent, where.stores(), SystemClock())
    receipt = data.export(file, [*MemoryType, *(memory_type or [])])
    output.show(receipt, _count_lines(receipt))
    return 0 if receipt["complete"] else INCOMPLETE


def import_agent(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="An export of the agent.")],
    *,
    agent: Agent,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    where: StoreOptions,
    output: Output,
) -> int:
    """Read an export of an agent into this deployment: what is missing is written, nothing newer is overwritten.

    Running it again continues after a failure and changes nothing else. AGENT_MEMORY_REDIS_ENDPOINT names the cache.

    Exit code: 0 imported, 1 imported except for conflicts and what could not be exported, which are listed, 2 nothing
    or only a part was imported.
    """
    data = AgentImport(agent, where.stores(creates=not dry_run), SystemClock(), ParquetArchive)
    receipt = data.run(file, dry_run=dry_run)
    output.show(receipt, _import_lines(receipt))
    return INCOMPLETE if receipt["conflicts"] or not receipt["complete"] else 0


def forget(
    *,
    agent: Agent,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; otherwise only count.")] = False,
    where: StoreOptions,
    output: Output,
) -> int:
    """Count all data of an agent, and with --yes erase it permanently: tables, cache, archive, all versions.

    AGENT_MEMORY_REDIS_ENDPOINT names the cache; without it, short-term memory expires by itself within a day.
    """
    data = AgentData(agent, where.stores(), SystemClock())
    receipt = data.forget(dry_run=not yes)
    hint = [] if yes else ["Nothing was erased; add --yes to erase."]
    output.show(receipt, [*_count_lines(receipt), *hint])
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


def _count_lines(receipt: dict[str, Any]) -> Iterator[str]:
    for kind, count in receipt["counts"].items():
        yield f"{count:>10,}  {kind.replace('_', ' ')}"
    for line in missing_lines(receipt.get("missing", ())):
        yield f"   {line}"
    if "file" in receipt:
        yield f"{receipt['file']}  sha256 {receipt['sha256']}"
