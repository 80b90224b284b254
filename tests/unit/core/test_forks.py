"""A fork while other threads work: the child can use the same stores."""

import os
import subprocess
import sys
import threading

import pytest

from agent_memory.core.forks import fork_safe_lock
from agent_memory.core.ids import new_decision_id
from agent_memory.memory.recall_indexes import RecallIndexes, indexes_of
from agent_memory.storage.sqlite.database import Database

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")

PROGRAM = """
import faulthandler, os, sys, threading, time
from agent_memory import DecisionLogger, MemoryManager, connect, in_memory_stores
stores = connect(sys.argv[1]) if len(sys.argv) > 1 else in_memory_stores()
log, memory = DecisionLogger("hunter", stores=stores).sync, MemoryManager("hunter", stores=stores).sync

def use():
    memory.store_stm("context:current", {"trend": "up"})
    memory.store_ltm("PATTERN", "pump", {"text": "whales"})
    log.log_decision("QUERY", {}, {})
    memory.recall("whales")

def use_again():
    while True:
        use()

def read_again():
    while True:
        memory.retrieve_ltm("PATTERN")

use()  # what is imported at the first use is imported before the fork
for repeated in (use_again, use_again, read_again, read_again, read_again):
    threading.Thread(target=repeated, daemon=True).start()
for _ in range(60):
    time.sleep(0.01)
    child = os.fork()
    if not child:
        faulthandler.dump_traceback_later(30, exit=True)
        use()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        os._exit(1)
os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("url", [["sqlite:///memory.db"], ["sqlite://"], []], ids=["file", "memory", "dictionaries"])
def test_a_child_can_use_the_stores_that_threads_of_its_parent_were_using(tmp_path, url):
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, *url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")


def exit_code_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def held_by_a_thread(lock):
    """Let a thread hold a lock, or another context, until the event is set; returns the event and the thread."""
    held, end = threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            end.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    return end, thread


def test_a_fork_waits_until_the_locks_are_free():
    locks = [fork_safe_lock() for _ in range(3)]
    end, thread = held_by_a_thread(locks[1])
    threading.Timer(0.2, end.set).start()
    child = os.fork()
    if not child:
        os._exit(0 if all(lock.acquire(blocking=False) for lock in locks) else 1)
    assert end.is_set()
    assert exit_code_of(child) == 0
    thread.join()
    assert all(lock.acquire(blocking=False) for lock in locks)


MAKING = """
import os, threading, time
from agent_memory.core.forks import fork_safe_lock
from agent_memory.core.ids import new_decision_id
lock, held = fork_safe_lock(), threading.Event()

def make_another():
    with lock:
        held.set()
        time.sleep(0.3)  # the fork waits for the lock meanwhile
        fork_safe_lock()

thread = threading.Thread(target=make_another)
thread.start()
held.wait(10)
child = os.fork()
if child:
    thread.join()
    os.waitpid(child, 0)
os._exit(0)
"""


def test_a_fork_does_not_block_a_thread_that_makes_a_lock_while_it_holds_one():
    subprocess.run([sys.executable, "-W", "ignore", "-c", MAKING], check=True, timeout=60)


def test_a_fork_waits_until_no_thread_is_reading_from_a_file(tmp_path):
    database = Database(tmp_path / "memory.db")
    end, thread = held_by_a_thread(database.reading())
    threading.Timer(0.2, end.set).start()
    child = os.fork()
    if not child:
        os._exit(0 if end.is_set() else 1)
    assert exit_code_of(child) == 0
    thread.join()


def test_an_index_that_a_thread_was_using_is_made_anew_in_the_child():
    class Store:
        pass

    store = Store()
    indexes = indexes_of(store)
    assert isinstance(indexes, RecallIndexes)
    used, free = indexes.of("hunter", "memories"), indexes.of("hunter", "decisions")
    end, thread = held_by_a_thread(used.lock)
    child = os.fork()
    if not child:
        found = indexes.of("hunter", "memories")
        is_new = found is not used and found.lock.acquire(blocking=False)
        os._exit(0 if is_new and indexes.of("hunter", "decisions") is free else 1)
    end.set()
    thread.join()
    assert exit_code_of(child) == 0


def test_a_child_makes_other_ids_than_its_parent():
    new_decision_id("QUERY", 1)  # random bits of the next ids may be at hand
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, " ".join(new_decision_id("QUERY", 1) for _ in range(20)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        of_child = set(pipe.read().split())
    assert len(of_child) == 20
    assert of_child.isdisjoint(new_decision_id("QUERY", 1) for _ in range(20))
