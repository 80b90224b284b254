"""The command `backtest`: does memory help on these bars?

`backtest` is a plain function that a Typer application can mount.
"""

import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

INTERRUPTED = 130
_WRONG = 2


class Agents(StrEnum):
    """Who trades."""

    PLAIN = "plain"
    MEMORY = "memory"
    ALL = "all"


def backtest(
    bars: Annotated[
        list[Path],
        typer.Option(
            "--bars", help="CSV file of bars, may be .gz; several times for several.", exists=True, dir_okay=False
        ),
    ],
    costs_bp: Annotated[
        list[float],
        typer.Option("--costs-bp", min=0, help="Costs of a side in basis points; once for all files, or once a file."),
    ] = [1.0],  # noqa: B006  # Typer copies it
    agents: Annotated[
        Agents, typer.Option("--agents", help="Seven plain ones, the five with memory (slower), or all.")
    ] = Agents.ALL,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the report.")] = Path(),
) -> None:
    """Trade with and without memory, and say what memory changed and what could be luck.

    Files with bid and ask cost half the quoted spread. Writes does-memory-help.md, its plots, and report.html.
    """
    if not all(math.isfinite(cost) for cost in costs_bp):
        raise typer.BadParameter("--costs-bp: is not a finite number")
    if len(costs_bp) not in {1, len(bars)}:
        raise typer.BadParameter(f"give --costs-bp once, or once for each of the {len(bars)} files")
    # Only now: `--help` and a wrong flag need none of it.
    from trading_agents.backtest.engine.portfolios import PLAIN, with_memory  # noqa: PLC0415
    from trading_agents.backtest.report.writer import write_report  # noqa: PLC0415
    from trading_agents.backtest.study.run import study  # noqa: PLC0415
    from trading_agents.bars import BarsError, read_price_bars  # noqa: PLC0415

    costs = costs_bp * len(bars) if len(costs_bp) == 1 else costs_bp
    try:
        read = [read_price_bars(path) for path in bars]
        studies = []
        for one, cost in zip(read, costs, strict=True):
            typer.echo(f"{one.name}: {len(one)} bars", err=True)
            if agents is not Agents.MEMORY:
                studies.append(study(one, cost, PLAIN))
            if agents is not Agents.PLAIN:
                studies.append(study(one, cost, with_memory(one)))
        told, path = write_report(studies, out)
    except (BarsError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    for line in told:
        typer.echo(line)
    typer.echo(f"The report: {path}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; what is wrong with options or files is one line. Returns the exit code."""
    cli = typer.Typer(add_completion=False, rich_markup_mode=None)
    cli.command()(backtest)
    try:
        code = typer.main.get_command(cli).main(
            arguments, prog_name="python -m trading_agents.backtest", standalone_mode=False
        )
    except typer.TyperException as error:
        sys.stderr.write(f"Error: {' '.join(error.format_message().split())}\n")
        return _WRONG
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        sys.stderr.write("Stopped: interrupted; nothing was written\n")
    return int(code or 0)
