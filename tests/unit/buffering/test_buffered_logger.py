"""`BufferedDecisionLogger` in normal use."""

import asyncio
import inspect
import os
import signal
import threading

import pytest
from buffer_fakes import CONTEXT, REASONING, Down, FakeStore, log_some

from agent_memory import BufferedDecisionLogger, Conflict, DecisionLogger, InvalidInput, Unavailable
from agent_memory.buffering.drainer import Drainer
from agent_memory.core.clock import FixedClock, SystemClock, parse_instant
from agent_memory.core.ids import decision_id_for
from agent_memory.storage.factory import in_memory_stores

NOON = "2026-11-20T12:00:00Z"


async def test_decisions_and_outcomes_arrive_in_order_with_their_ids(directory):
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        ids = await log_some(logger, 250)
        for decision_id in ids[:10]:
            await logger.log_outcome(decision_id, {"rows": 3}, True, {"quality": 0.5})
        await logger.flush()
        metrics = logger.metrics()
    assert list(store.decisions) == ids
    assert [decision["context"]["n"] for decision in store.decisions.values()] == list(range(250))
    assert list(store.outcomes) == ids[:10]
    assert max(len(items) for _, items in store.calls) <= 100
    assert (metrics.pending_records, metrics.pending_bytes, metrics.oldest_pending_seconds) == (0, 0, 0.0)
    assert (metrics.acknowledged, metrics.unchanged, metrics.rejected, metrics.retries) == (260, 0, 0, 0)


async def test_inputs_are_sent_without_fields_that_were_not_set(directory):
    store = FakeStore()
    decision_id = decision_id_for("QUERY", NOON, "cycle 1")
    async with BufferedDecisionLogger(store, directory, clock=FixedClock(parse_instant(NOON))) as logger:
        await logger.log_decision("QUERY", CONTEXT, REASONING, {"v": 1.0}, decision_id=decision_id, timestamp=NOON)
        await logger.log_outcome(decision_id, {}, False)
        plain = await logger.log_decision("QUERY", {}, {})
    assert store.decisions[decision_id] == {
        "decision_type": "QUERY",
        "decision_id": decision_id,
        "context": CONTEXT,
        "reasoning": REASONING,
        "metadata": {"v": 1.0},
    }
    assert store.outcomes[decision_id] == {
        "decision_id": decision_id,
        "outcome": {},
        "success": False,
        "timestamp": "2026-11-20T12:00:00.000Z",  # distinguishes a retry from a new amendment
    }
    assert set(store.decisions[plain]) == {"decision_type", "decision_id", "context", "reasoning"}


async def test_invalid_input_is_rejected_at_the_call_and_never_sent(directory):
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        with pytest.raises(InvalidInput) as caught:
            await logger.log_decision("QUERY", {"a": [float("nan")]}, {})
        assert caught.value.field == "/context/a/0"
        with pytest.raises(InvalidInput, match="decision_id"):
            await logger.log_outcome("nonsense", {}, True)
    assert store.calls == []


async def test_threads_with_their_own_event_loops_log_concurrently(directory):
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
    order = {decision_id: position for position, decision_id in enumerate(store.decisions)}
    assert len(order) == 800
    for positions in [[order[decision_id] for decision_id in of_thread] for of_thread in ids]:
        assert positions == sorted(positions)


async def test_reads_and_batches_call_the_sink_directly(directory):
    store = FakeStore()
    async with BufferedDecisionLogger(store, directory) as logger:
        (decision_id,) = await log_some(logger, 1)
        await logger.flush()
        assert (await logger.get_decision(decision_id))["context"] == {"n": 0}
        assert (await logger.log_decisions([{"decision_id": "x"}]))[0]["status"] == "created"
        with pytest.raises(KeyError):
            await logger.get_decision("unknown")
    assert {name for name, _ in store.calls} == {"decisions", "get"}


async def test_a_directory_belongs_to_one_logger_and_one_agent(directory):
    class Other(FakeStore):
        agent_id = "gatherer"

    async with BufferedDecisionLogger(FakeStore(), directory):
        with pytest.raises(Conflict):
            BufferedDecisionLogger(FakeStore(), directory)
    with pytest.raises(InvalidInput, match="belongs to"):
        BufferedDecisionLogger(Other(), directory)


async def test_a_closed_logger_raises(directory):
    logger = BufferedDecisionLogger(FakeStore(), directory)
    await logger.aclose()
    await logger.aclose()
    for call in (log_some(logger, 1), logger.flush(), logger.get_decision("x")):
        with pytest.raises(Unavailable, match="closed"):
            await call


@pytest.mark.parametrize("sync_seconds", [0, 0.01, None])
async def test_the_log_is_synced_at_the_interval(directory, sync_seconds, monkeypatch):
    synced = []
    fsync = os.fsync
    async with BufferedDecisionLogger(Down(), directory, sync_seconds=sync_seconds) as logger:
        monkeypatch.setattr(os, "fsync", lambda file: synced.append(file) or fsync(file))
        await log_some(logger, 3)
        if sync_seconds:
            await asyncio.sleep(0.1)
        assert len(synced) == 3 if sync_seconds == 0 else bool(synced) == bool(sync_seconds)
        await logger.aclose(timeout_seconds=0)


@pytest.mark.parametrize(
    "setting", [{"on_full": "drop"}, {"max_pending_bytes": 0}, {"batch_size": 0}, {"sync_seconds": -1}]
)
def test_invalid_settings_are_rejected(directory, setting):
    with pytest.raises(InvalidInput, match=next(iter(setting))):
        BufferedDecisionLogger(FakeStore(), directory, **setting)


