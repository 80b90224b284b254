"""`agent-memory restore`: write archived decisions back into the table."""

import json
from datetime import date
from typing import Annotated

import typer

from agent_memory.admin.archive_restore import ArchiveRestore
from agent_memory.cli.options import Agent, AsJson, Bucket, TablePrefix, day_option, require_bucket, stores_of
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
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Write an agent's decisions from its sealed archive back into the table, where the table has lost them.

    Only days that match their seals are restored. What the table has stays as it is.
    """
    stores = stores_of(table_prefix, require_bucket(bucket))
    receipt = ArchiveRestore(agent, stores, SystemClock()).run(date_, head=head, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(receipt))
        return 0
    for day in receipt["days"]:
        typer.echo(f"{day['date']}  {day['restored']:,} of {day['decisions']:,} decisions restored")
    total = sum(day["restored"] for day in receipt["days"])
    typer.echo(
        f"{agent}: {total:,} decisions {'would be ' if dry_run else ''}restored from {len(receipt['days'])} days"
    )
    typer.echo(f"head: {receipt['head']}")
    return 0
