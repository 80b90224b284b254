"""The command `backtest`: does memory help on these bars?"""

import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent_memory.core.extras import needs_extra

INTERRUPTED = 130
_INVALID = 2


class Agents(StrEnum):
    """The agents to backtest."""

    TEXTBOOK = "plain"
    MEMORY = "memory"
    ALL = "all"


def backtest(
    bars: Annotated[
        list[Path],
        typer.Option("--bars", help="CSV file of bars, may be .gz; repeatable.", exists=True, dir_okay=False),
    ],
    costs_bp: Annotated[
        list[float],
        typer.Option("--costs-bp", min=0, help="Costs per side in basis points; once for all files, or once for each."),
    ] = [1.0],  # noqa: B006  # Typer copies it
    agents: Annotated[
        Agents, typer.Option("--agents", help="The seven textbook agents, the five with memory (slower), or all.")
    ] = Agents.ALL,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the report.")] = Path(),
) -> None:
    """Trade with and without memory, and report what memory changed and what chance explains.

    On files with bid and ask, a side costs half the quoted spread. Writes does-memory-help.md, its plots, and
    report.html.
    """
    if not all(math.isfinite(cost) for cost in costs_bp):
        raise typer.BadParameter("--costs-bp: must be finite")
    if len(costs_bp) not in {1, len(bars)}:
        raise typer.BadParameter(f"pass --costs-bp once, or once for each of the {len(bars)} files")
    # Imported here, since `--help` and invalid options need none of it.
    with needs_extra("backtest"):
        from trading_agents.backtest.engine.portfolios import TEXTBOOK_PORTFOLIO, voting_portfolio  # noqa: PLC0415
        from trading_agents.backtest.report import write_report  # noqa: PLC0415
        from trading_agents.backtest.study.run import run_study  # noqa: PLC0415
        from trading_agents.bars import BarsError, read_price_bars  # noqa: PLC0415
        from trading_agents.core.files import check_writable_folder  # noqa: PLC0415

    costs = costs_bp * len(bars) if len(costs_bp) == 1 else costs_bp
    try:
        check_writable_folder(out)
        files = [read_price_bars(path) for path in bars]
        studies = []
        for file, cost in zip(files, costs, strict=True):
            typer.echo(f"{file.name}: {len(file)} bars", err=True)
            if agents is not Agents.MEMORY:
                studies.append(run_study(file, cost, TEXTBOOK_PORTFOLIO))
            if agents is not Agents.TEXTBOOK:
                studies.append(run_study(file, cost, voting_portfolio(file)))
        summary, path = write_report(studies, out)
    except (BarsError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    for line in summary:
        typer.echo(line)
    typer.echo(f"Report: {path}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return the exit code; invalid options and files are reported in one line."""
    cli = typer.Typer(add_completion=False, rich_markup_mode=None)
    cli.command()(backtest)
    try:
        code = typer.main.get_command(cli).main(
            arguments, prog_name="python -m trading_agents.backtest", standalone_mode=False
        )
    except typer.TyperException as error:
        sys.stderr.write(f"Error: {' '.join(error.format_message().split())}\n")
        return _INVALID
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        sys.stderr.write("Stopped: interrupted; nothing was written\n")
    return int(code or 0)
