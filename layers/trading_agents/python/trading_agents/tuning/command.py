"""The commands `agent-memory trading`: half-lives on one's own record, and a page about a trading memory."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from agent_memory.cli.groups import Commands
from agent_memory.cli.options import StoreOptions, agent_id
from agent_memory.cli.output import Output
from agent_memory.core.errors import InvalidInput
from agent_memory.core.extras import needs_extra
from trading_agents.bars.command_options import FILE_HELP, Splits, Symbol, TimeZone

if TYPE_CHECKING:
    from trading_agents.tuning.half_lives import Tuning

_AT_ONCE = 1_000

trading = Commands(help="Trading memories: what they hold, and what other half-lives would have done.")

MemoryFile = typer.Option(
    "--memory",
    metavar="FILE",
    exists=True,
    dir_okay=False,
    help="A saved TradingMemoryStore, or the state of `agent-memory paper`.",
)


@trading.command("tune")
def tune_half_lives(
    *,
    memory: Annotated[Path | None, MemoryFile] = None,
    agent: Annotated[
        str | None,
        typer.Option("--agent", metavar="ID", parser=agent_id, help="Read the trades of this agent's decision log."),
    ] = None,
    bars: Annotated[
        Path | None,
        typer.Option("--bars", metavar="FILE", help=f"{FILE_HELP} Tunes every kind.", exists=True, dir_okay=False),
    ] = None,
    half_lives: Annotated[
        str | None,
        typer.Option("--half-lives", metavar="LIST", help="Such as 30m,2h,8h,7d.", show_default="30m to 90d"),
    ] = None,
    costs_bp: Annotated[
        float, typer.Option("--costs-bp", min=0, help="With --bars: costs per side in basis points.")
    ] = 1.0,
    options: Annotated[
        Path | None,
        typer.Option(
            "--options", metavar="FILE", help="With --bars: option chains for Hedge.", exists=True, dir_okay=False
        ),
    ] = None,
    symbol: Symbol = None,
    time_zone: TimeZone = None,
    splits: Splits = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Say what each half-life of what is remembered would have done, walk-forward and with 95% intervals.

    With --memory or --agent: the half-life of outcomes, on one's own trades, which are those of a memory or those that
    `agent-memory paper` logged. With --bars: the half-life of every kind of items, on the trades that the five agents
    would have made on these bars; a few minutes for a few years of hours.
    """
    if sum(given is not None for given in (memory, agent, bars)) != 1:
        raise typer.BadParameter("pass one of --memory, --agent and --bars")
    if options is not None and bars is None:
        raise typer.BadParameter("--options: needs --bars")
    with needs_extra("backtest"):
        from trading_agents.tuning.durations import parse_durations  # noqa: PLC0415
        from trading_agents.tuning.half_lives import HALF_LIVES, tune  # noqa: PLC0415
        from trading_agents.tuning.memories import memories_of  # noqa: PLC0415
        from trading_agents.tuning.record import record_of_log, record_of_memory  # noqa: PLC0415

    lives = HALF_LIVES if half_lives is None else parse_durations(half_lives)
    if bars is not None:
        how = BarOptions(symbol, time_zone, splits)
        answer, lines = _tuned_on_bars(bars, how, lives, output, costs_bp=costs_bp, options=options)
    elif memory is not None:
        found = tune([record for one in memories_of(memory) for record in record_of_memory(one)], lives)
        answer, lines = _as_json(found), _lines(found)
    else:
        found = tune(record_of_log(asyncio.run(_trades(str(agent), where.connection()))), lives)
        answer, lines = _as_json(found), _lines(found)
    output.show(answer, lines)
    return 0


class BarOptions(NamedTuple):
    """How a file of bars is read; see `read_bars`."""

    symbol: str | None
    time_zone: str | None
    splits: str | None


