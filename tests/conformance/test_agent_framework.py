"""The context provider on Microsoft Agent Framework itself, with a model that is a function."""

import asyncio
import json

import pytest

pytest.importorskip("agent_framework", reason="`make conformance` installs the agent-framework extra")

from agent_framework import Agent, Content, tool

from agent_memory import DecisionLogger, MemoryManager, Unavailable
from agent_memory.client.integrations.agent_framework import AgentMemoryProvider, DecisionLogMiddleware
from agent_memory.client.tools.results import NOTICE
from tests.conformance.examples import run_example

ScriptedModel = run_example("agent_framework_trader", run_name="example")["ScriptedModel"]


class Desk:
    """An agent that calls one tool and then repeats what the tool returned."""

    def __init__(self, url):
        self.orders, self.asked = [], []
        self.memory = MemoryManager("desk", stores=url)
        self.log = DecisionLogger("desk", memory_manager=self.memory)

    def agent(self, **options):
        @tool(approval_mode="never_require")
        def place_order(symbol: str) -> str:
            """Place an order."""
            self.orders.append(symbol)
            return "placed"

        provider = AgentMemoryProvider(self.log, self.memory, {"place_order": "TRADE"}, kind=options.pop("kind", None))
        options = {"context_providers": [provider], **options}
        return Agent(ScriptedModel(self._answer), name="trader", tools=[place_order], **options)

    def _answer(self, messages):
        self.asked.append(list(messages))
        if messages[-1].role == "tool":
            return Content.from_text(str(messages[-1].contents[0].result))
        return Content.from_function_call("call-1", "place_order", arguments={"symbol": "BTC"})

    def recalled(self):
        """What the model was given of its memory before its first answer."""
        (text,) = [one.text for one in self.asked[0] if one.text.startswith('{"notice"')]
        return json.loads(text)


@pytest.fixture
def desk(url):
    return Desk(url)


async def test_calls_are_logged_before_they_run_from_several_loops(desk):
    assert (await desk.agent().run("buy")).text == "placed"
    await asyncio.to_thread(lambda: asyncio.run(desk.agent().run("buy")))
    logged = await desk.log.query_decisions("TRADE")
    assert (len(logged), desk.orders) == (2, ["BTC", "BTC"])
    assert logged[0]["context"] == {"tool": "place_order", "agent": "trader"}
    assert logged[0]["reasoning"] == {"input": {"symbol": "BTC"}}


async def test_ten_runs_of_one_agent_log_a_decision_each(desk):
    agent = desk.agent()
    for _ in range(10):
        await agent.run("buy")
    assert len(await desk.log.query_decisions("TRADE")) == len(desk.orders) == 10


async def test_no_order_is_placed_while_the_log_is_down_and_the_model_gets_the_error(desk, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    monkeypatch.setattr(desk.log._decisions, "log_decision", refuse)
    answer = (await desk.agent().run("buy")).text
    assert "could not be logged (unavailable: the table did not respond)" in answer
    assert desk.orders == []


async def test_memories_are_in_the_instructions_of_each_run(desk):
    await desk.memory.store_ltm("PATTERN", "gaps", {"text": "fade small gaps"})
    await desk.agent().run("what about gaps?")
    recalled = desk.recalled()
    assert (recalled["notice"], recalled["complete"]) == (NOTICE, True)
    assert [one["memory"]["text"] for one in recalled["found"]] == ["fade small gaps"]


async def test_only_one_type_may_be_recalled(desk):
    await desk.memory.store_ltm("LESSON", "gaps", {"text": "fade small gaps"})
    await desk.memory.store_ltm("PATTERN", "gaps", {"text": "gaps close"})
    await desk.agent(kind="LESSON").run("gaps")
    assert [one["memory"]["text"] for one in desk.recalled()["found"]] == ["fade small gaps"]


async def test_a_memory_that_does_not_respond_is_said_and_is_not_an_empty_answer(desk, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    monkeypatch.setattr(desk.memory._memory, "recall", refuse)
    assert (await desk.agent().run("buy")).text == "placed"
    recalled = desk.recalled()
    assert recalled["error"] == {"code": "unavailable", "message": "the table did not respond"}
    assert "found" not in recalled


async def test_the_log_alone_is_middleware_of_an_agent(desk):
    middleware = DecisionLogMiddleware(desk.log, {"place_order": "TRADE"}, "alone")
    await desk.agent(context_providers=[], middleware=[middleware]).run("buy")
    (logged,) = await desk.log.query_decisions("TRADE")
    assert logged["context"]["agent"] == "alone"


def test_the_example_logs_its_order(url, capsys):
    run_example("agent_framework_trader", url)
    assert capsys.readouterr().out.splitlines() == ["orders placed: 1, decisions logged: 1"]
