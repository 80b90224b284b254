"""The Strands adapters on Strands' own package, with agents whose model is a script."""

import asyncio
import json

import pytest

pytest.importorskip("strands", reason="`make conformance` installs the strands extra")

from strands import Agent, tool
from strands.memory import MemoryManager as StrandsMemory
from strands.models.model import Model
from strands.session import SnapshotSessionManager
from strands.storage.storage import Storage
from strands.types.exceptions import EventLoopException, StorageError

from agent_memory import DecisionLogger, MemoryManager, Unavailable
from agent_memory.client.integrations.strands import DECISION_IDS, AgentMemoryStore, DecisionLogHandler, SessionStorage
from tests.conformance.examples import run_example

ORDERS = []


class ScriptedModel(Model):
    """A model that places one order in each agent call, and then says what came of it."""

    stateful = False

    def update_config(self, **_):
        """It has none."""

    def get_config(self):
        return {}

    async def structured_output(self, *_args, **_kwargs):
        yield {}

    async def stream(self, messages, *_args, **_kwargs):
        last = messages[-1]["content"][0]
        yield {"messageStart": {"role": "assistant"}}
        if "toolResult" in last:
            yield {"contentBlockStart": {"start": {}}}
            yield {"contentBlockDelta": {"delta": {"text": f"order {last['toolResult']['status']}"}}}
            yield {"contentBlockStop": {}}
            yield {"messageStop": {"stopReason": "end_turn"}}
        else:
            use = {"toolUseId": f"use-{len(messages)}", "name": "place_order"}
            yield {"contentBlockStart": {"start": {"toolUse": use}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps({"symbol": "BTC"})}}}}
            yield {"contentBlockStop": {}}
            yield {"messageStop": {"stopReason": "tool_use"}}


@tool(context=True)
def place_order(symbol: str, tool_context) -> str:
    """Place an order.

    Args:
        symbol: what to buy.
    """
    ids = tool_context.invocation_state.get(DECISION_IDS, {})
    ORDERS.append((symbol, ids.get(tool_context.tool_use["toolUseId"])))
    return "placed"


@pytest.fixture(autouse=True)
def no_orders():
    ORDERS.clear()


@pytest.fixture
def memory(url):
    return MemoryManager("strands-trader", stores=url)


@pytest.fixture
def log(memory):
    return DecisionLogger("strands-trader", memory_manager=memory)


def agent(log, **options):
    handler = DecisionLogHandler(log, {"place_order": "TRADE"}, **options)
    return Agent(model=ScriptedModel(), tools=[place_order], interventions=[handler], callback_handler=None)


def make_unavailable(log, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    monkeypatch.setattr(log._decisions, "log_decision", refuse)


# --- the decision log ---------------------------------------------------------------------------------


async def test_ten_calls_in_a_row_are_logged_from_async_and_sync_code(log):
    trader = agent(log)
    for _ in range(5):
        await trader.invoke_async("buy", invocation_state={})
    for _ in range(5):
        await asyncio.to_thread(trader, "buy")
    logged = await log.query_decisions("TRADE")
    assert len(logged) == len(ORDERS) == 10
    assert logged[0]["reasoning"]["input"] == {"symbol": "BTC"}
    assert {decision_id for _, decision_id in ORDERS} == {one["decision_id"] for one in logged}


def test_an_order_is_refused_while_the_log_is_down(log, monkeypatch):
    trader = agent(log)
    with monkeypatch.context() as patch:
        make_unavailable(log, patch)
        assert str(trader("buy")).strip() == "order error"
    assert ORDERS == []
    refused = json.dumps(trader.messages)
    assert "the decision could not be logged (unavailable: the table did not respond)" in refused
    assert str(trader("buy")).strip() == "order success"
    assert len(ORDERS) == 1


def test_by_choice_an_order_is_placed_without_a_record(log, monkeypatch):
    make_unavailable(log, monkeypatch)
    agent(log, on_error="proceed")("buy")
    assert ORDERS == [("BTC", None)]


def test_by_choice_the_call_ends(log, monkeypatch):
    make_unavailable(log, monkeypatch)
    with pytest.raises(EventLoopException, match="did not respond"):
        agent(log, on_error="throw")("buy")
    assert ORDERS == []


def test_other_tools_are_not_logged(log):
    handler = DecisionLogHandler(log, {"cancel_order": "CANCEL"})
    Agent(model=ScriptedModel(), tools=[place_order], interventions=[handler], callback_handler=None)("buy")
    assert (len(ORDERS), log.sync.query_decisions()) == (1, [])


# --- the memory store ---------------------------------------------------------------------------------


async def test_the_manager_searches_and_adds(memory):
    manager = StrandsMemory(stores=[AgentMemoryStore(memory)], injection=False, add_tool_config=True)
    await manager.add("fade small gaps", {"metadata": {"from": "review"}})
    await manager.add("fade small gaps", {"metadata": {"from": "review"}})
    await memory.store_ltm("PATTERN", "pump", {"features": ["trend=up"], "confidence": 0.1})
    found = await manager.search("gaps")
    assert (found[0].content, found[0].metadata["kind"]) == ("fade small gaps", "NOTE")
    assert sorted(one.metadata["kind"] for one in found) == ["NOTE", "PATTERN"]
    assert len(await manager.search("gaps", {"max_search_results": 1})) == 1


async def test_a_memory_that_does_not_respond_is_an_error_and_not_an_empty_answer(memory, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    monkeypatch.setattr(memory._memory, "recall", refuse)
    with pytest.raises(Unavailable):
        await AgentMemoryStore(memory).search("gaps")


# --- sessions -----------------------------------------------------------------------------------------


async def test_storage_keeps_bytes_under_any_key(memory):
    storage = SessionStorage(memory)
    assert isinstance(storage, Storage)
    values = {"a/b": b"\x00\xff", "a/b/c": b"", "ab": b"x", "ä #%": bytes(range(256))}
    for key, data in values.items():
        await storage.write(key, data)
    assert {key: await storage.read(key) for key in values} == values
    assert await storage.list("a/") == ["a/b", "a/b/c"]
    assert await storage.list("") == sorted(values)
    await storage.write("a/b", b"new")
    await storage.delete("ab")
    await storage.delete("never")
    assert (await storage.read("a/b"), await storage.read("ab")) == (b"new", None)


async def test_storage_keeps_values_over_the_limit_of_a_memory(memory):
    import random

    storage = SessionStorage(memory)
    large, larger = random.Random(1).randbytes(900_000), random.Random(2).randbytes(1_000_000)
    await storage.write("large", large)
    assert await storage.read("large") == large
    await storage.write("large", larger)
    assert await storage.read("large") == larger
    await storage.delete("large")
    assert await memory.retrieve_ltm("STRANDS_FILE") == []


async def test_storage_reports_an_outage_as_its_own_error(memory, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    monkeypatch.setattr(memory._memory, "get_ltm", refuse)
    with pytest.raises(StorageError, match="did not respond"):
        await SessionStorage(memory).read("key")


def test_a_session_continues_after_a_restart(url, log):
    def run():
        storage = SessionStorage(MemoryManager("strands-trader", stores=url))
        manager = SnapshotSessionManager(session_id="desk-1", storage=storage)
        trader = Agent(
            model=ScriptedModel(), tools=[place_order], session_manager=manager, agent_id="t", callback_handler=None
        )
        trader("buy")
        return len(trader.messages)

    assert [run(), run()] == [4, 8]


def test_the_example_logs_its_orders(url, capsys):
    run_example("strands_trader", url)
    assert capsys.readouterr().out.splitlines()[-1] == "orders placed: 1, decisions logged: 1"
