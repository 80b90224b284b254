"""`agent-memory restore`: write archived decisions back into the table."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import typer

from agent_memory.admin.archive_restore import ArchiveRestore
from agent_memory.cli.options import Agent, StoreOptions, day_option
from agent_memory.cli.output import Output
from agent_memory.core.clock import SystemClock


def restore(
    *,
    agent: Agent,
    date_: Annotated[date | None, day_option("--date", "A UTC day; by default all days of the last 90.")] = None,
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="A head that was printed earlier, if the table has lost the chain's end."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    where: StoreOptions,
    output: Output,
) -> int:
    """Write an agent's decisions from its sealed archive back into the table, where the table has lost them.

    Only days that match their seals are restored. What the table has stays as it is.
    """
    stores = where.stores(needs_bucket=True)
    receipt = ArchiveRestore(agent, stores, SystemClock()).run(date_, head=head, dry_run=dry_run)
    output.show(receipt, _lines(agent, receipt, dry_run=dry_run))
    return 0


def _lines(agent: str, receipt: dict[str, Any], *, dry_run: bool) -> Iterator[str]:
    for day in receipt["days"]:
        yield f"{day['date']}  {day['restored']:,} of {day['decisions']:,} decisions restored"
    total = sum(day["restored"] for day in receipt["days"])
    yield f"{agent}: {total:,} decisions {'would be ' if dry_run else ''}restored from {len(receipt['days'])} days"
    yield f"head: {receipt['head']}"
