"""Options that both demos have: on one file, and in the local cloud."""

from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from trading_agents.bars.command_options import FILE_HELP

_MAX_DAYS = 3_650

BarsFile = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        show_default="daily bars of AAPL, IBM and MSFT",
        help=FILE_HELP,
    ),
]
ReportFile = Annotated[Path, typer.Option(help="Where to write the report.")]


def days_option(default: int) -> OptionInfo:
    """The option `--days`, without which a new replay has the default number of days."""
    option: OptionInfo = typer.Option(
        min=1,
        max=_MAX_DAYS,
        show_default=f"{default}, or those of the replay that is continued",
        help="Days to replay; from 120 on, every memory level and every retention step has data.",
    )
    return option
