"""The command `agent-memory paper`: trade bars on paper as they arrive, and log every decision."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_memory.cli.options import Agent, StoreOptions
from agent_memory.cli.output import Output
from agent_memory.cli.progress import progress
from trading_agents.bars.command_options import FILE_HELP, Splits, TimeZone

if TYPE_CHECKING:
    from trading_agents.paper.bar_feed import BarSource
    from trading_agents.paper.settings import PaperSettings
    from trading_agents.paper.trader_state import TraderState

_SYMBOL, _BAR_SECONDS = "SPY", 3_600.0


def paper(
    *,
    bars: Annotated[
        Path,
        typer.Option(
            "--bars",
            metavar="FILE",
            help=FILE_HELP,
            exists=True,
            dir_okay=False,
        ),
    ],
    agent: Agent,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="FILE",
            dir_okay=False,
            help="File with the state of the trader; a later start continues from it.",
        ),
    ] = None,
    state_in_store: Annotated[
        bool,
        typer.Option("--state-in-store", help="Keep the state in the agent's own state instead of a file."),
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for bars that are added to the file.")] = False,
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
    symbol: Annotated[
        str | None,
        typer.Option(help="Symbol of the instrument; chooses one if the file has several.", show_default="the file's"),
    ] = None,
    time_zone: TimeZone = None,
    splits: Splits = None,
    bar_seconds: Annotated[
        float | None, typer.Option(help="Duration of a bar.", show_default="distance of the file's bars")
    ] = None,
    settle_seconds: Annotated[
        float, typer.Option(min=0, help="How long after its end a bar is taken, for sources that correct it once more.")
    ] = 0.0,
    bars_per_day: Annotated[
        float | None, typer.Option(help="Bars on a trading day.", show_default="as many as fit into a day")
    ] = None,
    costs_bp: Annotated[
        float, typer.Option("--costs-bp", help="Costs per side in basis points; half the spread if the bars have one.")
    ] = 1.0,
    cost_gate: Annotated[
        bool, typer.Option("--cost-gate", help="Open no position while the spread is far above its median.")
    ] = False,
    advice: Annotated[
        bool, typer.Option("--advice", help="Follow what the agent's memory advises on votes and weights.")
    ] = False,
    size_by_regime: Annotated[
        bool,
        typer.Option("--size-by-regime", help="Half the size while the last five positions in a regime lost."),
    ] = False,
    switch_by_regime: Annotated[
        bool, typer.Option("--switch-by-regime", help="Follow only the agent with the best record in a regime.")
    ] = False,
    volume_by_regime: Annotated[
        bool, typer.Option("--volume-by-regime", help="Learn the typical volume of each hour and regime.")
    ] = False,
    trade_from: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Make decisions only from this time on; UTC."),
    ] = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Trade bars on paper: five agents with memory, one signal, positions with stop and target; log every decision.

    After an interruption or a crash, the same command continues where it stopped.
    """
    if (state is None) != state_in_store:
        raise typer.BadParameter("is needed; or --state-in-store", param_hint="'--state'")
    # Imported here, since `--help` and invalid options need none of it.
    from trading_agents.bars import BarsError  # noqa: PLC0415
    from trading_agents.paper.bar_feed import BarSource  # noqa: PLC0415
    from trading_agents.paper.settings import PaperSettings  # noqa: PLC0415

    def settings(stored: PaperSettings | None, in_file: tuple[str, float | None]) -> PaperSettings:
        """Take what is not given from the state, or for a new trader from the file."""
        known_symbol, known_seconds = (stored.symbol, stored.bar_seconds) if stored else in_file
        return PaperSettings(
            symbol=symbol or known_symbol or _SYMBOL,
            bar_seconds=(known_seconds or _BAR_SECONDS) if bar_seconds is None else bar_seconds,
            bars_per_day=bars_per_day,
            costs_bp=costs_bp,
            trade_from=None if trade_from is None else trade_from.replace(tzinfo=UTC),
            cost_gate=cost_gate,
            advice=advice,
            size_by_regime=size_by_regime,
            switch_by_regime=switch_by_regime,
            volume_by_regime=volume_by_regime,
        )

    source = BarSource(bars, symbol, time_zone, splits, settle_seconds)
    sink: Any = _client(url, agent) if url else _logger(agent, where)
    try:
        memory = _memory(sink if url else None, agent, where) if state_in_store or advice else None
        kept = _state(state, agent, memory)
        adviser = memory if advice else None
        running = _trade(sink, source, kept, agent, settings, adviser=adviser, follow=follow, buffer=buffer)
        result = asyncio.run(running)
    except (BarsError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    counts = f"{result['new_bars']:,} new bars; {result['trades']:,} trades in total"
    output.show(result, [f"{counts}; equity {result['equity']:.4f}, starting from 1"])
    return 0


async def _trade(
    sink: Any,
    source: "BarSource",
    state: "TraderState",
    agent: str,
    settings: "Callable[[PaperSettings | None, tuple[str, float | None]], PaperSettings]",
    *,
    adviser: Any,
    follow: bool,
    buffer: Path | None,
) -> dict[str, Any]:
    """Trade until the bars end; returns the new bars, and the trades and the equity of the whole record."""
    from trading_agents.paper.bar_feed import follow_bars, look_at  # noqa: PLC0415
    from trading_agents.paper.loop import trade_on_paper  # noqa: PLC0415
    from trading_agents.paper.progress import Progress  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        file = stack.enter_context(state)
        stored = file.settings()
        in_file = ("", None) if stored else await look_at(source, follow=follow)
        trader = file.load(agent, settings(stored, in_file), adviser=adviser)
        if buffer is not None:
            from agent_memory import BufferedDecisionLogger  # noqa: PLC0415

            # Every record is synced to disk like the state, so that a power failure loses neither.
            sink = await stack.enter_async_context(BufferedDecisionLogger(sink, buffer, sync_seconds=0))
        elif hasattr(sink, "aclose"):
            await stack.enter_async_context(sink)
        if trader.last_time is not None:
            _note(f"Continuing after the bar of {trader.last_time:%Y-%m-%d %H:%M} UTC")
        bars = follow_bars(
            source,
            bar_seconds=trader.settings.bar_seconds,
            follow=follow,
            known=trader.known_bars,
            notify=_note,
        )
        if follow:
            _note(f"Following {source.path}; Ctrl-C stops")
        on_report = Progress(trader, _note).on_report
        count = await trade_on_paper(trader, bars, sink, file, on_report=on_report)
    return {"new_bars": count, "trades": trader.trades, "equity": trader.equity}


def _state(path: Path | None, agent: str, memory: Any) -> "TraderState":
    """Return where the state is kept: in a file, or in the agent's state."""
    from trading_agents.paper.state_file import StateFile  # noqa: PLC0415
    from trading_agents.paper.state_in_store import StateInStore  # noqa: PLC0415

    return StateInStore(memory, agent) if path is None else StateFile(path)


def _memory(client: Any, agent: str, where: StoreOptions) -> Any:
    """Return the agent's memory, over HTTP or directly."""
    from agent_memory import MemoryManager  # noqa: PLC0415

    return (client or MemoryManager(agent, stores=where.connection(creates=True))).sync


def _note(line: str) -> None:
    progress.stop()
    typer.echo(line, err=True)


def _client(url: str, agent: str) -> Any:
    from agent_memory import AgentMemoryClient  # noqa: PLC0415

    return AgentMemoryClient(url, agent)


def _logger(agent: str, where: StoreOptions) -> Any:
    from agent_memory import DecisionLogger  # noqa: PLC0415

    return DecisionLogger(agent, stores=where.connection(creates=True))
