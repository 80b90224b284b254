"""What only the stores on a SQLite file have: versions of the file, many threads, forks, objects, expiry."""

import errno
import gc
import itertools
import os
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory import DecisionLogger, MemoryManager, NotFound
from agent_memory.core.clock import DAY_MS, END_OF_TIME_MS, Span
from agent_memory.core.errors import Conflict, InvalidInput, Misconfigured, Unavailable
from agent_memory.core.keys import ARCHIVE_CHAIN, pruned_key
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.ports.decisions import Selection
from agent_memory.storage.sqlite import database, schema
from agent_memory.storage.sqlite.database import Database
from agent_memory.storage.sqlite.stores import sqlite_stores


@pytest.fixture
def path(tmp_path):
    return tmp_path / "memory.db"


def execute(path, statement):
    connection = sqlite3.connect(path)
    with connection:
        rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


def test_a_file_of_an_earlier_version_is_migrated_once(path, clock, monkeypatch):
    log = DecisionLogger("hunter", stores=sqlite_stores(path, clock)).sync
    log.log_decision("QUERY", {}, {})
    later = (*schema.MIGRATIONS, "CREATE TABLE later (n INTEGER) STRICT; INSERT INTO later VALUES (1)")
    monkeypatch.setattr(database, "MIGRATIONS", later)
    monkeypatch.setattr(database, "_LATEST", len(later))
    for _ in range(2):
        assert len(DecisionLogger("hunter", stores=sqlite_stores(path, clock)).sync.query_decisions()) == 1
    assert execute(path, "SELECT n FROM later") == [(1,)]
    assert execute(path, "PRAGMA user_version") == [(2,)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    Database(path).close()
    later = (*schema.MIGRATIONS, "CREATE TABLE later (n INTEGER) STRICT; INSERT INTO no_such_table VALUES (1)")
    monkeypatch.setattr(database, "MIGRATIONS", later)
    monkeypatch.setattr(database, "_LATEST", len(later))
    with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
        Database(path)
    assert execute(path, "PRAGMA user_version") == [(1,)]
    assert execute(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'") == [(0,)]


def test_a_process_may_create_the_tables_while_another_opens_the_file(path, monkeypatch):
    creator = Thread(target=Database, args=(path,))

    def create_amid_the_checks(statement):
        if statement.startswith("SELECT count(*) FROM sqlite_schema") and not creator.ident:
            creator.start()
            creator.join(timeout=0.3)  # it may have to wait for the end of the checks

    def open_traced(path):
        connection = _open(path)
        if not creator.ident:
            connection.set_trace_callback(create_amid_the_checks)
        return connection

    _open = database._open
    monkeypatch.setattr(database, "_open", open_traced)
    Database(path).close()
    creator.join()
    assert execute(path, "PRAGMA user_version") == [(1,)]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("agent_id = 'a' AND decision_type = 'QUERY' AND timestamp_ms >= 1 AND timestamp_ms < 9", "by_type"),
        (
            "agent_id = 'a' AND decision_type = 'QUERY' AND success = 1 AND timestamp_ms >= 1 AND timestamp_ms < 9",
            "by_outcome",
        ),
        ("agent_id = 'a' AND context_type = 'up' AND timestamp_ms >= 1 AND timestamp_ms < 9", "by_context"),
    ],
)
def test_each_selection_reads_its_index_in_order(path, statement, index):
    Database(path).close()
    order = "ORDER BY timestamp_ms DESC, decision_id DESC"
    plan = execute(path, f"EXPLAIN QUERY PLAN SELECT content FROM decisions WHERE {statement} {order}")  # noqa: S608
    assert [row[3].split(" (")[0] for row in plan] == [f"SEARCH decisions USING INDEX decisions_{index}"]


def test_threads_write_at_once_and_versions_follow_each_other(path, clock):
    stores = sqlite_stores(path, clock)
    memory = MemoryManager("hunter", stores=stores).sync

    def write(number):
        log = DecisionLogger("hunter", stores=stores).sync
        decision_id = log.log_decision("QUERY", {"n": number}, {})
        log.log_outcome(decision_id, {}, success=True)
        return memory.store_ltm("PATTERN", "pump", {"n": number})["version"]

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(write, range(64)))
    assert sorted(versions) == list(range(1, 65))
    found = DecisionLogger("hunter", stores=stores).sync.query_decisions(limit=100)
    assert sorted(one["context"]["n"] for one in found) == list(range(64))


