"""A store that accepts connections and never answers holds up its own calls only, and not the end of the program."""

import asyncio
import subprocess
import sys
import threading
import time
from dataclasses import replace

import boto3
import pytest
from botocore.config import Config

from agent_memory import BufferedDecisionLogger, DecisionLogger, MemoryManager, in_memory_stores, open_stores
from agent_memory.client.executor import CallThreads, in_thread
from tests.http_servers import silent_server

PROGRAM = """
import asyncio, sys
import boto3
from agent_memory import BufferedDecisionLogger, DecisionLogger, open_stores

client = boto3.client(
    "dynamodb", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
)
logger = DecisionLogger("hunter", stores=open_stores(dynamodb_client=client))
buffered = BufferedDecisionLogger(logger, sys.argv[2])

async def main():
    await buffered.log_decision("QUERY", {}, {})
    calls = [asyncio.create_task(logger.log_decision("QUERY", {"n": n}, {})) for n in range(50)]
    await asyncio.wait(calls, timeout=0.5)
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)
    print("done", flush=True)

asyncio.run(main())
"""


@pytest.fixture
def hanging_stores(monkeypatch):
    """Stores on a DynamoDB that never answers within the test, with short-term memory in this process."""
    monkeypatch.delenv("AGENT_MEMORY_ARCHIVE_BUCKET", raising=False)
    with silent_server() as url:
        config = Config(read_timeout=60, retries={"total_max_attempts": 1}, max_pool_connections=64)
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        client = boto3.client("dynamodb", endpoint_url=url, region_name="us-east-1", config=config, **keys)
        yield replace(open_stores(dynamodb_client=client), short_term=in_memory_stores().short_term)


async def test_other_stores_and_the_loop_go_on(hanging_stores, tmp_path):
    hanging = DecisionLogger("hunter", stores=hanging_stores)
    memory = MemoryManager("hunter", stores=hanging_stores)
    other = DecisionLogger("hunter", stores=in_memory_stores())
    calls = [asyncio.create_task(hanging.log_decision("QUERY", {"n": n}, {})) for n in range(50)]
    calls += [asyncio.create_task(memory.store_ltm("PATTERN", f"p{n}", {})) for n in range(50)]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(30):  # the calls take 60 seconds
        await asyncio.get_running_loop().getaddrinfo("localhost", 80)
        assert await asyncio.to_thread(int, "1") == 1
        decision_id = await other.log_decision("QUERY", {}, {})
        assert (await other.get_decision(decision_id))["context"] == {}
        assert await memory.store_stm("key", 1)
        assert await memory.retrieve_stm("key") == 1
        buffered = BufferedDecisionLogger(hanging, tmp_path / "buffer")
        await buffered.log_decision("QUERY", {}, {})
        buffered._buffer.close()
    assert not any(call.done() for call in calls)
    for call in calls:
        call.cancel()


@pytest.mark.slow
def test_the_program_ends_promptly(tmp_path):
    with silent_server() as url:
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url, str(tmp_path / "buffer")], stdout=subprocess.PIPE, text=True
        )
        assert program.stdout is not None
        with program.stdout:
            assert program.stdout.readline() == "done\n"
            done = time.monotonic()
            assert program.wait(60) == 0
    # botocore would wait for 60 seconds, several times.
    assert time.monotonic() - done < 20


async def test_at_most_32_calls_of_a_method_run_and_the_others_follow_in_order():
    class Store:
        def __init__(self):
            self.release = threading.Event()
            self.started = []

        def call(self, n):
            self.started.append(n)
            self.release.wait(30)
            return n

        def other(self):
            return "other"

    store = Store()
    calls = [asyncio.create_task(in_thread(store.call, n)) for n in range(100)]
    for _ in range(5_000):
        if len(store.started) == 32:
            break
        await asyncio.sleep(0.002)
    assert await in_thread(store.other) == "other"
    assert await in_thread(Store().other) == "other"
    calls[40].cancel()
    await asyncio.sleep(0)
    assert len(store.started) == 32
    store.release.set()
    assert await asyncio.gather(*calls[:40], *calls[41:]) == [n for n in range(100) if n != 40]
    assert sorted(store.started) == [n for n in range(100) if n != 40]


def test_the_lanes_of_an_object_end_with_it():
    class Store:
        def call(self):
            return 1

    threads = CallThreads()
    store = Store()
    assert threads.lane_of(store.call, ()) is threads.lane_of(store.call, ())
    assert threads.lane_of(store.call, ()) is not threads.lane_of(Store().call, ())
    assert len(threads._lanes) == 1
    del store
    assert len(threads._lanes) == 0
