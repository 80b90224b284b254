"""The command `agent-memory demo`: the system at work on one file."""

from pathlib import Path
from typing import Annotated

import typer

from agent_memory.cli.output import Output
from agent_memory.cli.progress import progress
from agent_memory.core.extras import needs_extra
from trading_agents.bars.command_options import Splits, Symbol, TimeZone
from trading_agents.demo import DEFAULT_FILE_DAYS
from trading_agents.demo.options import BarsFile, ReportFile, days_option

_FAILED = 2


def demo(
    *,
    file: Annotated[
        Path, typer.Option("--file", dir_okay=False, help="The file with decisions and memories; created if needed.")
    ] = Path("demo.db"),
    days: Annotated[int | None, days_option(DEFAULT_FILE_DAYS)] = None,
    bars: BarsFile = None,
    output: ReportFile = Path("report.html"),
    symbol: Symbol = None,
    time_zone: TimeZone = None,
    splits: Splits = None,
    printed: Output,
) -> int:
    """Replay real bars as the hours of an agent, learn after every day, and report what was learned.

    Everything is kept in one file; no network is used. A second run continues where the last one stopped. With --json,
    the report is written to stdout, and what happens meanwhile to stderr.
    """
    progress.stop()  # the demo shows its own
    with needs_extra("demo"):  # imported here, since `--help` and invalid options need none of it
        from rich.console import Console  # noqa: PLC0415

        from trading_agents.demo.bars import BarsOptions  # noqa: PLC0415
        from trading_agents.demo.embedded import Options, run_demo  # noqa: PLC0415
        from trading_agents.demo.errors import DemoError  # noqa: PLC0415
        from trading_agents.demo.terminal import Terminal  # noqa: PLC0415

        try:
            source = BarsOptions(bars, symbol, time_zone, splits)
            terminal = Terminal(Console(highlight=False, stderr=printed.as_json))
            report = run_demo(Options(file, output, days, source), terminal)
        except DemoError as error:
            typer.echo(f"agent-memory: {' '.join(str(error).split())}", err=True)
            return _FAILED
    if printed.as_json:
        printed.json({"file": str(file), "page": str(output), "report": report})
    return 0