async def test_the_metrics_have_the_age_of_the_oldest_record(directory):
    class ShiftedClock(SystemClock):
        offset_ms = 0

        def now_ms(self):
            return super().now_ms() + self.offset_ms

    clock = ShiftedClock()
    logger = BufferedDecisionLogger(Down(), directory, clock=clock)
    await log_some(logger, 2)
    clock.offset_ms = 60_000
    assert 60 <= logger.metrics().oldest_pending_seconds < 70
    await logger.aclose(timeout_seconds=0)


def test_the_sink_may_limit_the_batch_size(directory):
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


async def test_an_asynchronous_sink_is_used_and_closed_on_one_loop(directory):
    class Closable:
        agent_id = "hunter"

        def __init__(self):
            self.kept, self.loops = [], []

        async def log_decisions(self, decisions):
            self.loops.append(asyncio.get_running_loop())
            self.kept += decisions
            return [{"decision_id": one["decision_id"], "status": "created"} for one in decisions]

        async def log_outcomes(self, outcomes):
            return [{"decision_id": one["decision_id"], "status": "recorded"} for one in outcomes]

        async def get_decision(self, decision_id):
            return next(one for one in self.kept if one["decision_id"] == decision_id)

        async def aclose(self):
            self.loops.append(asyncio.get_running_loop())

    sink = Closable()
    async with BufferedDecisionLogger(sink, directory) as logger:
        decision_id = await logger.log_decision("QUERY", {"n": 1}, {})
        await logger.flush()
        assert (await logger.get_decision(decision_id))["context"] == {"n": 1}
    assert len(sink.loops) == 2
    assert len(set(sink.loops)) == 1
    assert sink.loops[0] is not asyncio.get_running_loop()


async def test_a_subclass_that_overrides_sending_is_called_itself(directory):
    sent = []

    class Counting(DecisionLogger):
        async def log_decisions(self, decisions):
            sent.extend(decisions)
            return await super().log_decisions(decisions)

    async with BufferedDecisionLogger(Counting("hunter", stores=in_memory_stores()), directory) as logger:
        await logger.log_decision("QUERY", {}, {})
    assert len(sent) == 1


def test_logging_has_the_signatures_of_the_direct_logger():
    for name in ("log_decision", "log_outcome"):
        assert inspect.signature(getattr(BufferedDecisionLogger, name)) == inspect.signature(
            getattr(DecisionLogger, name)
        )


def test_a_sink_that_cannot_log_outcomes_is_rejected(directory):
    class Incomplete:
        agent_id = "hunter"

        def log_decisions(self, _):
            return []

    with pytest.raises(InvalidInput, match="sink: has no method log_outcomes"):
        BufferedDecisionLogger(Incomplete(), directory)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_an_asynchronous_sink_refuses_to_be_used_after_a_fork(directory):
    class AsyncSink:
        agent_id = "hunter"

        async def log_decisions(self, inputs):
            return [{"status": "created"} for _ in inputs]

        log_outcomes = log_decisions

    with BufferedDecisionLogger(AsyncSink(), directory).sync as logger:
        child = os.fork()
        if not child:
            signal.alarm(5)  # ends a child that waits for the thread that it does not have
            try:
                logger.log_decisions([{"decision_type": "QUERY", "context": {}, "reasoning": {}}])
            except Unavailable as error:
                os._exit("after a fork" not in str(error))
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class LoggedAmid(FakeStore):
    """Stores decisions when it is allowed to; amid the first three requests another decision is logged."""

    def __init__(self):
        super().__init__()
        self.logger = None
        self.is_allowed = threading.Event()
        self.has_all = threading.Event()

    def log_decisions(self, decisions):
        self.is_allowed.wait()
        if len(self.calls) < 3:
            self.logger.sync.log_decision("QUERY", {}, {})
        else:
            self.has_all.set()
        return super().log_decisions(decisions)


@pytest.fixture
def pauses(monkeypatch):
    found = []
    monkeypatch.setattr(Drainer, "_pause", lambda _, seconds: found.append(seconds))
    return found


async def test_the_thread_pauses_while_callers_append(directory, pauses):
    store = LoggedAmid()
    store.is_allowed.set()
    async with BufferedDecisionLogger(store, directory) as store.logger:
        await store.logger.log_decision("QUERY", {}, {})
        await asyncio.to_thread(store.has_all.wait)  # no `flush` waits for them
    assert len(pauses) == 3
    assert min(pauses) >= 0


async def test_the_thread_does_not_pause_while_a_flush_waits(directory, pauses):
    store = LoggedAmid()
    async with BufferedDecisionLogger(store, directory, batch_size=1) as store.logger:
        await log_some(store.logger, 4)
        flush = asyncio.create_task(store.logger.flush())
        await asyncio.sleep(0)  # it has begun to wait
        store.is_allowed.set()
        await flush
    assert len(store.decisions) == 7
    assert pauses == []


async def test_the_thread_does_not_pause_while_half_of_the_space_is_used(directory, pauses):
    store = LoggedAmid()
    async with BufferedDecisionLogger(store, directory, batch_size=1, max_pending_bytes=2_000) as store.logger:
        await log_some(store.logger, 8)
        assert store.logger.metrics().pending_bytes > 1_000
        store.is_allowed.set()
        await asyncio.to_thread(store.has_all.wait)
        assert pauses == []
