"""`python -m benchmarks.nightly`: what a night's learning costs, and how small the archive is."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from agent_memory.core.clock import Span
from agent_memory.learning.counting import count_combinations
from agent_memory.learning.discovery import Record
from agent_memory.learning.patterns import PatternThresholds, records_of
from agent_memory.learning.tables import tables_of
from agent_memory.storage.parquet.evidence import evidence_rows
from benchmarks.archived import measured_sizes
from benchmarks.evidence_files import write_evidence
from benchmarks.plain_counting import Combination, count_in_dictionaries

FEW, MANY = 100_000, 1_000_000
_COMPARED = 20_000
_ARCHIVED_DAYS = 30
_END_OF_TIME_MS = 2**52
_MEGABYTE = 1e6

Row = tuple[str, str, str]


def search_rows(folder: Path) -> Iterator[Row]:
    """Time and memory of the search, each in a process of its own on one core."""
    taken = {}
    for count in (FEW, MANY):
        path = folder / f"{count}.parquet"
        write_evidence(path, count)
        told = _run(path)
        taken[count] = told["read_seconds"] + told["search_seconds"]
        goals = ("≤ 60 s", "≤ 1,000 MB") if count == MANY else ("", "")
        yield (
            f"{count:,} decisions, read from Parquet ({path.stat().st_size / _MEGABYTE:.1f} MB)",
            _seconds(told["read_seconds"]),
            "",
        )
        found = f"{told['candidates']:,} candidates, {told['patterns']} patterns"
        yield f"  searched: {found}", _seconds(told["search_seconds"]), ""
        yield "  together", f"{_seconds(taken[count])}: {count / taken[count]:,.0f} decisions/s", goals[0]
        yield "  most memory resident", f"{told['resident_bytes'] / _MEGABYTE:,.0f} MB", goals[1]
    yield f"{MANY:,} / {FEW:,}: time", f"{taken[MANY] / taken[FEW]:.1f} ×", f"≤ {MANY // FEW} ×"


def counting_rows(folder: Path) -> Iterator[Row]:
    """The counting of candidates beside a plain loop; on the part that both count, the counts are equal."""
    part = folder / "part.parquet"
    write_evidence(part, _COMPARED)
    evidence = list(evidence_rows(part.read_bytes(), Span(0, _END_OF_TIME_MS)))
    records = records_of(tables_of(evidence))
    thresholds = PatternThresholds()
    plain_seconds = 0.0
    for record in records:
        decisions = [
            (dict.fromkeys(one.features, True), one.success)
            for one in evidence
            if one.decision_type == record.decision_type
        ]
        began = time.process_time()
        plain = count_in_dictionaries(
            decisions,
            frozenset(record.columns.names),
            max_features=thresholds.max_features,
            min_occurrences=thresholds.min_occurrences,
        )
        plain_seconds += time.process_time() - began
        if _counted(record, thresholds)[0] != plain:
            raise AssertionError("the two ways of counting differ")
    many = records_of(tables_of(evidence_rows((folder / f"{MANY}.parquet").read_bytes(), Span(0, _END_OF_TIME_MS))))
    fast_seconds = sum(_counted(record, thresholds)[1] for record in many)
    plain_rate, fast_rate = _COMPARED / plain_seconds, MANY / fast_seconds
    yield f"counted by a loop over dictionaries, {_COMPARED:,} decisions", f"{plain_rate:,.0f} decisions/s", ""
    yield f"  in bits, the same counts; {MANY:,} decisions", f"{fast_rate:,.0f} decisions/s", ""
    yield "  bits / loop", f"{fast_rate / plain_rate:,.0f} ×", "≥ 20 ×"


def archive_rows() -> Iterator[Row]:
    """Bytes of the demo's decisions."""
    sizes = measured_sizes(_ARCHIVED_DAYS)
    each = sizes.item_bytes / sizes.decisions
    yield f"{sizes.decisions:,} decisions of the demo as items", f"{each:,.0f} bytes each", ""
    for name, size, goal in (
        ("archived, a file a day", sizes.archive_bytes, "≤ 1/8"),
        (f"the same rows, {_ARCHIVED_DAYS} days in a file", sizes.joined_bytes, ""),
    ):
        yield f"  {name}", f"{size / sizes.decisions:,.0f} bytes each: 1/{sizes.item_bytes / size:.1f}", goal


def _run(path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.nightly_run", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  our own module
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _counted(record: Record, thresholds: PatternThresholds) -> tuple[dict[Combination, tuple[int, int]], float]:
    """The counts by names, and the seconds that counting took."""
    began = time.process_time()
    counts = count_combinations(
        record.columns.rows,
        record.success,
        max_features=thresholds.max_features,
        min_occurrences=thresholds.min_occurrences,
    )
    seconds = time.process_time() - began
    named = {
        tuple(record.columns.names[member] for member in members if member >= 0): (int(n), int(won))
        for members, n, won in zip(counts.members, counts.occurrences, counts.successes, strict=True)
    }
    return named, seconds


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


if __name__ == "__main__":
    table = Table("measured", "result", "goal", title="A night's learning, on one core")
    with TemporaryDirectory() as name:
        for row in (*search_rows(Path(name)), *counting_rows(Path(name)), *archive_rows()):
            table.add_row(*row)
    Console(width=120).print(table)
