"""Options that several commands share: an annotation for a single one, a dataclass for a group of them."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_memory.core.clock import END_OF_TIME_MS, parse_date, parse_instant
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import check_agent_id
from agent_memory.decisions.queries import TimeRange
from agent_memory.ports.stores import Stores
from agent_memory.storage.factory import open_stores
from agent_memory.storage.store_urls import FIELD, WAYS, names_a_deployment, stores_at

if TYPE_CHECKING:
    from agent_memory.client.connect import Connection


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


def json_object(value: str) -> dict[str, Any]:
    """Parse a JSON object; for `typer.Option(parser=json_object)`."""
    try:
        found = json.loads(value)
    except ValueError as error:
        raise typer.BadParameter(f"{value!r:.40} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f'{value!r:.40} is not a JSON object; write one, as \'{{"trend": "up"}}\'')
    return found


def day_option(name: str, text: str) -> Any:
    """An option whose value is a UTC day."""
    return typer.Option(name, metavar="YYYY-MM-DD", parser=day, help=text)


def object_option(name: str, text: str) -> Any:
    """An option whose value is a JSON object."""
    return typer.Option(name, metavar="JSON", parser=json_object, help=text)


Agent = Annotated[str, typer.Option("--agent", metavar="ID", parser=agent_id, help="The agent's id.")]
Agents = Annotated[
    list[str] | None,
    typer.Option("--agent", metavar="ID", parser=agent_id, help="An agent; repeatable. By default all agents."),
]
OwnTypes = Annotated[
    list[str] | None, typer.Option("--memory-type", metavar="TYPE", help="Your memory type; repeatable.")
]


@dataclass(frozen=True, slots=True)
class Pools:
    """The pools whose memories an agent reads beside its own."""

    pool: Annotated[
        list[str] | None,
        typer.Option("--pool", metavar="ID", parser=agent_id, help="A pool that the agent reads; repeatable."),
    ] = None

    @property
    def names(self) -> list[str]:
        """Their agent ids."""
        return list(self.pool or [])


@dataclass(frozen=True, slots=True)
class TimeOptions:
    """A time range, without its end."""

    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="The first time, ISO 8601 with an offset.")
    ] = None
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="The time before which it ends, not included.")
    ] = None

    @property
    def range(self) -> TimeRange:
        """As the methods of logs take it."""
        return self.from_, self.to

    @property
    def is_given(self) -> bool:
        """Whether either end is given."""
        return self.from_ is not None or self.to is not None

    def span_ms(self) -> tuple[int, int]:
        """First and end in milliseconds since 1970."""
        return (
            0 if self.from_ is None else parse_instant(self.from_, "from"),
            END_OF_TIME_MS if self.to is None else parse_instant(self.to, "to"),
        )


@dataclass(frozen=True, slots=True)
class AwsOptions:
    """The AWS account and endpoint, as the AWS CLI names them."""

    profile: Annotated[
        str | None, typer.Option(metavar="NAME", show_default="AWS_PROFILE", help="The profile with AWS credentials.")
    ] = None
    region: Annotated[str | None, typer.Option(metavar="NAME", show_default="AWS_REGION", help="The AWS region.")] = (
        None
    )
    endpoint_url: Annotated[
        str | None,
        typer.Option(metavar="URL", show_default="AWS_ENDPOINT_URL", help="The address of all AWS services."),
    ] = None

    def variables(self) -> Mapping[str, str | None]:
        """The variables that say so to every AWS client of the process; None are those that would say otherwise.

        A profile is used instead of keys in the environment, and an endpoint instead of those of single services.
        """
        found: dict[str, str | None] = {}
        if self.profile:
            keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE")
            found |= dict.fromkeys(keys) | {"AWS_PROFILE": self.profile}
        if self.region:
            found |= {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        if self.endpoint_url:
            others = [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_")]
            found |= dict.fromkeys([*others, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"])
            found["AWS_ENDPOINT_URL"] = self.endpoint_url
        return found


@dataclass(frozen=True, slots=True)
class StoreOptions(AwsOptions):
    """Where decisions and memories are kept."""

    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            envvar="AGENT_MEMORY_URL",
            help="The stores: sqlite:///memory.db, aws://PREFIX?region=REGION, or where a command works over HTTP "
            "https://API; instead of --table-prefix and --bucket.",
        ),
    ] = None
    table_prefix: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar="AGENT_MEMORY_TABLE_PREFIX",
            show_default="agent-memory",
            help="The prefix of the tables' names.",
        ),
    ] = None
    bucket: Annotated[
        str | None, typer.Option(metavar="NAME", envvar="AGENT_MEMORY_ARCHIVE_BUCKET", help="The archive bucket.")
    ] = None

    def variables(self) -> Mapping[str, str | None]:
        """The variables of the AWS settings, and those that name the stores."""
        named = {
            "AGENT_MEMORY_URL": self.store,
            "AGENT_MEMORY_TABLE_PREFIX": self.table_prefix,
            "AGENT_MEMORY_ARCHIVE_BUCKET": self.bucket,
        }
        return {**AwsOptions.variables(self), **{name: value for name, value in named.items() if value}}

    def stores(self, *, needs_bucket: bool = False, anchor_bucket: str | None = None, creates: bool = False) -> Stores:
        """Open the stores. Without `creates`, a file has to exist: a wrong name is not an empty store.

        Raises:
            InvalidInput: nothing says where they are, or the URL or the AWS settings cannot be used.
            typer.BadParameter: the command needs a bucket, and none is named.
        """
        if self.store:
            return open_store(self.store, creates=creates)
        if needs_bucket and not self.bucket:
            raise typer.BadParameter("is needed; or set AGENT_MEMORY_ARCHIVE_BUCKET", param_hint="'--bucket'")
        return open_deployment(self.table_prefix, self.bucket, anchor_bucket)

    def connection(self, *, creates: bool = False) -> "Connection":
        """Open the stores, or the HTTP API that the URL names; see `stores`."""
        if self.store is None:
            return self.stores()
        from agent_memory.client.connect import HttpApi  # noqa: PLC0415  most commands need no client
        from agent_memory.storage.store_urls import HTTP_SCHEMES, check_store_url  # noqa: PLC0415

        is_api = check_store_url(self.store).scheme in HTTP_SCHEMES
        return HttpApi(self.store) if is_api else open_store(self.store, creates=creates)


def open_store(url: str, *, creates: bool) -> Stores:
    """Open the stores at a URL. Without `creates`, a file has to exist."""
    return stores_at(url, creates=creates)


def open_deployment(table_prefix: str | None, bucket: str | None, anchor_bucket: str | None) -> Stores:
    """Open the stores of a deployment on AWS; `InvalidInput` if nothing says that one is meant."""
    if not (table_prefix or bucket or names_a_deployment(os.environ)):
        raise InvalidInput(FIELD, WAYS)
    return open_stores(table_prefix=table_prefix, archive_bucket=bucket, anchor_bucket=anchor_bucket)
