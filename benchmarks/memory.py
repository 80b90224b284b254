"""`python -m benchmarks.memory`: time of storing and recalling memories."""

from itertools import chain

from benchmarks import levels, recall
from benchmarks.tables import print_table

if __name__ == "__main__":
    print_table("Memory", chain(levels.rows(), recall.rows()))
