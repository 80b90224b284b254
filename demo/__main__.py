"""`python -m demo`: the whole system at work on this machine, in one command."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

DEFAULT_DAYS = 121
_MAX_DAYS = 3_650
INTERRUPTED = 130

cli = typer.Typer(add_completion=False, rich_markup_mode=None)


@cli.command()
def demo(
    days: Annotated[
        int,
        typer.Option(
            min=1, max=_MAX_DAYS, help="Days to replay; from 120 on, every level and retention step holds data."
        ),
    ] = DEFAULT_DAYS,
    bars: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="CSV of bars: timestamp, open, high, low, close, volume, maybe symbol. Default: AAPL, IBM, MSFT.",
        ),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the local cloud running afterwards.")] = False,
    output: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("report.html"),
    state: Annotated[
        Path | None,
        typer.Option(help="Where the local cloud keeps its state.", show_default=".local/state in the project"),
    ] = None,
) -> None:
    """Deploy the stacks into the local cloud, replay real bars, learn every night, and report what was learned.

    A second run goes on where the last one stopped.
    """
    # Only now: `--help` and a wrong flag need none of it.
    from demo.run import Options, run_demo  # noqa: PLC0415
    from demo.terminal import Terminal  # noqa: PLC0415

    run_demo(Options(days=days, bars=bars, keep=keep, output=output, state=state), Terminal(Console(highlight=False)))


def main(arguments: list[str] | None = None) -> int:
    """Run the command; whatever is expected to go wrong is one line. Returns the exit code."""
    try:
        code = typer.main.get_command(cli).main(arguments, prog_name="python -m demo", standalone_mode=False) or 0
    except typer.TyperException as error:
        return _fail(error.format_message(), error.exit_code)
    except Exception as error:
        if not _is_expected(error):
            raise
        return _fail(str(error), 1)
    if code == INTERRUPTED:
        return _fail("interrupted; the next run goes on from the last day that was saved", INTERRUPTED, "Stopped: ")
    return int(code)


def _is_expected(error: Exception) -> bool:
    from agent_memory.core.errors import AgentMemoryError  # noqa: PLC0415
    from demo.errors import DemoError  # noqa: PLC0415
    from local import LocalCloudError  # noqa: PLC0415

    return isinstance(error, DemoError | LocalCloudError | AgentMemoryError)


def _fail(text: str, code: int, label: str = "Error: ") -> int:
    line = " ".join(text.split())
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"{label}{line}", style="red")
    return code


if __name__ == "__main__":
    sys.exit(main())
