"""The command `backtest`: does memory help on these bars?"""

import math
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent_memory.cli.groups import with_groups
from agent_memory.cli.output import Output
from agent_memory.core.extras import needs_extra
from trading_agents.bars.command_options import FILE_HELP, Splits, Symbol, TimeZone

INTERRUPTED = 130
_INVALID = 2


class Agents(StrEnum):
    """The agents to backtest."""

    TEXTBOOK = "plain"
    MEMORY = "memory"
    ALL = "all"


def backtest(
    *,
    bars: Annotated[
        list[Path],
        typer.Option("--bars", help=f"{FILE_HELP} Repeatable.", exists=True, dir_okay=False),
    ],
    costs_bp: Annotated[
        list[float],
        typer.Option("--costs-bp", min=0, help="Costs per side in basis points; once for all files, or once for each."),
    ] = [1.0],  # noqa: B006  # Typer copies it
    agents: Annotated[
        Agents, typer.Option("--agents", help="The seven textbook agents, the five with memory (slower), or all.")
    ] = Agents.ALL,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the report.")] = Path(),
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--options",
            metavar="FILE",
            help="Option chains (CSV or Parquet), from which Hedge decides: once for each file of bars, in their "
            "order, or `none`. Further ones are measured by the prices that they state.",
        ),
    ] = None,
    symbol: Symbol = None,
    time_zone: TimeZone = None,
    splits: Splits = None,
    output: Output,
) -> None:
    """Trade with and without memory, and report what memory changed and what chance explains.

    On files with bid and ask, a side costs half the quoted spread. Chains with a date only count from the next day on.
    Writes does-memory-help.md, its plots, and report.html.
    """
    if not all(math.isfinite(cost) for cost in costs_bp):
        raise typer.BadParameter("--costs-bp: must be finite")
    if len(costs_bp) not in {1, len(bars)}:
        raise typer.BadParameter(f"pass --costs-bp once, or once for each of the {len(bars)} files")
    if splits is not None and "=" in splits and len(bars) > 1:
        raise typer.BadParameter("--splits: the splits are those of one instrument; pass one file of bars")
    # Imported here, since `--help` and invalid options need none of it.
    with needs_extra("backtest"):
        from trading_agents.backtest.engine.portfolios import TEXTBOOK_PORTFOLIO, voting_portfolio  # noqa: PLC0415
        from trading_agents.backtest.options import read_options  # noqa: PLC0415
        from trading_agents.backtest.report import Run, write_report  # noqa: PLC0415
        from trading_agents.backtest.study.claims import too_few  # noqa: PLC0415
        from trading_agents.backtest.study.run import run_study  # noqa: PLC0415
        from trading_agents.bars import BarsError, read_bars  # noqa: PLC0415
        from trading_agents.core.files import check_writable_folder  # noqa: PLC0415

    costs = costs_bp * len(bars) if len(costs_bp) == 1 else costs_bp
    try:
        check_writable_folder(out)
        files, lines = [], []
        for path in bars:
            read = read_bars(path, symbol=symbol, time_zone=time_zone, splits=splits)
            output.line(read.summary, err=True)
            lines.append(read.summary)
            files.append(read.one(symbol).bars)
            if shortage := too_few(files[-1]):
                output.line(shortage, err=True)
        known = read_options(options or [], len(files), symbol=symbol, time_zone=time_zone)
        for line in known.summaries:
            output.line(line, err=True)
        studies = [
            run_study(
                file, cost, TEXTBOOK_PORTFOLIO if kind is Agents.TEXTBOOK else voting_portfolio(file, chains=chains)
            )
            for file, cost, chains in zip(files, costs, known.joined, strict=True)
            for kind in (Agents.TEXTBOOK, Agents.MEMORY)
            if agents in {kind, Agents.ALL}
        ]
        command = _command(
            bars=[path.name for path in bars],
            costs_bp=[f"{cost:g}" for cost in costs_bp],
            agents=agents.value,
            options=[Path(path).name for path in options or []],
            symbol=symbol,
            time_zone=time_zone,
            splits=splits,
        )
        summary, path = write_report(studies, out, known.measured(), Run(command, [*lines, *known.summaries]))
    except (BarsError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    document = {
        "files": [{"bars": str(path), "costs_bp": cost} for path, cost in zip(bars, costs, strict=True)],
        "summary": summary,
        "report": str(path),
    }
    output.show(document, [*summary, f"Report: {path}"])


def _command(**options: str | list[str] | None) -> str:
    """Return the command with its options, one to a line."""
    words = ["agent-memory backtest"]
    for name, values in options.items():
        given = [values] if isinstance(values, str) else values or []
        words += [f"--{name.replace('_', '-')} {shlex.quote(value)}" for value in given]
    return " \\\n    ".join(words)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return the exit code; invalid options and files are reported in one line."""
    cli = typer.Typer(add_completion=False, rich_markup_mode=None)
    cli.command()(with_groups(backtest))
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
