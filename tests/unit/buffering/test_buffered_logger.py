"""The buffered logger as agents use it."""

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys
import threading

import pytest
from buffer_fakes import CONTEXT, REASONING, Down, FakeStore

from agent_memory import BufferedDecisionLogger, Conflict, DecisionLogger, InvalidInput, Rejected, Unavailable
from agent_memory.buffering.frames import DECISION
from agent_memory.clock import SystemClock
from agent_memory.errors import Forbidden
from agent_memory.ids import decision_id_for, new_decision_id

NOON = "2026-11-20T12:00:00Z"


async def log_some(logger, count, start=0):
    return [await logger.log_decision("QUERY", {"n": n}, REASONING) for n in range(start, start + count)]


def rejected_lines(directory):
    return [json.loads(line) for line in (directory / "rejected.jsonl").read_text().splitlines()]


async def test_decisions_and_outcomes_arrive_in_order_with_their_ids(directory):
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        ids = await log_some(logger, 250)
        for decision_id in ids[:10]:
            await logger.log_outcome(decision_id, {"rows": 3}, True, {"quality": 0.5})
        await logger.flush()
        state = logger.metrics()
    assert list(store.decisions) == ids
    assert [draft["context"]["n"] for draft in store.decisions.values()] == list(range(250))
    assert list(store.outcomes) == ids[:10]
    assert max(len(items) for _, items in store.calls) <= 100
    assert (state.pending_records, state.pending_bytes, state.oldest_pending_seconds) == (0, 0, 0.0)
    assert (state.acknowledged, state.unchanged, state.rejected, state.retries) == (260, 0, 0, 0)


async def test_what_is_sent_is_what_was_logged_and_nothing_empty(directory):
    store = FakeStore()
    decision_id = decision_id_for("QUERY", NOON, "cycle 1")
    async with BufferedDecisionLogger(store, directory) as logger:
        await logger.log_decision("QUERY", CONTEXT, REASONING, {"v": 1.0}, decision_id=decision_id, timestamp=NOON)
        await logger.log_outcome(decision_id, {}, False)
        plain = await logger.log_decision("QUERY", {}, {}, {})
    assert store.decisions[decision_id] == {
        "decision_type": "QUERY",
        "decision_id": decision_id,
        "context": CONTEXT,
        "reasoning": REASONING,
        "metadata": {"v": 1.0},
    }
    assert store.outcomes[decision_id] == {"decision_id": decision_id, "outcome": {}, "success": False}
    assert set(store.decisions[plain]) == {"decision_type", "decision_id", "context", "reasoning"}


async def test_bad_input_is_refused_at_the_call_and_never_sent(directory):
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        with pytest.raises(InvalidInput) as caught:
            await logger.log_decision("QUERY", {"a": [float("nan")]}, {})
        assert caught.value.field == "/context/a/0"
        with pytest.raises(InvalidInput, match="decision_id"):
            await logger.log_outcome("nonsense", {}, True)
    assert store.calls == []


async def test_the_next_logger_sends_what_the_last_one_could_not(directory):
    async with BufferedDecisionLogger(Down(), directory) as logger:
        ids = await log_some(logger, 5)
        await logger.log_outcome(ids[0], {"rows": 3}, True)
        with pytest.raises(Unavailable, match=r"6 records wait.*the table is away"):
            await logger.flush(timeout_seconds=0.05)
        state = logger.metrics()
        assert state.pending_records == 6
        assert state.retries > 0
        assert "away" in state.last_error
        await logger.aclose(timeout_seconds=0)
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        ids += await log_some(logger, 2, start=5)
        await logger.flush()
    assert list(store.decisions) == ids
    assert list(store.outcomes) == ids[:1]


async def test_a_crash_replays_what_was_not_acknowledged_and_stores_it_once(directory, tmp_path):
    """The directory as a crash leaves it is a copy of it, at any moment."""
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
    assert [draft["context"]["n"] for draft in store.decisions.values()] == list(range(30))


async def test_a_lost_position_is_harmless(directory):
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        ids = await log_some(logger, 3)
    (directory / "position").write_bytes(b"rubbish")
    async with BufferedDecisionLogger(store, directory) as logger:
        await logger.flush()
        assert (logger.metrics().acknowledged, logger.metrics().unchanged) == (3, 3)
    assert list(store.decisions) == ids


