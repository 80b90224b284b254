"""`python -m benchmarks.split_run read FILE FOLDER`, or `learn FOLDER…`: a step of learning in parts, as a process.

`read` reduces a file of evidence to columns; `learn` merges the columns of all parts and searches them. Both print
JSON: seconds of processor time and the peak resident memory; `learn` also a digest of all that it has learned.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent_memory.core.clock import Span
from agent_memory.learning.evidence_table import tables_of
from agent_memory.learning.identification import build_datasets, identify_in_datasets
from agent_memory.learning.partial_evidence import PartialEvidence
from agent_memory.storage.parquet.evidence import evidence_rows
from benchmarks.nightly_run import peak_resident_bytes

_ALL_TIME = Span(0, 2**52)


def read(file: Path, folder: Path) -> dict[str, Any]:
    """Reduce a file of evidence to columns."""
    PartialEvidence.of(evidence_rows(file.read_bytes(), _ALL_TIME)).save(folder)
    return {}


def learn(folders: Sequence[Path]) -> dict[str, Any]:
    """Merge the columns of all parts and search them."""
    tables = tables_of(PartialEvidence.merged([PartialEvidence.load(folder) for folder in folders]))
    decisions = sum(map(len, tables))
    found = identify_in_datasets(build_datasets(tables))
    learned = json.dumps(found.as_data(), sort_keys=True)
    return {
        "decisions": decisions,
        "patterns": len(found.patterns),
        "digest": hashlib.sha256(learned.encode()).hexdigest(),
    }


def main(step: str, *paths: str) -> None:
    """Run a step on one core and print what it took."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.process_time()
    result = read(Path(paths[0]), Path(paths[1])) if step == "read" else learn([Path(one) for one in paths])
    seconds = time.process_time() - began
    sys.stdout.write(json.dumps({**result, "seconds": seconds, "resident_bytes": peak_resident_bytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
