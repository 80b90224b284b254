"""The synchronous classes."""

import inspect
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_memory import (
    AgentMemoryClient,
    Blocking,
    BufferedDecisionLogger,
    DecisionLogger,
    InvalidInput,
    MemoryManager,
    SyncAgentMemoryClient,
    SyncBufferedDecisionLogger,
    SyncDecisionLogger,
    SyncMemoryManager,
    Unavailable,
)
from tests.http_events import call_routes, client_with


@pytest.fixture
def logger(stores, clock):
    return DecisionLogger("hunter", stores=stores, clock=clock).sync


@pytest.mark.parametrize(
    ("asynchronous", "synchronous"),
    [
        (DecisionLogger, SyncDecisionLogger),
        (MemoryManager, SyncMemoryManager),
        (AgentMemoryClient, SyncAgentMemoryClient),
        (BufferedDecisionLogger, SyncBufferedDecisionLogger),
    ],
)
def test_both_have_the_same_signatures(asynchronous, synchronous):
    def methods(kind):
        public = inspect.getmembers(kind, inspect.isfunction)
        return {name: inspect.signature(method) for name, method in public if not name.startswith("_")}

    expected, found = methods(asynchronous), methods(synchronous)
    expected["close"] = expected.pop("aclose")
    differ = {"pool"}  # returns an object of the class itself
    assert expected.keys() == found.keys()
    assert {name: one for name, one in found.items() if name not in differ} == {
        name: one for name, one in expected.items() if name not in differ
    }


def test_decisions(logger):
    with logger:
        decision_id = logger.log_decision("QUERY", {"n": 1}, {})
        logger.log_outcome(decision_id, {}, True)
        assert logger.get_decision(decision_id)["success"] is True
        assert logger.agent_id == "hunter"
        with pytest.raises(InvalidInput, match="/context"):
            logger.log_decision("QUERY", 5, {})
        other = logger.log_decisions([{"decision_type": "QUERY", "context": {}, "reasoning": {}}])[0]["decision_id"]
        assert logger.log_outcomes([{"decision_id": other, "outcome": {}, "success": False}])[0]["status"] == "recorded"
        assert len(logger.query_decisions(success_filter=True)) == 1
        assert len(logger.page_decisions(limit=1)["decisions"]) == 1
        assert {one["decision_id"] for one in logger.get_decision_chain(decision_id)} == {other}
        assert logger.analyze_decision_patterns(group_by="type")["total"]["count"] == 2


def test_memory_and_state(stores, clock, tmp_path):
    memory = MemoryManager("hunter", stores=stores, clock=clock, pools=["shared"]).sync
    assert memory.store_stm("a", {"pattern_id": "p", "confidence": 0.9})
    assert memory.retrieve_stm("a") == {"pattern_id": "p", "confidence": 0.9}
    assert memory.consolidate_to_ltm("a")["pattern_id"] == "p"
    assert memory.clear_stm() == 1
    assert memory.stm_metrics().hits == 2
    memory.pool("shared").store_ltm("PATTERN", "q", {"confidence": 0.8})
    assert [one["pattern_id"] for one in memory.get_pattern_memory()] == ["p", "q"]
    assert memory.update_ltm_confidence("p", 0.5)["version"] == 2
    assert memory.get_ltm("PATTERN", "p")["confidence"] == 0.5
    assert len(memory.get_ltm_history("PATTERN", "p")) == 2
    assert [one["memory"]["pattern_id"] for one in memory.recall(kind="PATTERN", top_k=1)] == ["q"]
    assert memory.write_cycle(signals=["buy"], context={"trend": "up"})
    assert memory.read_cycle()["signals"] == ["buy"]
    assert memory.remove_signal("buy")
    assert memory.check_rate_limit("coinglass", 1)["allowed"]
    assert memory.get_context_memory()["complete"]
    memory.save_state({"n": 1, "configuration": {"a": 1}})
    memory.create_checkpoint("first")
    memory.save_state({"n": 2})
    assert memory.restore_checkpoint("first")["data"]["n"] == 1
    assert memory.load_state(fresh=True)["version"] == 3
    assert [one["name"] for one in memory.list_checkpoints()] == ["first"]
    assert memory.list_configurations()[0]["configuration"] == {"a": 1}
    assert memory.export(tmp_path / "hunter.zip")["counts"]["memories"] == 2
    assert memory.forget()["dry_run"]


def test_over_http(served):
    with client_with(call_routes).sync as client:
        decision_id = client.log_decision("QUERY", {"n": 1}, {})
        assert client.get_decision(decision_id)["context"] == {"n": 1}
        assert client.store_stm("a", 1)
        assert client.retrieve_stm("a") == 1
    with pytest.raises(Unavailable, match="closed"):
        client.get_decision(decision_id)


def test_buffered(stores, clock, tmp_path):
    direct = DecisionLogger("hunter", stores=stores, clock=clock)
    with BufferedDecisionLogger(direct, tmp_path, sync_seconds=0, clock=clock).sync as logger:
        ids = [logger.log_decision("QUERY", {"n": n}, {}) for n in range(20)]
        logger.log_outcome(ids[0], {}, True)
        logger.flush()
        assert logger.metrics().acknowledged == 21
        assert len(logger.query_decisions()) == 20
    assert direct.sync.get_decision(ids[0])["success"] is True


def test_a_full_buffer_blocks_the_caller(stores, clock, tmp_path):
    direct = DecisionLogger("hunter", stores=stores, clock=clock)
    with BufferedDecisionLogger(direct, tmp_path, max_pending_bytes=2_000, clock=clock).sync as logger:
        for n in range(200):
            logger.log_decision("QUERY", {"n": n}, {})
    assert len(direct.sync.query_decisions(limit=1_000)) == 200


def test_calls_run_in_the_callers_thread(stores, clock, monkeypatch):
    threads = []
    get = stores.states.get
    monkeypatch.setattr(stores.states, "get", lambda *args: threads.append(threading.current_thread()) or get(*args))
    MemoryManager("hunter", stores=stores, clock=clock).sync.load_state(fresh=True)
    assert set(threads) == {threading.current_thread()}


def test_threads_may_call_concurrently(logger):
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda n: logger.log_decision("QUERY", {"n": n}, {}), range(40)))
    assert len(set(ids)) == len(logger.query_decisions()) == 40


async def test_it_may_be_called_while_an_event_loop_runs(logger):
    assert logger.get_decision(logger.log_decision("QUERY", {}, {}))["context"] == {}


def test_blocking_is_deprecated(stores, clock):
    with pytest.warns(DeprecationWarning, match="use x.sync"):
        logger = Blocking(DecisionLogger("hunter", stores=stores, clock=clock))
    assert len(logger.log_decision("QUERY", {}, {})) == 36


def test_a_program_that_does_not_close_the_logger_exits(tmp_path):
    script = (
        "from agent_memory import BufferedDecisionLogger, DecisionLogger\n"
        "from agent_memory.storage.factory import in_memory_stores\n"
        "direct = DecisionLogger('hunter', stores=in_memory_stores())\n"
        f"logger = BufferedDecisionLogger(direct, {str(tmp_path)!r})\n"
        "print(len(logger.sync.log_decision('QUERY', {}, {})))"
    )
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout.strip(), done.stderr) == ("36", "")
