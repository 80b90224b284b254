"""Asynchronous calls run in a separate thread pool, whose threads end with the program."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
import time

import pytest

from agent_memory.client.executor import in_thread
from agent_memory.core.concurrency import map_concurrently, run_concurrently
from agent_memory.core.threads import DaemonThreadPool


async def test_the_default_executor_of_the_event_loop_stays_free():
    release = threading.Event()
    calls = [asyncio.create_task(in_thread(release.wait)) for _ in range(100)]
    await asyncio.sleep(0.1)
    assert await asyncio.wait_for(asyncio.to_thread(int, "1"), 5) == 1
    release.set()
    assert await asyncio.gather(*calls) == [True] * 100


async def test_context_variables_and_errors_are_passed():
    name = contextvars.ContextVar("name")
    name.set("hunter")
    assert await in_thread(name.get) == "hunter"
    with pytest.raises(ValueError, match="invalid literal"):
        await in_thread(int, "x")


def test_cancelled_calls_end_with_the_program():
    script = (
        "import asyncio, time\n"
        "from agent_memory.client.executor import in_thread\n"
        "from agent_memory.core.concurrency import map_concurrently\n"
        "async def main():\n"
        "    calls = [in_thread(time.sleep, 60), in_thread(map_concurrently, time.sleep, [60, 60])]\n"
        "    await asyncio.wait([asyncio.create_task(one) for one in calls], timeout=0.2)\n"
        "asyncio.run(main())\n"
    )
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
    assert time.monotonic() - started < 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a fork")
def test_a_forked_process_has_its_own_threads():
    script = (
        "import asyncio, os\n"
        "from agent_memory.client.executor import in_thread\n"
        "asyncio.run(in_thread(int))\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    asyncio.run(in_thread(int))\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=30)


def test_the_number_of_threads_is_limited_and_idle_threads_are_reused():
    with DaemonThreadPool(3) as pool:
        started = threading.Barrier(3, timeout=10)
        names = [pool.submit(lambda: (started.wait(), threading.current_thread().name)[1]) for _ in range(6)]
        assert len({one.result(10) for one in names}) == 3
        time.sleep(0.05)
        assert pool.submit(int, "7").result(10) == 7
        assert len(pool._threads) == 3
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(int)


def test_concurrent_calls_keep_their_order_and_raise_the_first_error():
    assert map_concurrently(str, range(40)) == [str(n) for n in range(40)]
    with pytest.raises(ZeroDivisionError):
        map_concurrently(lambda n: 1 // n, [1, 0, 2])


def test_the_calling_thread_makes_the_first_call():
    first, *others = map_concurrently(lambda _: threading.current_thread(), range(5), max_threads=2)
    assert first is threading.current_thread()
    assert first not in others
    assert len(set(others)) == 1
    assert set(map_concurrently(lambda _: threading.current_thread(), range(3), max_threads=1)) == {first}


def test_an_interrupt_amid_the_start_of_a_thread_is_raised(monkeypatch):
    def interrupted(_thread):
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_concurrently(list, list)