async def test_a_full_buffer_lets_the_caller_wait_without_blocking_the_loop(directory):
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


async def test_a_full_buffer_refuses_where_that_was_asked_for(directory):
    logger = BufferedDecisionLogger(Down(), directory, on_full="refuse", max_pending_bytes=1000)
    with pytest.raises(Unavailable, match="is full"):
        await log_some(logger, 20)
    assert logger.metrics().pending_bytes <= 1000
    await logger.aclose(timeout_seconds=0)


async def test_what_the_store_refuses_is_kept_and_told_and_blocks_nothing(directory):
    store = FakeStore()
    taken = decision_id_for("QUERY", NOON, "taken")
    unknown = new_decision_id("QUERY", 1_763_640_000_000)
    logger = BufferedDecisionLogger(store, directory)
    await logger.log_decision("QUERY", CONTEXT, {}, decision_id=taken)
    await logger.log_decision("QUERY", {"other": 1}, {}, decision_id=taken)
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
    assert list(store.decisions) == [taken, last]
    await logger.log_outcome(unknown, {"rows": 1}, True)
    with pytest.raises(Rejected, match="1 records"):
        await logger.aclose()
    assert logger.metrics().rejected == 3


async def test_damaged_bytes_are_kept_and_told(directory):
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


class Choking(FakeStore):
    """Fails as a whole on one of its drafts."""

    async def log_decisions(self, drafts):
        self._note("decisions", drafts)
        if any(draft["context"]["n"] == 3 for draft in drafts):
            raise TypeError("three")
        return [self._log(draft) for draft in drafts]


async def test_a_record_that_breaks_its_batch_is_found_and_the_others_are_stored(directory):
    store = Choking()
    logger = BufferedDecisionLogger(store, directory)
    ids = await log_some(logger, 6)
    with pytest.raises(Rejected, match="1 records"):
        await logger.aclose()
    assert list(store.decisions) == ids[:3] + ids[4:]
    assert rejected_lines(directory)[0]["error"] == {"code": "TypeError", "message": "three"}


@pytest.mark.parametrize("error", [Forbidden("no"), PermissionError("no credentials"), TimeoutError(), Unavailable("")])
async def test_what_says_nothing_about_the_records_is_tried_again(directory, error):
    class Barred(FakeStore):
        attempts = 0

        async def log_decisions(self, drafts):
            self.attempts += 1
            if self.attempts < 4:
                raise error
            return await super().log_decisions(drafts)

    store = Barred()
    async with BufferedDecisionLogger(store, directory) as logger:
        ids = await log_some(logger, 1)
        await logger.flush()
        assert (logger.metrics().retries, logger.metrics().last_error) == (3, None)
    assert list(store.decisions) == ids


async def test_a_disk_that_cannot_keep_what_was_rejected_holds_the_queue(directory, monkeypatch):
    from agent_memory.buffering import drainer

    kept, refusals = drainer.keep_rejected, iter([OSError(errno.ENOSPC, "full")] * 3)

    def full_at_first(*args):
        for error in refusals:
            raise error
        kept(*args)

    monkeypatch.setattr(drainer, "keep_rejected", full_at_first)
    logger = BufferedDecisionLogger(FakeStore(), directory)
    await logger.log_outcome(new_decision_id("QUERY", 1_763_640_000_000), {}, True)
    with pytest.raises(Rejected):
        await logger.aclose()
    assert logger.metrics().retries == 3
    assert len(rejected_lines(directory)) == 1


