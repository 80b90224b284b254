"""`python -m demo`: the complete system at work on this machine, in one command."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trading_agents.bars.command_options import Splits, Symbol, TimeZone
from trading_agents.demo import DEFAULT_DAYS
from trading_agents.demo.options import BarsFile, ReportFile, days_option

INTERRUPTED = 130

cli = typer.Typer(add_completion=False, rich_markup_mode=None)


@cli.command()
def demo(
    *,
    days: Annotated[int | None, days_option(DEFAULT_DAYS)] = None,
    bars: BarsFile = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the local cloud running afterwards.")] = False,
    output: ReportFile = Path("report.html"),
    state: Annotated[
        Path | None,
        typer.Option(help="Folder with the state of the local cloud.", show_default=".local/state in the project"),
    ] = None,
    symbol: Symbol = None,
    time_zone: TimeZone = None,
    splits: Splits = None,
) -> None:
    """Deploy the stacks into the local cloud, replay real bars, learn after every day, and report what was learned.

    A second run continues where the last one stopped.
    """
    # Imported here, since `--help` and invalid options need none of it.
    from demo.run import Options, run_demo  # noqa: PLC0415
    from trading_agents.demo.bars import BarsOptions  # noqa: PLC0415
    from trading_agents.demo.terminal import Terminal  # noqa: PLC0415

    options = Options(days, BarsOptions(bars, symbol, time_zone, splits), keep, output, state)
    run_demo(options, Terminal(Console(highlight=False)))


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return the exit code; expected errors are reported in one line."""
    try:
        code = typer.main.get_command(cli).main(arguments, prog_name="python -m demo", standalone_mode=False) or 0
    except typer.TyperException as error:
        return _fail(error.format_message(), error.exit_code)
    except Exception as error:
        if not _is_expected(error):
            raise
        return _fail(str(error), 1)
    if code == INTERRUPTED:
        return _fail("interrupted; the next run continues after the last day that was saved", INTERRUPTED, "Stopped: ")
    return int(code)


def _is_expected(error: Exception) -> bool:
    from agent_memory import AgentMemoryError  # noqa: PLC0415
    from local import LocalCloudError  # noqa: PLC0415
    from trading_agents.demo.errors import DemoError  # noqa: PLC0415

    return isinstance(error, DemoError | LocalCloudError | AgentMemoryError)


def _fail(text: str, code: int, label: str = "Error: ") -> int:
    line = " ".join(text.split())
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"{label}{line}", style="red")
    return code


if __name__ == "__main__":
    sys.exit(main())
