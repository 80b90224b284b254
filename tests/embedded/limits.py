"""Programs for a limit on the size of files, and for a file that may only be read: they print what happens, as JSON."""

import json
import os
import resource
import sys
from pathlib import Path

from agent_memory import AgentMemoryError, DecisionLogger, MemoryManager, connect
from tests.embedded.workload import decision, outcome

AGENT = "hunter"
NOBODY = 65_534


def fill(path: Path, max_bytes: int) -> dict:
    """Write until the file may not grow any more."""
    log = DecisionLogger(AGENT, stores=f"sqlite:///{path}").sync
    blobs = connect(f"sqlite:///{path}").blobs
    blobs.write("reports/one.json", b"first")
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
    acknowledged = []
    errors = []
    try:
        for number in range(100_000):
            log.log_decisions([decision("one", number)])
            log.log_outcomes([outcome("one", number)])
            acknowledged.append(number)
    except AgentMemoryError as error:
        errors.append(f"{type(error).__name__}: {error}")
    readable = len(log.query_decisions("QUERY", limit=10))
    try:
        blobs.write("reports/one.json", b"x" * 2 * max_bytes)
    except AgentMemoryError as error:
        errors.append(f"{type(error).__name__}: {error}")
    return {"acknowledged": len(acknowledged), "errors": errors, "readable": readable}


def read_only(path: Path) -> dict:
    """Read a file as a user who may not write it, and try to write."""
    warm_up = DecisionLogger(AGENT, stores="sqlite://").sync  # loads every module: the user may not read their files
    warm_up.log_decisions([decision("one", 1)])
    warm_up.query_decisions("QUERY")
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    log = DecisionLogger(AGENT, stores=f"sqlite:///{path}").sync
    read = len(log.query_decisions("QUERY"))
    errors = []
    for write in (
        lambda: log.log_decisions([decision("one", 5)]),
        lambda: MemoryManager(AGENT, stores=f"sqlite:///{path}").sync.store_stm("context:current", {}),
        lambda: connect(f"sqlite:///{path}").blobs.write("reports/one.json", b"second"),
        lambda: connect(f"sqlite:///{path.with_name('new.db')}"),
    ):
        try:
            write()
        except AgentMemoryError as error:
            errors.append(f"{type(error).__name__}: {error}")
    return {"read": read, "errors": errors}


if __name__ == "__main__":
    program, file, *numbers = sys.argv[1:]
    result = {"fill": fill, "read_only": read_only}[program](Path(file), *map(int, numbers))
    sys.stdout.write(json.dumps(result) + "\n")
