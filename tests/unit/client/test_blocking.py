"""The async classes without asyncio."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from agent_memory import Blocking, DecisionLogger, InvalidInput, MemoryManager
from agent_memory.storage.factory import in_memory_stores


@pytest.fixture
def stores(clock):
    return in_memory_stores(clock)


def test_methods_block_and_return_their_results(stores, clock):
    with Blocking(DecisionLogger("hunter", stores=stores, clock=clock)) as logger:
        decision_id = logger.log_decision("QUERY", {"n": 1}, {})
        logger.log_outcome(decision_id, {}, True)
        assert logger.get_decision(decision_id)["success"] is True
        assert logger.agent_id == "hunter"
        assert logger.log_decision.__name__ == "log_decision"
        with pytest.raises(InvalidInput, match="/context"):
            logger.log_decision("QUERY", 5, {})


def test_memory_too(stores, clock):
    with Blocking(MemoryManager("hunter", stores=stores, clock=clock)) as memory:
        memory.store_stm("a", 1)
        assert memory.retrieve_stm("a") == 1


def test_any_number_of_threads_may_call(stores, clock):
    with Blocking(DecisionLogger("hunter", stores=stores, clock=clock)) as logger, ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda n: logger.log_decision("QUERY", {"n": n}, {}), range(40)))
        assert len(set(ids)) == len(logger.query_decisions()) == 40


def test_the_object_is_closed_once_with_the_block():
    class Closable:
        closed = 0

        async def aclose(self):
            self.closed += 1

        async def answer(self):
            return 42

    wrapped = Closable()
    with Blocking(wrapped) as blocking:
        assert blocking.answer() == 42
    blocking.close()
    assert wrapped.closed == 1
    with pytest.raises(RuntimeError, match="closed"):
        blocking.answer()


async def test_inside_an_event_loop_it_is_refused(stores, clock):
    logger = Blocking(DecisionLogger("hunter", stores=stores, clock=clock))
    with logger, pytest.raises(RuntimeError, match="await log_decision"):
        logger.log_decision("QUERY", {}, {})


class Waiting:
    """An object whose one method waits, until it is cancelled."""

    def __init__(self):
        self.waiting = threading.Event()
        self.cancelled = threading.Event()

    async def wait(self):
        self.waiting.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def test_what_is_under_way_at_the_end_is_cancelled():
    wrapped = Waiting()
    blocking = Blocking(wrapped)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(blocking.wait)
        assert wrapped.waiting.wait(5)
        blocking.close()
        assert waiting.exception(5) is not None
    assert wrapped.cancelled.is_set()


def test_an_interrupted_wait_ends_the_call(monkeypatch):
    wrapped = Waiting()

    def interrupted(_):
        assert wrapped.waiting.wait(5)
        raise KeyboardInterrupt

    with Blocking(wrapped) as blocking:
        monkeypatch.setattr(Future, "result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            blocking.wait()
        assert wrapped.cancelled.wait(5)


def test_a_program_that_never_closes_it_ends():
    script = (
        "from agent_memory import Blocking, DecisionLogger\n"
        "from agent_memory.storage.factory import in_memory_stores\n"
        "print(len(Blocking(DecisionLogger('hunter', stores=in_memory_stores())).log_decision('QUERY', {}, {})))"
    )
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout.strip(), done.stderr) == ("36", "")
