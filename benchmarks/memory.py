"""`python -m benchmarks.memory`: what remembering and recalling cost."""

from itertools import chain

from rich.console import Console
from rich.table import Table

from benchmarks import levels, recall

if __name__ == "__main__":
    table = Table("measured", "result", "goal", title="Memory")
    for row in chain(levels.rows(), recall.rows()):
        table.add_row(*row)
    Console(width=120).print(table)
