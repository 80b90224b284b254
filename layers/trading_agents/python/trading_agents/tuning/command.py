"""The commands `agent-memory trading`: half-lives on one's own record, and a page about a trading memory."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_memory.cli.groups import Commands
from agent_memory.cli.options import StoreOptions, agent_id
from agent_memory.cli.output import Output
from agent_memory.core.errors import InvalidInput
from agent_memory.core.extras import needs_extra

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
    half_lives: Annotated[
        str | None,
        typer.Option("--half-lives", metavar="LIST", help="Such as 30m,2h,8h,7d.", show_default="30m to 90d"),
    ] = None,
    where: StoreOptions,
    output: Output,
) -> int:
    """Say what each half-life of outcomes would have done on one's own trades, walk-forward and with 95% intervals.

    The trades are those of a memory's outcomes, or those that `agent-memory paper` logged.
    """
    if (memory is None) == (agent is None):
        raise typer.BadParameter("pass either --memory or --agent")
    with needs_extra("backtest"):
        from trading_agents.tuning.durations import duration_name, parse_durations  # noqa: PLC0415
        from trading_agents.tuning.half_lives import HALF_LIVES, tune  # noqa: PLC0415
        from trading_agents.tuning.memories import memories_of  # noqa: PLC0415
        from trading_agents.tuning.record import record_of_log, record_of_memory  # noqa: PLC0415

    lives = HALF_LIVES if half_lives is None else parse_durations(half_lives)
    if memory is not None:
        records = [record for one in memories_of(memory) for record in record_of_memory(one)]
    else:
        records = record_of_log(asyncio.run(_trades(str(agent), where.connection())))
    found = tune(records, lives)
    rows = [
        {
            "half_life": duration_name(one.half_life),
            "remembered": round(one.remembered, 2),
            "resized": round(one.resized, 4),
            "change": round(one.change, 6),
            "interval": [round(limit, 6) for limit in one.interval],
        }
        for one in found.results
        if found.trades
    ]
    chosen = [duration_name(life) for life in found.chosen]
    answer = {
        "trades": found.trades,
        "half_lives": rows,
        "chosen": chosen,
        "walk_forward": round(found.walk_forward, 6) if found.chosen else None,
        "interval": [round(limit, 6) for limit in found.interval] if found.chosen else None,
        "verdict": found.verdict,
    }
    output.show(answer, [found.verdict, *_lines(found.trades, rows, chosen)])
    return 0


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


def _lines(trades: int, rows: list[dict[str, Any]], chosen: list[str]) -> list[str]:
    """Return the table of half-lives as text."""
    if not trades:
        return []
    header = f"{'half-life':<14}{'remembered':>11}{'resized':>9}  change of the mean result, % of a typical one"
    lines = [
        f"{row['half_life']:<14}{row['remembered']:>11.1f}{100 * row['resized']:>8.0f}%  {100 * row['change']:+.1f} "
        f"[{100 * row['interval'][0]:+.1f}, {100 * row['interval'][1]:+.1f}]"
        for row in rows
    ]
    return [f"{trades:,} trades", header, *lines, *([f"Chosen on the past: {', '.join(chosen)}"] if chosen else [])]


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
