"""The buffered logger when the store, the disk, the process or a record fails."""

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys

import pytest
from buffer_fakes import CONTEXT, Down, FakeStore, log_some

from agent_memory import (
    BufferedDecisionLogger,
    Conflict,
    InvalidInput,
    NotFound,
    Rejected,
    TooLarge,
    Unavailable,
)
from agent_memory.buffering.frames import DECISION
from agent_memory.core.errors import Forbidden
from agent_memory.core.ids import decision_id_for, new_decision_id
from tests.waiting import until_sending_fails

NOON = "2026-11-20T12:00:00Z"


def rejected_lines(directory):
    return [json.loads(line) for line in (directory / "rejected.jsonl").read_text().splitlines()]


async def test_the_next_logger_sends_the_records_that_remain(directory):
    async with BufferedDecisionLogger(Down(), directory) as logger:
        ids = await log_some(logger, 5)
        await logger.log_outcome(ids[0], {"rows": 3}, True)
        with pytest.raises(Unavailable, match=r"6 records in .* not sent.*the table is unavailable"):
            await logger.flush(timeout_seconds=0.05)
        metrics = logger.metrics()
        assert metrics.pending_records == 6
        assert metrics.retries > 0
        assert "unavailable" in metrics.last_error
        await logger.aclose(timeout_seconds=0)
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        ids += await log_some(logger, 2, start=5)
        await logger.flush()
    assert list(store.decisions) == ids
    assert list(store.outcomes) == ids[:1]


async def test_after_a_crash_records_are_sent_again_and_stored_once(directory, tmp_path):
    """A copy of the directory at any time is what a crash at that time would leave."""
    store = FakeStore()
    copies = []
    logger = BufferedDecisionLogger(store, directory, batch_size=3)
    for number in range(30):
        await log_some(logger, 1, start=number)
        copies.append(tmp_path / f"crash-{number}")
        shutil.copytree(directory, copies[-1])
        await asyncio.sleep(0.002)
    await logger.aclose()
    replayed = []
    for copy in copies:
        async with BufferedDecisionLogger(store, copy) as replay:
            await replay.flush()
            assert replay.metrics().acknowledged == replay.metrics().unchanged
            replayed.append(replay.metrics().unchanged)
    assert max(replayed) > 0
    assert [decision["context"]["n"] for decision in store.decisions.values()] == list(range(30))


async def test_a_lost_position_is_harmless(directory):
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        ids = await log_some(logger, 3)
    (directory / "position").write_bytes(b"garbage")
    async with BufferedDecisionLogger(store, directory) as logger:
        await logger.flush()
        assert (logger.metrics().acknowledged, logger.metrics().unchanged) == (3, 3)
    assert list(store.decisions) == ids


async def test_a_full_buffer_makes_the_caller_wait_without_blocking_the_loop(directory):
    store = Down()
    logger = BufferedDecisionLogger(store, directory, max_pending_bytes=1000)
    waiting = asyncio.create_task(log_some(logger, 20))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert 0 < logger.metrics().pending_records < 20
    store.__class__ = FakeStore
    ids = await asyncio.wait_for(waiting, 5)
    await logger.aclose()
    assert list(store.decisions) == ids


async def test_a_full_buffer_raises_with_on_full_refuse(directory):
    logger = BufferedDecisionLogger(Down(), directory, on_full="refuse", max_pending_bytes=1000)
    with pytest.raises(Unavailable, match="is full"):
        await log_some(logger, 20)
    assert logger.metrics().pending_bytes <= 1000
    await logger.aclose(timeout_seconds=0)


async def test_rejected_records_are_written_to_a_file_and_raised_and_block_nothing(directory):
    store = FakeStore()
    existing = decision_id_for("QUERY", NOON, "existing")
    unknown = new_decision_id("QUERY", 1_763_640_000_000)
    logger = BufferedDecisionLogger(store, directory)
    await logger.log_decision("QUERY", CONTEXT, {}, decision_id=existing)
    await logger.log_decision("QUERY", {"other": 1}, {}, decision_id=existing)
    await logger.log_outcome(unknown, {"rows": 1}, True)
    (last,) = await log_some(logger, 1)
    with pytest.raises(Rejected, match="2 records") as caught:
        await logger.flush()
    assert (caught.value.count, caught.value.file) == (2, directory / "rejected.jsonl")
    await logger.flush()
    conflict, missing = rejected_lines(directory)
    assert conflict["error"]["code"] == "conflict"
    assert conflict["decision"]["context"] == {"other": 1}
    assert missing["error"]["code"] == "not_found"
    assert missing["outcome"]["decision_id"] == unknown
    assert list(store.decisions) == [existing, last]
    await logger.log_outcome(unknown, {"rows": 1}, True)
    with pytest.raises(Rejected, match="1 records"):
        await logger.aclose()
    assert logger.metrics().rejected == 3


async def test_damaged_bytes_are_written_to_a_file_and_raised(directory):
    async with BufferedDecisionLogger(Down(), directory) as logger:
        first, _, third = await log_some(logger, 3)
        await logger.aclose(timeout_seconds=0)
    (segment,) = directory.glob("*.wal")
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    store = FakeStore()
    logger = BufferedDecisionLogger(store, directory)
    with pytest.raises(Rejected):
        await logger.aclose()
    assert list(store.decisions) == [first, third]
    (line,) = rejected_lines(directory)
    assert line["error"]["code"] == "damaged"
    assert line["damaged"]


