"""The capability on pydantic-ai's own package, with a model that is a function."""

import asyncio
import json
from datetime import datetime
from decimal import Decimal

import pytest

pytest.importorskip("pydantic_ai", reason="`make conformance` installs the pydantic-ai extra")

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel

from agent_memory import DecisionLogger, MemoryManager, Unavailable
from agent_memory.client.integrations.pydantic_ai import AgentMemoryCapability
from tests.conformance.examples import run_example


class Order(BaseModel):
    symbol: str
    quantity: Decimal


class Desk:
    """An agent that calls one tool and then repeats what the tool returned."""

    def __init__(self, url, call):
        self.orders = []
        self.memory = MemoryManager("desk", stores=url)
        self.log = DecisionLogger("desk", memory_manager=self.memory)
        capability = AgentMemoryCapability(self.log, self.memory, {"place_order": "TRADE"})
        self.agent = Agent(FunctionModel(self._answer), name="trader", capabilities=[capability])
        self._call = call

        @self.agent.tool_plain
        def place_order(symbol: str) -> str:
            self.orders.append(symbol)
            return "placed"

    def _answer(self, messages, _info):
        last = messages[-1].parts[-1]
        if last.part_kind == "user-prompt":
            return ModelResponse(parts=[ToolCallPart(*self._call)])
        return ModelResponse(parts=[TextPart(json.dumps(last.content, default=str))])


@pytest.fixture
def desk(url):
    return Desk(url, ("place_order", {"symbol": "BTC"}))


async def test_calls_are_logged_before_they_run_from_async_and_sync_code(desk):
    assert (await desk.agent.run("buy")).output == '"placed"'
    await asyncio.to_thread(desk.agent.run_sync, "buy")
    logged = await desk.log.query_decisions("TRADE")
    assert (len(logged), desk.orders) == (2, ["BTC", "BTC"])
    assert logged[0]["context"] == {"tool": "place_order", "agent": "trader"}
    assert logged[0]["reasoning"]["input"] == {"symbol": "BTC"}


async def test_a_tool_with_typed_arguments_is_logged_as_json_and_runs(url):
    placed = []
    given = {"order": {"symbol": "BTC", "quantity": "1.50"}, "when": "2026-11-20T12:00:00Z", "venues": ["a"]}
    desk = Desk(url, ("place_typed_order", given))
    capability = AgentMemoryCapability(desk.log, desk.memory, {"place_typed_order": "TRADE"})
    agent = Agent(FunctionModel(desk._answer), capabilities=[capability])

    @agent.tool_plain
    def place_typed_order(order: Order, when: datetime, venues: set[str]) -> str:
        placed.append((order.quantity, when.year, venues))
        return "placed"

    await agent.run("buy")
    assert placed == [(Decimal("1.50"), 2026, {"a"})]
    (logged,) = await desk.log.query_decisions("TRADE")
    assert logged["reasoning"]["input"] == given


async def test_no_order_is_placed_while_the_log_is_down_and_the_model_gets_the_error(desk, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    monkeypatch.setattr(desk.log._decisions, "log_decision", refuse)
    assert "could not be logged (unavailable: the table did not respond)" in (await desk.agent.run("buy")).output
    assert desk.orders == []


async def test_the_agent_searches_its_memory(url):
    desk = Desk(url, ("search_memory", {"query": "gaps"}))
    await desk.memory.store_ltm("PATTERN", "gaps", {"text": "fade small gaps"})
    found = json.loads((await desk.agent.run("what about gaps?")).output)
    assert ([one["memory"]["text"] for one in found["found"]], found["complete"]) == (["fade small gaps"], True)
    assert await desk.log.query_decisions() == []


async def test_a_memory_that_does_not_respond_is_an_error_and_not_an_empty_answer(url, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    desk = Desk(url, ("search_memory", {"query": "gaps"}))
    monkeypatch.setattr(desk.memory._memory, "recall", refuse)
    assert "unavailable: the table did not respond" in (await desk.agent.run("what about gaps?")).output


def test_the_example_logs_its_order(url, capsys):
    run_example("pydantic_ai_trader", url)
    assert capsys.readouterr().out.splitlines() == ["orders placed: 1, decisions logged: 1"]
