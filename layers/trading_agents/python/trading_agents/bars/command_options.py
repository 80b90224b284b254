"""Command-line options of the commands that read a file of bars."""

from typing import Annotated

import typer

FILE_HELP = "File of bars: CSV as vendors write it, may be compressed, or Parquet (docs/bars.md)."

Symbol = Annotated[str | None, typer.Option("--symbol", help="Symbol to read, if the file has several.")]
TimeZone = Annotated[
    str | None,
    typer.Option(
        "--time-zone",
        metavar="NAME",
        help="Time zone of times without UTC offset, such as America/New_York.",
        show_default="UTC",
    ),
]
Splits = Annotated[
    str | None,
    typer.Option(
        "--splits",
        metavar="DATE=RATIO,...",
        help="Splits that the prices are not adjusted for, such as 2020-08-31=4; or `none`: jumps are moves.",
    ),
]