class RaisingForOne(FakeStore):
    """Raises for the entire request if it contains decision 3."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def log_decisions(self, decisions):
        self._record_call("decisions", decisions)
        if any(decision["context"]["n"] == 3 for decision in decisions):
            raise self.error
        return [self._store_decision(decision) for decision in decisions]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("/context", "three"), "invalid_input"),
        (TooLarge("/context", "three"), "too_large"),
        (Conflict("three"), "conflict"),
        (NotFound("three"), "not_found"),
    ],
)
async def test_a_record_for_which_the_sink_raises_a_verdict_is_found_and_the_others_are_stored(directory, error, code):
    store = RaisingForOne(error)
    logger = BufferedDecisionLogger(store, directory)
    ids = await log_some(logger, 6)
    with pytest.raises(Rejected, match=f"1 records, the first for: {code}: .*three.*rejected.jsonl") as caught:
        await logger.aclose()
    assert caught.value.reason == f"{code}: {error}"
    assert list(store.decisions) == ids[:3] + ids[4:]
    assert rejected_lines(directory)[0]["error"] == error.as_dict()


@pytest.mark.parametrize("error", [TypeError("three"), RuntimeError("three"), MemoryError("three")])
async def test_a_record_at_which_the_sink_fails_stays_and_shows_and_holds_up_those_behind_it(directory, error):
    store = RaisingForOne(error)
    logger = BufferedDecisionLogger(store, directory)
    ids = await log_some(logger, 6)
    await until_sending_fails(logger, 20)  # more often than until the record is in a batch of its own
    with pytest.raises(Unavailable, match=r"3 records in .* are not sent; \d+ attempts failed in .*three"):
        await logger.flush(0)
    metrics = logger.metrics()
    assert (list(store.decisions), metrics.pending_records, metrics.rejected) == (ids[:3], 3, 0)
    assert (metrics.failed_attempts > 1, metrics.failing_seconds > 0) == (True, True)
    assert metrics.last_error == f"{type(error).__name__}: three"
    store.error = InvalidInput("/context", "three")  # as a repaired sink
    with pytest.raises(Rejected):
        await logger.flush()
    assert list(store.decisions) == ids[:3] + ids[4:]
    assert (logger.metrics().failed_attempts, logger.metrics().failing_seconds) == (0, 0.0)
    await logger.aclose()


@pytest.mark.parametrize("error", [Forbidden("no"), PermissionError("no credentials"), TimeoutError(), Unavailable("")])
async def test_transient_errors_are_retried(directory, error):
    class FailingAtFirst(FakeStore):
        attempts = 0

        def log_decisions(self, decisions):
            self.attempts += 1
            if self.attempts < 4:
                raise error
            return super().log_decisions(decisions)

    store = FailingAtFirst()
    async with BufferedDecisionLogger(store, directory) as logger:
        ids = await log_some(logger, 1)
        await logger.flush()
        assert (logger.metrics().retries, logger.metrics().last_error) == (3, None)
    assert list(store.decisions) == ids


async def test_nothing_is_acknowledged_while_rejected_records_cannot_be_written(directory, monkeypatch):
    from agent_memory.buffering import drainer

    append_rejected, errors = drainer.append_rejected, iter([OSError(errno.ENOSPC, "full")] * 3)

    def full_at_first(*args):
        for error in errors:
            raise error
        append_rejected(*args)

    monkeypatch.setattr(drainer, "append_rejected", full_at_first)
    logger = BufferedDecisionLogger(FakeStore(), directory)
    await logger.log_outcome(new_decision_id("QUERY", 1_763_640_000_000), {}, True)
    with pytest.raises(Rejected):
        await logger.aclose()
    assert logger.metrics().retries == 3
    assert len(rejected_lines(directory)) == 1


async def test_a_full_disk_raises_at_the_call(directory, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    async with BufferedDecisionLogger(FakeStore(), directory) as logger:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(Unavailable, match="No space left"):
                await log_some(logger, 1)


async def test_a_record_appended_just_before_the_drainer_goes_idle_is_sent(directory, monkeypatch):
    store = FakeStore()
    logger = BufferedDecisionLogger(store, directory)
    late = iter(["late"])
    read = logger._buffer._log.read

    def read_then_append_one(limit):
        window = read(limit)
        if not window.items:
            for _ in late:
                logger._buffer._log.append(DECISION, b'{"decision_id": "late"}', 0)
        return window

    monkeypatch.setattr(logger._buffer._log, "read", read_then_append_one)
    await log_some(logger, 1)
    await asyncio.sleep(0.1)
    assert "late" in store.decisions
    await logger.aclose()


def test_a_process_that_exits_without_closing_loses_nothing(directory):
    """The main thread ends during a request to the sink; no record may be rejected for that."""
    script = f"""
import asyncio
from agent_memory import BufferedDecisionLogger, DecisionLogger
from agent_memory.storage.factory import in_memory_stores
class Slow(DecisionLogger):
    async def log_decisions(self, decisions):
        await asyncio.to_thread(__import__("time").sleep, 0.02)
        return [dict(status="created") for _ in decisions]
logger = BufferedDecisionLogger(Slow("hunter", stores=in_memory_stores()), {str(directory)!r}, batch_size=1)
async def main():
    for n in range(20):
        await logger.log_decision("QUERY", dict(n=n), dict())
    await asyncio.sleep(0.05)
asyncio.run(main())
import threading
threading.Thread(target=__import__("time").sleep, args=(0.3,)).start()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=20)
    assert not (directory / "rejected.jsonl").exists()
    store = FakeStore()

    async def send_remaining():
        async with BufferedDecisionLogger(store, directory):
            pass

    asyncio.run(send_remaining())
    assert [decision["context"]["n"] for decision in store.decisions.values()] == list(
        range(20 - len(store.decisions), 20)
    )
    assert 0 < len(store.decisions) < 20
