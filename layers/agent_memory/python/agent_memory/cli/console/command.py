"""`agent-memory ui`: serve the console to browsers of this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent_memory.cli.doctor.deployment import Deployment
from agent_memory.cli.doctor.session import aws_session
from agent_memory.cli.options import Agents, Pools, StoreOptions
from agent_memory.core.extras import needs_extra

if TYPE_CHECKING:
    from agent_memory.cli.console.alarms import Alarms


def ui(
    *,
    where: StoreOptions,
    agent: Agents = None,
    pools: Pools,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 takes one that is free.")] = 8765,
    read_only: Annotated[bool, typer.Option("--read-only", help="Leave out everything that writes.")] = False,
    bars: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Prices, for a chart around each decision."),
    ] = None,
    trading_memory: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A saved TradingMemoryStore, or the state of `agent-memory paper`.",
        ),
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", show_default="cdk.out", help="Synthesized templates, for the cost of a month."),
    ] = None,
) -> int:
    """Serve pages about decisions, memories, nightly jobs and the archive at 127.0.0.1, until it is interrupted.

    AWS and an HTTP API are called with your own credentials. Only this machine can connect.

    Exit code: 130 it was interrupted, 2 the store cannot be opened or the port is taken.
    """
    with needs_extra("ui"):
        from agent_memory.cli.console.server import serve  # noqa: PLC0415  an extra
    from agent_memory.cli.console.extensions import PRICES, TRADING_MEMORY, opened  # noqa: PLC0415  with the server
    from agent_memory.cli.console.source import open_source  # noqa: PLC0415  with the server

    source = open_source(
        where.connection(),
        where.store,
        agents=agent,
        pools=pools.names,
        read_only=read_only,
        templates=templates,
        prices=opened(PRICES, bars, "--bars") if bars else None,
        alarms=_alarms(where),
        trading_memory=opened(TRADING_MEMORY, trading_memory, "--trading-memory") if trading_memory else None,
    )
    serve(source, port, announce=lambda url: typer.echo(f"{url} (stop with Ctrl-C)"))
    return 0


def _alarms(where: StoreOptions) -> "Alarms | None":
    """The alarms of the deployment that the options name; None for a file or an API."""
    from agent_memory.cli.console.alarms import Alarms  # noqa: PLC0415  with the server
    from agent_memory.storage.store_urls import aws_deployment  # noqa: PLC0415  with the server

    found = aws_deployment(where.store, where.table_prefix)
    if found is None:
        return None
    prefix, region = found
    return Alarms(Deployment(aws_session(region), prefix))
