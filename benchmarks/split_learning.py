"""`python -m benchmarks.split_learning [PARTS [DECISIONS]]`: learning from a record in parts, each read by a process.

The record has 10 parts of 1,000,000 decisions unless something else is said. It is learned in parts, with the parts in
two orders, and in one piece, which has to lead to the same, bit for bit; beforehand a small record is. In one piece it
needs a gigabyte of memory for each million.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.evidence_files import write_evidence
from benchmarks.nightly import ONE_CORE
from benchmarks.tables import Row, print_table

PARTS, DECISIONS = 10, 1_000_000
_SMALL_PARTS, _SMALL = 5, 20_000
_MEGABYTE = 1e6


def rows(folder: Path, parts: int, decisions: int) -> Iterator[Row]:
    """Time and memory of each process, and whether all ways lead to the same."""
    read = read_parts(folder, parts, decisions)
    yield f"{parts} parts of {decisions:,} decisions, each read in a process", _seconds(read), ""
    yield "  peak resident memory of each", _megabytes(read), "≤ 3,000 MB"
    learned = _run("learn", *(one["folder"] for one in read))
    searched = f"{learned['decisions']:,} decisions merged and searched: {learned['patterns']} patterns"
    yield searched, _seconds([learned]), "≤ 900 s"
    yield "  peak resident memory", _megabytes([learned]), "≤ 3,000 MB"
    (single,) = read_parts(folder / "single", 1, parts * decisions, files=[one["file"] for one in read])
    yield "read in one piece", _seconds([single]), ""
    yield "  peak resident memory", _megabytes([single]), ""
    others = [_run("learn", *(one["folder"] for one in order)) for order in (read[::-1], [single])]
    if any(one["digest"] != learned["digest"] for one in others):
        raise AssertionError("the record in parts has led to something else than the record in one piece")
    yield "in parts, in two orders, and in one piece", "the same, bit for bit", "the same"


def read_parts(folder: Path, parts: int, decisions: int, *, files: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Write a record in parts, or use these files, and reduce each part to columns in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    read: list[dict[str, Any]] = []
    for part in range(parts):
        file, columns = folder / f"{part}.parquet", folder / f"columns-{part}"
        if files:
            _concatenate(files, file)
        else:
            write_evidence(file, decisions, part=part, parts=parts)
        read.append({"file": str(file), "folder": str(columns), **_run("read", str(file), str(columns))})
    return read


def _concatenate(files: Sequence[str], target: Path) -> None:
    import duckdb  # noqa: PLC0415  only here

    names = ", ".join(f"'{file}'" for file in files)
    duckdb.connect().execute(
        f"COPY (FROM read_parquet([{names}]) ORDER BY timestamp_ms) TO '{target}' (FORMAT parquet)"
    )


def _run(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.split_run", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=ONE_CORE)  # noqa: S603  our own module
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _seconds(measured: Sequence[dict[str, Any]]) -> str:
    return " to ".join(f"{one:.1f} s" for one in _range(measured, "seconds"))


def _megabytes(measured: Sequence[dict[str, Any]]) -> str:
    return " to ".join(f"{one / _MEGABYTE:,.0f} MB" for one in _range(measured, "resident_bytes"))


def _range(measured: Sequence[dict[str, Any]], name: str) -> list[float]:
    values = [one[name] for one in measured]
    return sorted({min(values), max(values)})


if __name__ == "__main__":
    parts, decisions = (int(one) for one in (*sys.argv[1:], *(str(PARTS), str(DECISIONS))[len(sys.argv) - 1 :]))
    with TemporaryDirectory() as name:
        print_table("A small record", list(rows(Path(name, "small"), _SMALL_PARTS, _SMALL)))
        print_table("Learning in parts, each process on one core", list(rows(Path(name, "large"), parts, decisions)))
