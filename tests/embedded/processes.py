"""Many processes write decisions with outcomes into one file at once, of several threads each; all have to be there."""

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent_memory import DecisionLogger
from tests.embedded.workload import decision, outcome, stored

AGENT = "hunter"
THREADS = 4


def write(path: Path, writer: str, decisions: int, batch: int) -> None:
    """Write decisions in batches, and an outcome for each."""
    log = DecisionLogger(AGENT, stores=f"sqlite:///{path}").sync

    def write_batch(first: int) -> None:
        numbers = range(first, min(first + batch, decisions))
        statuses = [one["status"] for one in log.log_decisions([decision(writer, number) for number in numbers])]
        statuses += [one["status"] for one in log.log_outcomes([outcome(writer, number) for number in numbers])]
        assert set(statuses) == {"created", "recorded"}, statuses

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(write_batch, range(0, decisions, batch)))


def write_together(path: Path, processes: int, decisions: int, batch: int) -> dict:
    """Run the writers, which all open the file that does not exist yet, and count what is there."""
    started = time.monotonic()
    children = []
    for number in range(processes):
        child = os.fork()
        if not child:
            code = 1
            try:
                write(path, f"writer-{number}", decisions, batch)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    seconds = time.monotonic() - started
    found = stored(path, AGENT)
    expected = {(f"writer-{number}", at) for number in range(processes) for at in range(decisions)}
    return {
        "processes": processes,
        "decisions": len(expected),
        "failed": failed,
        "missing": len(expected - set(found.decisions)) + len(expected - found.with_outcome),
        "doubled": len(found.decisions) - len(set(found.decisions)),
        "intact": found.is_intact,
        "seconds": round(seconds, 1),
    }


def main() -> int:
    """Run the command; exit code 1 if anything is missing, doubled or damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--decisions", type=int, default=5_000)
    parser.add_argument("--batch", type=int, default=25)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.db"
        result = write_together(path, arguments.processes, arguments.decisions, arguments.batch)
    sys.stdout.write(json.dumps(result) + "\n")
    return int(bool(result["failed"] or result["missing"] or result["doubled"] or not result["intact"]))


if __name__ == "__main__":
    sys.exit(main())