async def test_a_full_disk_is_an_error_to_the_caller(directory, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    async with BufferedDecisionLogger(FakeStore(), directory) as logger:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(Unavailable, match="No space left"):
                await log_some(logger, 1)


async def test_threads_with_loops_of_their_own_log_side_by_side(directory):
    store = FakeStore()
    ids = []

    def work(number):
        ids.append(asyncio.run(log_some(logger, 100, start=1000 * number)))

    async with BufferedDecisionLogger(store, directory, max_pending_bytes=20_000) as logger:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await logger.flush()
    order = {decision_id: place for place, decision_id in enumerate(store.decisions)}
    assert len(order) == 800
    assert all([order[one] for one in mine] == sorted(order[one] for one in mine) for mine in ids)


async def test_every_call_of_the_sink_runs_on_one_thread(directory):
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        (decision_id,) = await log_some(logger, 1)
        await logger.flush()
        assert (await logger.get_decision(decision_id))["context"] == {"n": 0}
        assert (await logger.log_decisions([{"decision_id": "x"}]))[0]["status"] == "created"
        with pytest.raises(KeyError):
            await logger.get_decision("unknown")
    assert len(store.threads) == 1
    assert threading.get_ident() not in store.threads


async def test_a_record_that_comes_just_before_the_drainer_rests_is_sent(directory, monkeypatch):
    store = FakeStore()
    logger = BufferedDecisionLogger(store, directory)
    late = iter(["late"])
    read = logger._log.read

    def read_and_then_comes_one(limit):
        window = read(limit)
        if not window.items:
            for _ in late:
                logger._log.append(DECISION, b'{"decision_id": "late"}', 0)
        return window

    monkeypatch.setattr(logger._log, "read", read_and_then_comes_one)
    await log_some(logger, 1)
    await asyncio.sleep(0.1)
    assert "late" in store.decisions
    await logger.aclose()


async def test_one_logger_a_directory_and_one_agent(directory):
    class Other(FakeStore):
        agent_id = "gatherer"

    async with BufferedDecisionLogger(FakeStore(), directory):
        with pytest.raises(Conflict):
            BufferedDecisionLogger(FakeStore(), directory)
    with pytest.raises(InvalidInput, match="belongs to"):
        BufferedDecisionLogger(Other(), directory)


async def test_after_closing_everything_is_refused(directory):
    logger = BufferedDecisionLogger(FakeStore(), directory)
    await logger.aclose()
    await logger.aclose()
    for call in (log_some(logger, 1), logger.flush(), logger.get_decision("x")):
        with pytest.raises(Unavailable, match="closed"):
            await call


@pytest.mark.parametrize("sync_seconds", [0, 0.01, None])
async def test_the_log_is_synced_as_asked_for(directory, sync_seconds, monkeypatch):
    synced = []
    real = os.fsync
    async with BufferedDecisionLogger(Down(), directory, sync_seconds=sync_seconds) as logger:
        monkeypatch.setattr(os, "fsync", lambda file: synced.append(file) or real(file))
        await log_some(logger, 3)
        if sync_seconds:
            await asyncio.sleep(0.1)
        assert len(synced) == 3 if sync_seconds == 0 else bool(synced) == bool(sync_seconds)
        await logger.aclose(timeout_seconds=0)


@pytest.mark.parametrize(
    "wrong", [{"on_full": "drop"}, {"max_pending_bytes": 0}, {"batch_size": 0}, {"sync_seconds": -1}]
)
def test_unusable_settings_are_refused(directory, wrong):
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        BufferedDecisionLogger(FakeStore(), directory, **wrong)


def test_a_process_that_just_ends_loses_nothing(directory):
    """Its main thread ends while the sink still works; nothing may count as refused for that."""
    script = f"""
import asyncio
from agent_memory import BufferedDecisionLogger, DecisionLogger
from agent_memory.stores.connections import in_memory_stores
class Slow(DecisionLogger):
    async def log_decisions(self, drafts):
        await asyncio.to_thread(__import__("time").sleep, 0.02)
        return [dict(status="created") for _ in drafts]
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

    async def rest():
        async with BufferedDecisionLogger(store, directory):
            pass

    asyncio.run(rest())
    assert [draft["context"]["n"] for draft in store.decisions.values()] == list(range(20 - len(store.decisions), 20))
    assert 0 < len(store.decisions) < 20


async def test_the_age_of_the_oldest_is_told(directory):
    class Later(SystemClock):
        offset_ms = 0

        def now_ms(self):
            return super().now_ms() + self.offset_ms

    clock = Later()
    logger = BufferedDecisionLogger(Down(), directory, clock=clock)
    await log_some(logger, 2)
    clock.offset_ms = 60_000
    assert 60 <= logger.metrics().oldest_pending_seconds < 70
    await logger.aclose(timeout_seconds=0)


def test_the_sink_may_say_how_much_a_batch_holds(directory):
    class Small(FakeStore):
        max_batch = 7

    store = Small()

    async def use():
        async with BufferedDecisionLogger(store, directory) as logger:
            await log_some(logger, 50)

    asyncio.run(use())
    assert max(len(items) for _, items in store.calls) <= 7


def test_a_direct_logger_is_a_sink():
    assert {"log_decisions", "log_outcomes"} <= set(dir(DecisionLogger))
