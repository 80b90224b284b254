"""Pushes agents from a file to another store and back into a new file, killed on the way, and compares the files.

python -m tests.embedded.push --decisions 100000 --memories 500 --kills 10 --cloud
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.admin.push import Push
from agent_memory.core.clock import SystemClock, date_of
from agent_memory.core.ids import decision_id_for
from agent_memory.core.keys import is_rollup
from agent_memory.nightly.archival import archive_due_days
from agent_memory.storage.parquet.archive import ParquetArchive
from agent_memory.storage.store_urls import stores_at
from tests.embedded.workload import decision, outcome

AGENT, POOL = "pusher", "pushed-pool"
_BATCH = 100
_DAYS = 92
"""Age of the oldest decisions; those of 31 days and more are archived."""


def fill(url: str, *, decisions: int, memories: int) -> None:
    """An agent with decisions of 92 days, amended outcomes, several versions of memories, states, and a pool."""
    stores = stores_at(url)
    log, memory = DecisionLogger(AGENT, stores=stores).sync, MemoryManager(AGENT, stores=stores).sync
    start = datetime.now(UTC) - timedelta(days=_DAYS)
    step = timedelta(days=_DAYS) / (decisions + 1)
    for first in range(0, decisions, _BATCH):
        batch = [_moved("w", number, start + number * step) for number in range(first, min(first + _BATCH, decisions))]
        log.log_decisions([one for one, _ in batch])
        log.log_outcomes([one for _, one in batch])
        changed = batch[0][1]
        log.log_outcome(
            changed["decision_id"], {"amended": 1.0}, success=True, amend=True, timestamp=batch[0][1]["timestamp"]
        )
    for number in range(memories):
        for confidence in (0.5, 0.6):
            memory.store_ltm("PATTERN", f"pattern-{number}", {"number": number, "confidence": confidence})
    MemoryManager(POOL, stores=stores).sync.store_ltm("TEAMS_OWN", "rule", {"a": 1.0, "text": "größer"})
    memory.save_state({"configuration": {"rate": 0.1}})
    memory.create_checkpoint("before")
    archive_due_days(AGENT, date_of(SystemClock().now_ms()) - timedelta(days=1), stores)


def _moved(writer: str, number: int, at: datetime) -> tuple[dict, dict]:
    own = decision_id_for("QUERY", at, f"{writer}/{number}")
    made = decision(writer, number) | {"decision_id": own, "timestamp": at}
    return made, outcome(writer, number) | {"decision_id": own, "timestamp": at + timedelta(seconds=1)}


def push(source: str, target: str, *, kills: int = 0, every: int = 200) -> list[dict]:
    """Push the agent and the pool; the first attempts are killed, each after `every` more steps than the one before."""
    for kill in range(1, kills + 1):
        _killed(source, target, after=kill * every)
    return list(Push(stores_at(source), stores_at(target), ParquetArchive).run([AGENT, POOL]))


def _killed(source: str, target: str, *, after: int) -> None:
    """Push in a process of its own, which is killed after a number of items; one that is done before is no error."""
    command = [sys.executable, "-m", "tests.embedded.push", "--attempt", source, target]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        seen = 0
        while seen < after and (more := child.stdout.read1(after - seen)):
            seen += len(more)
        child.kill()


def _attempt(source: str, target: str) -> None:
    """Push, and write a byte for each item that is read."""
    work = Push(stores_at(source), stores_at(target), ParquetArchive, on_progress=lambda *_: os.write(1, b"."))
    list(work.run([AGENT, POOL]))


def expired(path: Path) -> frozenset[str]:
    """The ids of the decisions in a file that have expired; a push copies them no more, they are in the archive."""
    with closing(sqlite3.connect(path)) as connection:
        now_ms = SystemClock().now_ms()
        rows = connection.execute("SELECT decision_id FROM decisions WHERE expires_ms <= ?", (now_ms,))
        return frozenset(decision_id for (decision_id,) in rows)


def content(path: Path, without: frozenset[str]) -> dict[str, list]:
    """All rows of a file by their table, but counts of days, and its objects.

    Without the decisions of some ids: those that have expired in the first file, whose copies are kept for a week at
    least. Without short-term memory, which expires within a day, and without the times at which an agent was registered
    and at which a row expires.
    """
    found: dict[str, list] = {}
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in sorted(set(tables) - {"short_term"}):
            columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(name for name in columns if name not in {"registered_ms", "expires_ms"})
            rows = connection.execute(f"SELECT {kept} FROM {table}")  # noqa: S608  names of tables
            if table == "decisions":
                rows = (row for row in rows if without.isdisjoint(row))
            elif table == "states":
                rows = (row for row in rows if not is_rollup(row[1]))
            found[table] = sorted(rows, key=repr)
    folder = Path(f"{path}-objects")
    found["objects"] = sorted(
        (str(one.relative_to(folder)), one.read_bytes()) for one in folder.rglob("*") if one.is_file()
    )
    return found


def main() -> int:
    """Run at the size of the command line; exit code 1 if the last file differs from the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--memories", type=int, default=500)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--cloud", action="store_true", help="by way of a local cloud, else of a second file")
    parser.add_argument("--attempt", nargs=2, metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.attempt:
        _attempt(*options.attempt)
        return 0
    from local import LocalCloud
    from local.layout import Layout

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        first, last, between = root / "first.db", root / "last.db", f"sqlite:///{root}/between.db"
        cloud = LocalCloud(Layout(state=root / "cloud")) if options.cloud else None
        with cloud or nullcontext():
            if cloud is not None:
                os.environ |= cloud.environment()
                between = f"aws://{cloud.outputs['TablePrefix']}?archive_bucket={cloud.outputs['ArchiveBucketName']}"
            began = time.monotonic()
            fill(f"sqlite:///{first}", decisions=options.decisions, memories=options.memories)
            _say(f"filled in {time.monotonic() - began:,.0f} s")
            every = max(1, 2 * options.decisions // max(1, options.kills))
            for source, target in ((f"sqlite:///{first}", between), (between, f"sqlite:///{last}")):
                began = time.monotonic()
                receipts = push(source, target, kills=(options.kills + 1) // 2, every=every // 2)
                _say(f"{source} to {target}: {time.monotonic() - began:,.0f} s")
                for one in receipts:
                    _say(f"{one['agent_id']} {one['counts']} {'equal' if one['equal'] else one['differences'][:5]}")
        gone = expired(first)
        before, after = content(first, gone), content(last, gone)
        different = [name for name in before if before[name] != after[name]]
        for name in different:
            changed = set(before[name]) ^ set(after[name])
            _say(f"{name}: {len(changed)} differ, the first of them {sorted(changed, key=repr)[:3]}")
        _say(f"{ {name: len(rows) for name, rows in before.items()} }; different: {different or 'nothing'}")
    return 1 if different else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
