"""`python -m benchmarks.nightly`: time and memory of the nightly search, and the size of the archive."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent_memory.core.clock import Span
from agent_memory.learning.counting import count_combinations
from agent_memory.learning.dataset import Dataset
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.storage.parquet.evidence import evidence_rows
from benchmarks.archive_size import measure_archive_sizes
from benchmarks.evidence_files import write_evidence
from benchmarks.plain_counting import count_in_loop
from benchmarks.tables import Row, print_table

FEW, MANY = 100_000, 1_000_000
_COUNTED_IN_LOOP = 20_000
_ARCHIVED_DAYS = 30
_ALL_TIME = Span(0, 2**52)
_MEGABYTE = 1e6
ONE_CORE = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
"""The environment of a process that runs on one core, where threads of OpenBLAS would wait for each other."""


def search_rows(folder: Path) -> Iterator[Row]:
    """Time and memory of the search, each in a process of its own on one core."""
    seconds = {}
    for count in (FEW, MANY):
        path = folder / f"{count}.parquet"
        write_evidence(path, count)
        measured = measure_search(path)
        seconds[count] = measured["read_seconds"] + measured["search_seconds"]
        goals = ("≤ 60 s", "≤ 1,000 MB") if count == MANY else ("", "")
        yield (
            f"{count:,} decisions, read from Parquet ({path.stat().st_size / _MEGABYTE:.1f} MB)",
            _seconds(measured["read_seconds"]),
            "",
        )
        found = f"{measured['candidates']:,} candidates, {measured['patterns']} patterns"
        yield f"  searched: {found}", _seconds(measured["search_seconds"]), ""
        yield "  together", f"{_seconds(seconds[count])}: {count / seconds[count]:,.0f} decisions/s", goals[0]
        yield "  peak resident memory", f"{measured['resident_bytes'] / _MEGABYTE:,.0f} MB", goals[1]
    yield f"{MANY:,} / {FEW:,}: time", f"{seconds[MANY] / seconds[FEW]:.1f} ×", f"≤ {MANY // FEW} ×"


def counting_rows(folder: Path) -> Iterator[Row]:
    """The counting of combinations against a plain loop; both are run on a sample, where the counts must be equal."""
    sample = folder / "sample.parquet"
    write_evidence(sample, _COUNTED_IN_LOOP)
    evidence = list(evidence_rows(sample.read_bytes(), _ALL_TIME))
    thresholds = PatternThresholds()
    loop_seconds = 0.0
    for dataset in build_datasets(build_tables(evidence)):
        names = set(dataset.matrix.names)
        decisions = [
            (names.intersection(row.features), bool(row.success))
            for row in evidence
            if row.decision_type == dataset.decision_type
        ]
        began = time.process_time()
        expected = count_in_loop(
            decisions, max_features=thresholds.max_features, min_occurrences=thresholds.min_occurrences
        )
        loop_seconds += time.process_time() - began
        if _count(dataset, thresholds)[0] != expected:
            raise AssertionError("the two ways of counting differ")
    large = build_datasets(build_tables(evidence_rows((folder / f"{MANY}.parquet").read_bytes(), _ALL_TIME)))
    seconds = sum(_count(dataset, thresholds)[1] for dataset in large)
    loop_rate, rate = _COUNTED_IN_LOOP / loop_seconds, MANY / seconds
    yield f"counted in a loop, {_COUNTED_IN_LOOP:,} decisions", f"{loop_rate:,.0f} decisions/s", ""
    yield f"  in bits, the same counts; {MANY:,} decisions", f"{rate:,.0f} decisions/s", ""
    yield "  bits / loop", f"{rate / loop_rate:,.0f} ×", "≥ 20 ×"


def archive_rows() -> Iterator[Row]:
    """Bytes of the demo's decisions."""
    sizes = measure_archive_sizes(_ARCHIVED_DAYS)
    each = sizes.item_bytes / sizes.decisions
    yield f"{sizes.decisions:,} decisions of the demo as items", f"{each:,.0f} bytes each", ""
    for name, size, goal in (
        ("archived, one file per day", sizes.archive_bytes, "≤ 1/15"),
        (f"the same rows, {_ARCHIVED_DAYS} days in one file", sizes.single_file_bytes, ""),
    ):
        yield f"  {name}", f"{size / sizes.decisions:,.0f} bytes each: 1/{sizes.item_bytes / size:.1f}", goal


def measure_search(path: Path) -> dict[str, Any]:
    """Read and search a file of evidence in a process of its own: what `benchmarks.nightly_run` prints."""
    command = [sys.executable, "-m", "benchmarks.nightly_run", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=ONE_CORE)  # noqa: S603  our own module
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _count(dataset: Dataset, thresholds: PatternThresholds) -> tuple[dict[tuple[str, ...], tuple[int, int]], float]:
    """The counts by feature names, and the seconds that counting took."""
    began = time.process_time()
    counts = count_combinations(
        dataset.matrix.rows,
        dataset.success,
        max_features=thresholds.max_features,
        min_occurrences=thresholds.min_occurrences,
    )
    seconds = time.process_time() - began
    named = {
        dataset.feature_names([member for member in members if member >= 0]): (int(n), int(won))
        for members, n, won in zip(counts.members, counts.occurrences, counts.successes, strict=True)
    }
    return named, seconds


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        folder = Path(name)
        print_table("The nightly search, on one core", [*search_rows(folder), *counting_rows(folder), *archive_rows()])
