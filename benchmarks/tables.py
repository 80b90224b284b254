"""Prints the results of a benchmark as a table."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

Row = tuple[str, str, str]
"""What is measured, the result, and the goal, which is empty if there is none."""


def print_table(
    title: str,
    rows: Iterable[Row],
    *,
    columns: tuple[str, str, str] = ("measured", "result", "goal"),
    caption: str | None = None,
    width: int = 120,
) -> None:
    """Print a table on the terminal."""
    table = Table(*columns, title=title, caption=caption)
    for row in rows:
        table.add_row(*row)
    Console(width=width).print(table)