PROGRAM = """
import os, sys
from agent_memory import DecisionLogger, connect
stores = connect(sys.argv[1])
log = DecisionLogger("hunter", stores=stores).sync
log.log_decision("QUERY", {"of": "parent"}, {})
child = os.fork()
log.log_decision("QUERY", {"of": "both"}, {})
if not child:
    os._exit(len(log.query_decisions("QUERY")) not in (2, 3))
sys.exit(os.waitpid(child, 0)[1] != 0 or len(log.query_decisions("QUERY")) != int(sys.argv[2]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize(("url", "in_parent"), [("sqlite:///memory.db", 3), ("sqlite://", 2)])
def test_a_fork_shares_the_file_and_copies_memory(tmp_path, url, in_parent):
    command = [sys.executable, "-W", "error", "-c", PROGRAM, url, str(in_parent)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_of_a_forgotten_agent_is_left_in_the_file_or_its_log(path, clock):
    stores = sqlite_stores(path, clock)
    kept, forgotten = (DecisionLogger(one, stores=stores, clock=clock).sync for one in ("kept", "forgotten"))
    memory = MemoryManager("forgotten", stores=stores, clock=clock).sync
    for number in range(150):
        kept.log_decision("QUERY", {"number": number}, {})
        decision_id = forgotten.log_decision("QUERY", {"market": {"trend": f"secret{number}"}}, {"why": "secret"})
        forgotten.log_outcome(decision_id, {"profit": number}, success=True)
        memory.store_ltm("PATTERN", f"secret{number}", {"text": "a secret", "confidence": 0.5})
    memory.store_stm("context:current", {"trend": "secret"})
    stores.blobs.write("reports/agent_id=forgotten/one.json", b"secret")
    with sqlite3.connect(path) as other_process:  # keeps the log from being removed
        assert memory.forget(dry_run=False)["counts"]["decisions_and_links"] == 150
        assert len(other_process.execute("SELECT 1 FROM decisions").fetchall()) == 150
        files = [one for one in path.parent.rglob("*") if one.is_file()]
        assert {one.name for one in files} == {"memory.db", "memory.db-wal", "memory.db-shm"}
        assert not [one.name for one in files if b"secret" in one.read_bytes() or b"forgotten" in one.read_bytes()]
    other_process.close()
    assert len(kept.query_decisions(limit=200)) == 150


def test_traces_stay_while_another_process_reads_them_and_are_then_removed(path, clock, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    stores = sqlite_stores(path, clock)
    memory = MemoryManager("forgotten", stores=stores, clock=clock).sync
    memory.store_ltm("PATTERN", "p", {"text": "secret"})
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM memories").fetchone()
    with pytest.raises(Unavailable, match=r"another process reads .*; try again"):
        memory.forget(dry_run=False)
    assert b"secret" in path.with_name("memory.db-wal").read_bytes()
    reader.execute("COMMIT")
    assert memory.forget(dry_run=False)["counts"]["memories_and_versions"] == 0
    assert not [one for one in path.parent.glob("memory.db*") if one.is_file() and b"secret" in one.read_bytes()]
    reader.close()


def test_a_copy_has_a_write_ahead_log_again(path, clock, tmp_path):
    sqlite_stores(path, clock)
    execute(path, f"VACUUM INTO '{tmp_path}/copy.db'")
    assert execute(tmp_path / "copy.db", "PRAGMA journal_mode") == [("delete",)]
    sqlite_stores(tmp_path / "copy.db", clock)
    assert execute(tmp_path / "copy.db", "PRAGMA journal_mode") == [("wal",)]


def test_a_link_to_a_file_has_its_objects(path, clock, tmp_path):
    sqlite_stores(path, clock).blobs.write("reports/one.json", b"{}")
    for folder in (tmp_path / "links", tmp_path / "links" / "more"):
        folder.mkdir()
        link = folder / "current.db"
        link.symlink_to(path)
        assert sqlite_stores(link, clock).blobs.read("reports/one.json") == b"{}"
        assert list(folder.iterdir()) == [link]


def interrupted_at(step, call):
    """Make a call with an interrupt before an instruction of the module of connections; whether it came that far."""
    left = [step]

    def trace(frame, _event, _argument):
        if frame.f_code.co_filename != database.__file__ or frame.f_code is database._holding.__code__:
            return None  # Python itself looks for interrupts after calls only: not amid the end of a `with`
        frame.f_trace_opcodes = True
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt as error:
        return error
    finally:
        sys.settrace(None)
    return None


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Python 3.13 warns of the connections of interrupted writes
@pytest.mark.parametrize("is_file", [True, False])
def test_an_interrupt_at_any_instruction_of_a_write_leaves_no_lock_and_no_transaction(
    path, clock, monkeypatch, is_file
):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.5)
    states = sqlite_stores(path if is_file else None, clock).states
    for step in itertools.count(1):
        interrupt = interrupted_at(step, lambda: states.register("hunter", ["QUERY"], 1, 1))
        # A notebook keeps the last error, with all that it refers to, until the next one.
        states.register("kept", [], 1, 1)
        is_interrupted, interrupt = interrupt is not None, None
        interrupted_at(step, lambda: states.register("hunter", ["QUERY"], 1, 1))
        other = Thread(target=states.register, args=("of another thread", [], 1, 1), daemon=True)
        other.start()
        other.join(timeout=5)
        assert not other.is_alive(), step
        if not is_interrupted:
            break
    assert step > 100
    assert states.agents() == ["hunter", "kept", "of another thread"]
    gc.collect()


def test_a_write_after_one_that_found_the_file_locked_succeeds_while_that_error_is_kept(path, clock, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    states = sqlite_stores(path, clock).states
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="in use by another process") as kept:
        states.register("hunter", [], 1, 1)
    other.close()
    states.register("hunter", [], 1, 1)
    assert states.agents() == ["hunter"]
    del kept


@pytest.mark.parametrize("is_link", [False, True])
def test_who_may_only_read_a_file_sees_what_others_write_later(path, clock, monkeypatch, tmp_path, is_link):
    writer = sqlite_stores(path, clock)
    DecisionLogger("hunter", stores=writer).sync.log_decision("QUERY", {}, {})
    writer.decisions._database.close()  # which removes the write-ahead log
    link = tmp_path / "links" / "memory.db"
    link.parent.mkdir()
    link.symlink_to(path)

    def read(log):
        with monkeypatch.context() as patch:
            patch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
            log = log or DecisionLogger("hunter", stores=sqlite_stores(link if is_link else path, clock)).sync
            return log, len(log.query_decisions())

    log, found = read(None)
    assert found == 1
    DecisionLogger("hunter", stores=writer).sync.log_decision("QUERY", {}, {})
    for reader in (log, None):
        assert read(reader)[1] == 2


def test_a_file_that_was_moved_without_its_archive_is_not_opened(path, clock, tmp_path):
    stores = sqlite_stores(path, clock)
    stores.blobs.write("decisions/one", b"{}")
    stores.states.put("hunter", ARCHIVE_CHAIN, {"revision": 1}, expected_version=0, now_ms=clock.now_ms())
    moved = tmp_path / "moved" / "memory.db"
    moved.parent.mkdir()
    execute(path, f"VACUUM INTO '{moved}'")
    with pytest.raises(Misconfigured, match=r"memory.db-objects is missing, and has the archive of .*: move it there"):
        sqlite_stores(moved, clock)
    path.with_name("memory.db-objects").rename(moved.with_name("memory.db-objects"))
    assert sqlite_stores(moved, clock).blobs.read("decisions/one") == b"{}"


def test_what_has_expired_is_not_read_and_then_removed(path, clock):
    stores = sqlite_stores(path, clock)
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    log = DecisionLogger("hunter", stores=stores, clock=clock).sync
    first = log.log_decision("QUERY", {}, {})
    log.log_decision("QUERY", {}, {}, parent_ids=[first])
    memory.store_stm("context:current", {}, ttl_seconds=60)
    stores.decisions.expire(all_decisions(stores), [clock.now_ms() + 1] * 2)
    assert stores.expiry.remove_expired() == {"decisions": 0, "links": 0, "short_term": 0}
    clock.advance(400 * DAY_MS)
    assert log.query_decisions("QUERY", time_range=("2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z")) == []
    with pytest.raises(NotFound):
        log.get_decision(first)
    assert stores.expiry.remove_expired() == {"decisions": 2, "links": 0, "short_term": 1}
    clock.advance(EXPIRE_AFTER_DAYS * DAY_MS)
    assert stores.expiry.remove_expired() == {"decisions": 0, "links": 1, "short_term": 0}
    assert execute(path, "SELECT (SELECT count(*) FROM decisions) + (SELECT count(*) FROM links)") == [(0,)]


def all_decisions(stores):
    return list(stores.decisions.scan(Selection("hunter", "QUERY"), Span(0, END_OF_TIME_MS)))


@pytest.mark.parametrize("key", ["../out", "reports/../../out", "reports/./../out", "..", ".", "a/.."])
def test_no_key_leads_out_of_the_folder_or_to_another_object(path, clock, key):
    blobs = sqlite_stores(path, clock).blobs
    blobs.write("out", b"inside")
    blobs.write(key, b"dots")
    assert sorted(one.name for one in path.parent.iterdir() if not one.name.startswith("memory.db-")) == ["memory.db"]
    assert sqlite_stores(path, clock).blobs.list_keys("") == sorted(["out", key])
    assert (blobs.read("out"), blobs.read(key)) == (b"inside", b"dots")
    assert blobs.erase(key, dry_run=False) == 1
    assert blobs.list_keys("") == ["out"]


def test_another_process_may_finish_an_object_while_left_ones_are_removed(path, clock, monkeypatch):
    blobs = sqlite_stores(path, clock).blobs
    blobs.write("reports/one.json", b"{}")
    partial = blobs.folder / "~partial" / "of another process"
    partial.write_bytes(b"{}")

    stat = Path.stat

    def stat_when_finished(file, **options):
        if file == partial:
            partial.unlink()
        return stat(file, **options)

    monkeypatch.setattr(Path, "stat", stat_when_finished)
    blobs.remove_partial()
    assert not partial.exists()


def test_a_folder_that_cannot_be_listed_is_no_empty_one(path, clock, monkeypatch):
    blobs = sqlite_stores(path, clock).blobs
    blobs.write("reports/agent_id=hunter/one.json", b"{}")
    scandir = os.scandir

    def failing(folder):
        if Path(folder).name == "agent_id=hunter":
            raise OSError(errno.EIO, os.strerror(errno.EIO), folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", failing)
    with pytest.raises(Unavailable, match=r"memory\.db-objects cannot be read"):
        blobs.list_keys("reports/")


@pytest.mark.parametrize("key", ["/etc/passwd", "a//b", "~partial/a", "a/~../b", "a~/b", "a~", "a\0b"])
def test_what_is_no_key_is_refused(path, clock, key):
    blobs = sqlite_stores(path, clock).blobs
    for call in (lambda: blobs.write(key, b""), lambda: blobs.read(key), lambda: blobs.delete(key)):
        with pytest.raises(InvalidInput, match="is not the key of an object"):
            call()


NAMES = st.text("abcXYZ019._=+:/^@$&!-", min_size=1, max_size=255).map("a".__add__) | st.sampled_from(
    [".", "..", "..."]
)


@settings(max_examples=12)
@given(names=st.sets(NAMES, min_size=1, max_size=5), body=st.binary(max_size=50))
def test_objects_have_any_key_and_are_listed_replaced_and_erased(names, body):
    with tempfile.TemporaryDirectory() as folder:
        blobs = sqlite_stores(Path(folder) / "memory.db").blobs
        keys = sorted(pruned_key("hunter", "PATTERN", name, 1) for name in names)
        for key in keys:
            assert blobs.replace(key, body, tag=None) == blobs.read_tagged(key).tag
        assert blobs.list_keys("pruned/agent_id=hunter/") == blobs.list_keys("pruned/agent_id=hun") == keys
        assert blobs.list_prefixes("pruned/") == ["pruned/agent_id=hunter/"]
        assert {blobs.read(key) for key in keys} == {body}
        with pytest.raises(Conflict):
            blobs.replace(keys[0], b"other", tag="another")
        blobs.replace(keys[0], b"other", tag=blobs.read_tagged(keys[0]).tag)
        assert blobs.read_range(keys[0], -3).body == b"her"
        blobs.delete(keys[0])
        blobs.delete(keys[0])
        assert blobs.read(keys.pop(0)) is None
        assert blobs.erase("pruned/agent_id=hunter/", dry_run=True) == len(keys)
        assert blobs.erase("pruned/agent_id=hunter/", dry_run=False) == len(keys)
        assert blobs.list_keys("") == []
        assert {one.name for one in blobs.folder.iterdir()} == {"~partial"}
        assert list((blobs.folder / "~partial").iterdir()) == []
