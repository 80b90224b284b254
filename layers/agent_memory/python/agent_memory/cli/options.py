"""Options that several subcommands share."""

from datetime import date
from typing import Annotated, Any

import typer

from agent_memory.core.clock import parse_date
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import check_agent_id
from agent_memory.ports.stores import Stores
from agent_memory.storage.factory import open_stores


def agent_id(value: str) -> str:
    """Check an agent's id; for `typer.Option(parser=agent_id)`."""
    try:
        return check_agent_id(value)
    except InvalidInput as error:
        raise typer.BadParameter(error.message) from error


def day(value: str) -> date:
    """Parse a day; for `typer.Option(parser=day)`."""
    try:
        return parse_date(value)
    except InvalidInput as error:
        raise typer.BadParameter(error.message) from error


def day_option(name: str, text: str) -> Any:
    """An option whose value is a UTC day."""
    return typer.Option(name, metavar="YYYY-MM-DD", parser=day, help=text)


Agent = Annotated[str, typer.Option("--agent", metavar="ID", parser=agent_id, help="The agent's id.")]
Day = Annotated[date, day_option("--date", "The UTC day to process.")]
TablePrefix = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        envvar="AGENT_MEMORY_TABLE_PREFIX",
        show_default="agent-memory",
        help="The prefix of the tables' names.",
    ),
]
Bucket = Annotated[
    str | None, typer.Option(metavar="NAME", envvar="AGENT_MEMORY_ARCHIVE_BUCKET", help="The archive bucket.")
]
Start = Annotated[str | None, typer.Option("--from", metavar="TIME", help="The first time, ISO 8601 with an offset.")]
End = Annotated[str | None, typer.Option("--to", metavar="TIME", help="The time before which it ends, not included.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON object.")]


def stores_of(table_prefix: str | None, bucket: str | None, anchor_bucket: str | None = None) -> Stores:
    """Open the stores that the options name. Raises `InvalidInput` if the AWS settings are unusable."""
    return open_stores(table_prefix=table_prefix, archive_bucket=bucket, anchor_bucket=anchor_bucket)


def require_bucket(bucket: str | None) -> str:
    """The bucket, or an error that says how to name it."""
    if not bucket:
        raise typer.BadParameter("is needed; or set AGENT_MEMORY_ARCHIVE_BUCKET", param_hint="'--bucket'")
    return bucket
