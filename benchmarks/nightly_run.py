"""`python -m benchmarks.nightly_run FILE`: one search over a file of evidence, in a process of its own on one core.

Prints JSON: seconds of processor time, decisions, candidates, patterns, and the peak resident memory.
"""

import json
import os
import sys
import time
from pathlib import Path

from agent_memory.core.clock import Span
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets, identify_in_datasets
from agent_memory.storage.parquet.evidence import evidence_rows

_ALL_TIME = Span(0, 2**52)


def main(path: Path) -> None:
    """Read, search, print."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.process_time()
    tables = build_tables(evidence_rows(path.read_bytes(), _ALL_TIME))
    read = time.process_time()
    found = identify_in_datasets(build_datasets(tables))
    done = time.process_time()
    measured = {
        "decisions": sum(map(len, tables)),
        "read_seconds": read - began,
        "search_seconds": done - read,
        "resident_bytes": peak_resident_bytes(),
        "candidates": found.candidates_tried,
        "patterns": len(found.patterns),
    }
    sys.stdout.write(json.dumps(measured))


def peak_resident_bytes() -> int:
    """The peak of this process alone; that of `getrusage` includes what the parent held before the fork."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
