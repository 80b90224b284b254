"""The session and hooks on the OpenAI Agents SDK's own runner, with a model that is a script."""

import asyncio

import pytest

pytest.importorskip("agents", reason="`make conformance` installs the openai-agents extra")

from agents import Agent, ModelResponse, Runner, Usage, function_tool, set_tracing_disabled
from agents.memory import Session, SQLiteSession
from agents.models.interface import Model
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

from agent_memory import DecisionLogger, MemoryManager, Unavailable
from agent_memory.client.integrations.openai_agents import AgentMemorySession, DecisionLogHooks
from tests.conformance.examples import run_example

set_tracing_disabled(True)
ORDERS = []


@function_tool
def place_order(symbol: str) -> str:
    """Place an order."""
    ORDERS.append(symbol)
    return "placed"


class ScriptedModel(Model):
    """Places one order for each message of the user."""

    async def get_response(self, system_instructions, input, *_args, **_kwargs):  # noqa: A002, ARG002  the SDK's names
        last = input[-1] if isinstance(input, list) else {}
        if last.get("type") == "function_call_output":
            text = ResponseOutputText(type="output_text", text=f"{len(input)} items", annotations=[])
            output = ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=[text])
        else:
            output = ResponseFunctionToolCall(
                type="function_call", call_id=f"call-{len(input)}", name="place_order", arguments='{"symbol": "BTC"}'
            )
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *_args, **_kwargs):
        raise NotImplementedError("this model answers at once: run its agent without a stream")


@pytest.fixture
def memory(url):
    return MemoryManager("desk", stores=url)


@pytest.fixture(autouse=True)
def no_orders():
    ORDERS.clear()


@pytest.fixture(params=["SQLiteSession", "AgentMemorySession"])
def session(request, memory):
    return SQLiteSession("s") if request.param == "SQLiteSession" else AgentMemorySession("s", memory)


def message(number):
    return {"role": "user", "content": f"message {number}"}


async def test_it_does_what_the_sdks_own_session_does(session):
    assert isinstance(session, Session)
    assert (await session.get_items(), await session.pop_item()) == ([], None)
    await session.add_items([message(n) for n in range(12)])
    await session.add_items([])
    await session.add_items([message(0)])
    assert await session.get_items() == [*[message(n) for n in range(12)], message(0)]
    assert await session.get_items(2) == [message(11), message(0)]
    assert len(await session.get_items(100)) == 13
    assert await session.pop_item() == message(0)
    await session.add_items([{"role": "user", "content": "new", "extra": {"deep": [1.5, None]}}])
    assert (await session.get_items())[-1]["extra"] == {"deep": [1.5, None]}
    await session.clear_session()
    assert await session.get_items() == []


async def test_sessions_are_apart_and_survive_the_process(url, memory):
    await AgentMemorySession("a", memory).add_items([message(1)])
    await AgentMemorySession("b", memory).add_items([message(2)])
    assert await AgentMemorySession("a", MemoryManager("desk", stores=url)).get_items() == [message(1)]


async def test_concurrent_writers_lose_nothing(url):
    sessions = [AgentMemorySession("s", MemoryManager("desk", stores=url)) for _ in range(4)]
    await asyncio.gather(*(one.add_items([message(n) for n in range(5)]) for one in sessions))
    assert len(await sessions[0].get_items()) == 20


async def test_the_runner_continues_a_conversation(memory):
    agent = Agent(name="trader", model=ScriptedModel(), tools=[place_order])
    first = await Runner.run(agent, "buy", session=AgentMemorySession("s", memory))
    second = await Runner.run(agent, "again", session=AgentMemorySession("s", memory))
    assert (first.final_output, second.final_output) == ("3 items", "7 items")


async def test_tool_calls_are_logged_before_they_run_from_async_and_sync_code(memory):
    log = DecisionLogger("desk", memory_manager=memory)
    agent, hooks = (
        Agent(name="trader", model=ScriptedModel(), tools=[place_order]),
        DecisionLogHooks(log, {"place_order": "TRADE"}),
    )
    await Runner.run(agent, "buy", hooks=hooks)
    await asyncio.to_thread(Runner.run_sync, agent, "buy", hooks=hooks)
    logged = await log.query_decisions("TRADE")
    assert (len(logged), len(ORDERS)) == (2, 2)
    assert logged[0]["context"] == {"tool": "place_order", "agent": "trader"}
    assert logged[0]["reasoning"]["input"] == '{"symbol": "BTC"}'


async def test_no_order_is_placed_while_the_log_is_down(memory, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    log = DecisionLogger("desk", memory_manager=memory)
    monkeypatch.setattr(log._decisions, "log_decision", refuse)
    agent = Agent(name="trader", model=ScriptedModel(), tools=[place_order])
    with pytest.raises(Exception, match="did not respond"):
        await Runner.run(agent, "buy", hooks=DecisionLogHooks(log, {"place_order": "TRADE"}))
    assert ORDERS == []


def test_the_example_remembers_the_conversation(url, capsys):
    run_example("openai_agents_session", url)
    run_example("openai_agents_session", url)
    assert capsys.readouterr().out.splitlines() == ["items in the session: 2", "items in the session: 4"]