def _tuned_on_bars(
    path: Path, how: BarOptions, lives: Sequence[float], output: Output, *, costs_bp: float, options: Path | None
) -> tuple[dict[str, Any], list[str]]:
    """Return the results of every kind of items on a file of bars, as JSON and as lines."""
    from trading_agents.bars import BarsError, read_bars  # noqa: PLC0415
    from trading_agents.options import read_option_chains  # noqa: PLC0415
    from trading_agents.tuning.replay import tune_on_bars  # noqa: PLC0415

    try:
        read = read_bars(path, symbol=how.symbol, time_zone=how.time_zone, splits=how.splits)
        output.line(read.summary, err=True)
        chains = read_option_chains(options, time_zone=how.time_zone).one(how.symbol).chains if options else ()
        found = list(
            tune_on_bars(
                read.one(how.symbol).bars,
                lives,
                costs_bp=costs_bp,
                chains=chains,
                notify=lambda line: output.line(line, err=True),
            )
        )
    except (BarsError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    kinds = [{"kind": one.kind, "agent": one.agent or None, **_as_json(one.tuning)} for one in found]
    lines: list[str] = []
    for one in found:
        lines += [f"{one.kind}, {one.agent or 'all agents'}:", *_lines(one.tuning), ""]
    said = sum(bool(one.tuning.chosen) for one in found)
    lines.append(f"{said} verdicts at the 5% level: of twenty, one is expected to be by chance.")
    return {"bars": read.summary, "kinds": kinds}, lines


def _as_json(found: "Tuning") -> dict[str, Any]:
    """Return a result as plain JSON data."""
    from trading_agents.tuning.durations import duration_name  # noqa: PLC0415

    return {
        "trades": found.trades,
        "half_lives": [
            {
                "half_life": duration_name(one.half_life),
                "remembered": round(one.remembered, 2),
                "resized": round(one.resized, 4),
                "change": round(one.change, 6),
                "interval": [round(limit, 6) for limit in one.interval],
            }
            for one in found.results
            if found.trades
        ],
        "chosen": [duration_name(life) for life in found.chosen],
        "walk_forward": round(found.walk_forward, 6) if found.chosen else None,
        "interval": [round(limit, 6) for limit in found.interval] if found.chosen else None,
        "verdict": found.verdict,
    }


@trading.command("page")
def memory_page(
    *,
    memory: Annotated[Path, MemoryFile],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="Where to write the page.")],
    output: Output,
) -> int:
    """Write a page about a trading memory: what it holds, how it fades, what was recalled and what came of it."""
    with needs_extra("backtest"):
        from trading_agents.core.files import write_atomically  # noqa: PLC0415
        from trading_agents.tuning.memories import memories_of  # noqa: PLC0415
        from trading_agents.tuning.page import render_page  # noqa: PLC0415

    page = render_page(memory.name, memories_of(memory))
    try:
        write_atomically(out.absolute(), page.encode())
    except OSError as error:
        raise typer.BadParameter(f"cannot write {out}: {error.strerror or error}") from error
    output.show({"page": str(out)}, [f"Page: {out}"])
    return 0


def _lines(found: "Tuning") -> list[str]:
    """Return the verdict and the table of half-lives as text."""
    result = _as_json(found)
    if not found.trades:
        return [found.verdict]
    header = f"{'half-life':<14}{'remembered':>11}{'resized':>9}  change of the mean result, % of a typical one"
    rows = [
        f"{row['half_life']:<14}{row['remembered']:>11.1f}{100 * row['resized']:>8.0f}%  {100 * row['change']:+.1f} "
        f"[{100 * row['interval'][0]:+.1f}, {100 * row['interval'][1]:+.1f}]"
        for row in result["half_lives"]
    ]
    chosen = [f"Chosen on the past: {', '.join(result['chosen'])}"] if result["chosen"] else []
    return [found.verdict, f"{found.trades:,} trades", header, *rows, *chosen]


async def _trades(agent: str, connection: Any) -> list[dict[str, Any]]:
    """Return all logged trades of an agent, oldest first.

    Raises:
        InvalidInput: a part of the log cannot be read, so that the record would have a gap.
    """
    from agent_memory import DecisionLogger  # noqa: PLC0415

    log = DecisionLogger(agent, stores=connection)
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await log.page_decisions("TRADE", limit=_AT_ONCE, newest_first=False, cursor=cursor)
        if missing := page["missing"]:
            raise InvalidInput("agent", f"{len(missing)} trades of {agent} cannot be read: {missing[0]['why']}")
        found += page["decisions"]
        cursor = page["cursor"]
        if cursor is None:
            return found
