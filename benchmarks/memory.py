"""`python -m benchmarks.memory`: what recalling costs."""

from rich.console import Console
from rich.table import Table

from benchmarks.recall import rows

if __name__ == "__main__":
    table = Table("measured", "result", "goal", title="Recalling memories")
    for row in rows():
        table.add_row(*row)
    Console(width=120).print(table)
