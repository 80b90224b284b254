"""Kills writers with SIGKILL at random moments, and counts what was lost or doubled of what they had written."""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from agent_memory import DecisionLogger, MemoryManager
from tests.embedded.workload import decision, outcome, stored

AGENT = "hunter"


def write(path: Path, first: int, pipe: int) -> None:
    """Write decisions, their outcomes and versions of a memory until killed; each is acknowledged in the pipe."""
    log = DecisionLogger(AGENT, stores=f"sqlite:///{path}").sync
    memory = MemoryManager(AGENT, stores=f"sqlite:///{path}").sync
    number = first
    while True:
        if number % 10 == 9:  # ten in one transaction
            log.log_decisions([decision("batch", 10 * number + at) for at in range(10)])
            log.log_outcomes([outcome("batch", 10 * number + at) for at in range(10)])
            os.write(pipe, b"batch %d\n" % number)
        log.log_decisions([decision("one", number)])
        os.write(pipe, b"decision %d\n" % number)
        log.log_outcomes([outcome("one", number)])
        os.write(pipe, b"outcome %d\n" % number)
        version = memory.store_ltm("PATTERN", "pump", {"number": number})["version"]
        os.write(pipe, b"memory %d\n" % version)
        number += 1


def kill_one_writer(path: Path, first: int, least: int, seconds: float) -> list[str]:
    """Start a writer, kill it some time after it acknowledged some writes, and return all that it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            write(path, first, writing)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as acknowledged:
        lines = [acknowledged.readline() for _ in range(least)]
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return [*lines, *acknowledged]


def kill_writers(path: Path, kills: int, seed: int = 7) -> dict:
    """Kill writers one after the other; the next one continues with what was not acknowledged."""
    chance, first = random.Random(seed), 0
    decisions, outcomes, versions = set(), set(), {0}
    for _ in range(kills):
        for line in kill_one_writer(path, first, chance.randint(0, 30), chance.uniform(0, 0.02)):
            kind, number = line.split()
            match kind:
                case "decision":
                    decisions.add(("one", int(number)))
                case "outcome":
                    outcomes.add(("one", int(number)))
                    first = int(number) + 1
                case "batch":
                    batch = {("batch", 10 * int(number) + at) for at in range(10)}
                    decisions |= batch
                    outcomes |= batch
                case "memory":
                    versions.add(int(number))
    found = stored(path, AGENT)
    history = MemoryManager(AGENT, stores=f"sqlite:///{path}").sync.get_ltm_history("PATTERN", "pump")
    kept = [one["version"] for one in history]
    batches = {number // 10 for writer, number in found.decisions if writer == "batch"}
    return {
        "kills": kills,
        "acknowledged": len(decisions) + len(outcomes) + max(versions),
        "lost": len(decisions - set(found.decisions)) + len(outcomes - found.with_outcome) + len(versions - {0, *kept}),
        "doubled": len(found.decisions) - len(set(found.decisions)) + len(kept) - len(set(kept)),
        "half_batches": sum(
            not {("batch", 10 * one + at) for at in range(10)} <= set(found.decisions) for one in batches
        ),
        "intact": found.is_intact,
    }


def main() -> int:
    """Run the command; exit code 1 if anything was lost, doubled or damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = kill_writers(Path(folder) / "memory.db", arguments.kills)
    sys.stdout.write(json.dumps(result) + "\n")
    return int(bool(result["lost"] or result["doubled"] or result["half_batches"] or not result["intact"]))


if __name__ == "__main__":
    sys.exit(main())
