"""The command `agent-memory paper`: trade bars on paper as they arrive, and log every decision."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_memory.cli.options import Agent, Bucket, TablePrefix, stores_of

if TYPE_CHECKING:
    from trading_agents.paper.settings import PaperSettings


def paper(
    *,
    bars: Annotated[
        Path,
        typer.Option(
            "--bars",
            metavar="FILE",
            help="CSV file of bars; may be .gz unless it is followed.",
            exists=True,
            dir_okay=False,
        ),
    ],
    agent: Agent,
    state: Annotated[
        Path,
        typer.Option(
            "--state",
            metavar="FILE",
            dir_okay=False,
            help="File with the state of the trader; a later start continues from it.",
        ),
    ],
    follow: Annotated[bool, typer.Option("--follow", help="Wait for lines that are appended to the file.")] = False,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Log through this HTTP API instead of into the tables.")
    ] = None,
    buffer: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Buffer the log in this folder, so that outages do not delay trading.",
        ),
    ] = None,
    symbol: Annotated[str, typer.Option(help="Symbol of the instrument.")] = "SPY",
    bar_seconds: Annotated[float, typer.Option(help="Duration of a bar.")] = 3_600.0,
    bars_per_day: Annotated[
        float | None, typer.Option(help="Bars on a trading day.", show_default="as many as fit into a day")
    ] = None,
    costs_bp: Annotated[float, typer.Option("--costs-bp", help="Costs per side in basis points.")] = 1.0,
    trade_from: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Make decisions only from this time on; UTC."),
    ] = None,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
) -> int:
    """Trade bars on paper: five agents with memory, one signal, positions with stop and target; log every decision.

    After an interruption or a crash, the same command continues where it stopped.
    """
    # Imported here, since `--help` and invalid options need none of it.
    from trading_agents.bars import BarsError  # noqa: PLC0415
    from trading_agents.paper.settings import PaperSettings  # noqa: PLC0415

    settings = PaperSettings(
        symbol=symbol,
        bar_seconds=bar_seconds,
        bars_per_day=bars_per_day,
        costs_bp=costs_bp,
        trade_from=None if trade_from is None else trade_from.replace(tzinfo=UTC),
    )
    sink: Any = _client(url, agent) if url else _logger(agent, table_prefix, bucket)
    try:
        asyncio.run(_trade(sink, bars, state, agent, settings, follow=follow, buffer=buffer))
    except (BarsError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    return 0


async def _trade(
    sink: Any, bars: Path, state: Path, agent: str, settings: "PaperSettings", *, follow: bool, buffer: Path | None
) -> None:
    from trading_agents.paper.csv_follower import follow_csv  # noqa: PLC0415
    from trading_agents.paper.loop import trade_on_paper  # noqa: PLC0415
    from trading_agents.paper.progress import Progress  # noqa: PLC0415
    from trading_agents.paper.state_file import StateFile  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        file = stack.enter_context(StateFile(state))
        trader = file.load(agent, settings)
        if buffer is not None:
            from agent_memory import BufferedDecisionLogger  # noqa: PLC0415

            # Every record is synced to disk like the state, so that a power failure loses neither.
            sink = await stack.enter_async_context(BufferedDecisionLogger(sink, buffer, sync_seconds=0))
        elif hasattr(sink, "aclose"):
            await stack.enter_async_context(sink)
        if trader.last_time is not None:
            typer.echo(f"Continuing after the bar of {trader.last_time:%Y-%m-%d %H:%M} UTC", err=True)
        feed = follow_csv(bars, follow=follow)
        if follow:
            typer.echo(f"Following {bars}; Ctrl-C stops", err=True)
        progress = Progress(trader, lambda line: typer.echo(line, err=True))
        count = await trade_on_paper(trader, feed, sink, file, on_report=progress.on_report)
    typer.echo(f"{count:,} new bars; {trader.trades:,} trades in total; equity {trader.equity:.4f}, starting from 1")


def _client(url: str, agent: str) -> Any:
    from agent_memory import AgentMemoryClient  # noqa: PLC0415

    return AgentMemoryClient(url, agent)


def _logger(agent: str, table_prefix: str | None, bucket: str | None) -> Any:
    from agent_memory import DecisionLogger  # noqa: PLC0415

    return DecisionLogger(agent, stores=stores_of(table_prefix, bucket))
