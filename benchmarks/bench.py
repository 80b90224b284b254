"""`python -m benchmarks.bench [--quick] [SECTION…]`: all benchmarks with a goal or a peer.

Sections are those of `SECTIONS`; by default all are run. A run writes its rows into results.json, beside
those of other sections, and docs/benchmarks.md with its plot. `--quick` takes the counts, compares them with
results.json, and fails if one misses its goal that met it before, or is further from a goal that it missed; it writes
nothing.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import exact_counts, peers, timed_rows
from benchmarks.benchmarks_page import write_page
from benchmarks.measurement import Measurement, rounded

RESULTS = Path(__file__).with_name("results.json")
_TOLERANCE = 1.02  # sizes depend a little on random ids


SECTIONS: Mapping[str, Callable[[], Iterator[Measurement]]] = {
    "counts": exact_counts.rows,
    "times": timed_rows.times,
    "starts": timed_rows.starts,
    "mining": timed_rows.mining,
    "year": timed_rows.of_a_year,
    "busy": timed_rows.busy_agent,
    "demos": timed_rows.demos,
    "peers": peers.rows,
}


def regressions(rows: Iterable[Measurement], recorded: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is worse than recorded: a line for each count that misses its goal, or is further from it than it was."""
    before = {(one["name"], one["unit"]): one for one in recorded}
    return [line for row in rows if (line := _regression(row, before.get((row.name, row.unit))))]


def _regression(row: Measurement, recorded: Mapping[str, Any] | None) -> str | None:
    if row.met is not False or row.ours is None:
        return None
    name = f"{row.name}: {rounded(row.ours):g} {row.unit}, the goal is {row.goal:g}"
    if recorded is None or recorded.get("met") is None:
        return f"{name}, and nothing else is recorded"
    if recorded["met"]:
        return f"{name}, which was met with {recorded['ours']:g}"
    if row.ours > recorded["ours"] * _TOLERANCE:
        return f"{name}, and it was {recorded['ours']:g}"
    return None


def _printed(rows: Iterator[Measurement]) -> Iterator[Measurement]:
    """The rows, each printed with the time it took."""
    started = time.perf_counter()
    for row in rows:
        took = time.perf_counter() - started
        if row.left_out:
            sys.stdout.write(f"{took:7.1f} s  {row.name}: left out, {row.left_out}\n")
        else:
            state = {True: "met", False: "MISSED", None: ""}[row.met]
            ratio = "" if row.ratio is None else f", {row.ratio:.2f} × {row.peer}"
            sys.stdout.write(f"{took:7.1f} s  {row.name}: {rounded(row.ours):g} {row.unit}{ratio}  {state}\n")
        sys.stdout.flush()
        yield row
        started = time.perf_counter()


def _record(section: str, rows: Iterable[Measurement]) -> None:
    """Write the rows of a section, and when and where they were measured, in place of its former ones."""
    sections = _recorded()
    sections[section] = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, shared with other programs",
        "rows": [row.as_dict() for row in rows],
    }
    results = {name: sections[name] for name in SECTIONS if name in sections}
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_page(results, SECTIONS)


def _recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return found


def main(arguments: Sequence[str]) -> int:
    """Measure, and return the exit code."""
    if unknown := set(arguments) - {"--quick", *SECTIONS}:
        sys.stderr.write(f"unknown: {' '.join(sorted(unknown))}; there are --quick, {', '.join(SECTIONS)}\n")
        return 2
    if "--quick" in arguments:
        worse = regressions(_printed(exact_counts.rows()), _recorded()["counts"]["rows"])
        sys.stderr.writelines(f"{line}\n" for line in worse)
        return int(bool(worse))
    for section in arguments or SECTIONS:
        _record(section, list(_printed(SECTIONS[section]())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
