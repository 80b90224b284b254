"""`python -m benchmarks.nightly_run FILE`: one night's search over a file of evidence, in a process of its own.

Pinned to one core. Prints JSON: seconds of processor time, decisions, patterns, and the most memory that was resident.
"""

import json
import os
import sys
import time
from pathlib import Path

from agent_memory.core.clock import Span
from agent_memory.learning.patterns import identify_in, records_of
from agent_memory.learning.tables import tables_of
from agent_memory.storage.parquet.evidence import evidence_rows

_END_OF_TIME_MS = 2**52


def main(path: Path) -> None:
    """Read, search, print."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.process_time()
    tables = tables_of(evidence_rows(path.read_bytes(), Span(0, _END_OF_TIME_MS)))
    read = time.process_time()
    found = identify_in(records_of(tables))
    done = time.process_time()
    told = {
        "decisions": sum(map(len, tables)),
        "read_seconds": read - began,
        "search_seconds": done - read,
        "resident_bytes": _most_resident_bytes(),
        "candidates": found.candidates_tried,
        "patterns": len(found.patterns),
    }
    sys.stdout.write(json.dumps(told))


def _most_resident_bytes() -> int:
    """Of this process alone: what `getrusage` tells begins with what its parent held."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
