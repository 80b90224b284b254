"""The market hunter ends at any moment and starts again: it goes on as if nothing had happened."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory import AgentMemoryError, Conflict, DecisionLogger, InvalidInput, MemoryManager, Unavailable
from agent_memory.core.clock import FixedClock
from agent_memory.storage.factory import in_memory_stores
from tests.unit.trading_agents.market_hunter.hunter_samples import HOUR, SOURCES, START, market
from trading_agents import MarketContext, MemoryAwareMarketHunterAgent

AGENT = "market-hunter"
CYCLES = 6
CALLS = (
    ("memory", "load_state"),
    ("memory", "get_context_memory"),
    ("memory", "retrieve_stm"),
    ("memory", "retrieve_ltm"),
    ("memory", "save_state"),
    ("memory", "write_cycle"),
    ("memory", "read_cycle"),
    ("memory", "create_checkpoint"),
    ("memory", "check_rate_limit"),
    ("logger", "log_decisions"),
    ("logger", "log_outcomes"),
)


class Killed(BaseException):
    """The process ends here."""


class Kills:
    """Ends the process at some of its calls: before the call takes effect, or after."""

    def __init__(self, numbers=()):
        self.numbers = set(numbers)
        self.count = 0

    def wrap(self, call):
        async def maybe_killed(*args, **kwargs):
            self._maybe_end()
            result = await call(*args, **kwargs)
            self._maybe_end()
            return result

        return maybe_killed

    def _maybe_end(self):
        self.count += 1
        if self.count in self.numbers:
            raise Killed


def new_hunter(stores, clock, kills=None, **changes):
    memory = MemoryManager(AGENT, stores=stores, clock=clock)
    logger = DecisionLogger(AGENT, memory_manager=memory, clock=clock)
    for name, call in CALLS if kills else ():
        owner = {"memory": memory, "logger": logger}[name]
        setattr(owner, call, kills.wrap(getattr(owner, call)))
    defaults = {"sources": SOURCES, "exploration_rate": 0.5, "checkpoint_cycles": 2, "timer": None}
    return MemoryAwareMarketHunterAgent(AGENT, 0.1, memory, logger, **{**defaults, **changes})


async def hunt(kills, cycles=CYCLES, **changes):
    """Hunt in as many processes as it takes; returns everything that they left."""
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    stores = in_memory_stores(clock)
    returned = []
    while len(returned) < cycles:
        agent = new_hunter(stores, clock, kills, **changes)
        try:
            while len(returned) < cycles:
                returned.append(await agent.run_cycle_with_memory(market(len(returned)), 2))
        except Killed:
            continue
    return returned, await contents(stores, clock)


async def contents(stores, clock):
    memory = MemoryManager(AGENT, stores=stores, clock=clock)
    logger = DecisionLogger(AGENT, memory_manager=memory, clock=clock)
    return {
        "decisions": {one["decision_id"]: one for one in await logger.query_decisions(limit=1_000)},
        "state": await memory.load_state(fresh=True),
        "checkpoints": [one["name"] for one in await memory.list_checkpoints()],
        "configurations": list(await memory.list_configurations()),
        "cycle": await memory.read_cycle(performance={one: ["bullish"] for one in SOURCES}),
        "short term": dict(stores.short_term.dump(f"stm:{{{AGENT}}}:")),
    }


async def test_a_kill_at_any_call_changes_nothing():
    """At each call of a run in turn, and the market data of the killed cycle is passed again."""
    counted = Kills([0])
    expected = await hunt(counted)
    assert counted.count > 80
    assert len(expected[1]["decisions"]) > 5 * CYCLES
    for number in range(1, counted.count + 1):
        assert await hunt(Kills([number])) == expected, number


@pytest.mark.slow
@given(st.sets(st.integers(1, 250), max_size=60))
@settings(max_examples=25)
def test_many_kills_change_nothing(numbers):
    assert asyncio.run(hunt(Kills(numbers), ask="chosen")) == asyncio.run(hunt(None, ask="chosen"))


async def hunted(cycles):
    """A hunter after some cycles, and what it has written to."""
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    stores = in_memory_stores(clock)
    agent = new_hunter(stores, clock)
    for n in range(cycles):
        await agent.run_cycle_with_memory(market(n), 2)
    return agent, stores, clock


async def test_what_it_learned_and_what_is_pending_survives_the_process():
    first, stores, clock = await hunted(20)
    pending = await first.logger.query_decisions(success_filter="pending")
    assert {one["decision_type"] for one in pending} == {"SIGNAL_GENERATION", "LEARNING"}
    await first.memory.clear_stm()  # as after a day
    again = new_hunter(stores, clock)
    await again.resume()
    assert again.current_cycle == 20
    assert again.last_time == START + 19 * HOUR
    assert again.scores.of("bullish") == first.scores.of("bullish")
    await again.run_cycle_with_memory(market(20), 2)
    for one in pending:
        assert (await again.logger.get_decision(one["decision_id"]))["success"] is not None


async def test_its_state_has_the_names_of_the_design():
    agent, stores, clock = await hunted(5)
    state = (await agent.memory.load_state())["data"]
    assert state["current_cycle"] == 5
    assert state["source_metrics"]["always_right"] == {"judged": 4, "right": 4.0}
    assert state["context_performance"]["bullish"]["always_wrong"]["judged"] == 4
    assert [one["name"] for one in await agent.memory.list_checkpoints()] == ["auto-2", "auto-3"]
    again = new_hunter(stores, clock, exploration_rate=0.1)
    await again.run_cycle_with_memory(market(5), 2)
    configurations = [one["configuration"] for one in await again.memory.list_configurations()]
    assert [one["exploration_rate"] for one in configurations] == [0.5, 0.1]
    assert configurations[0]["sources"] == list(SOURCES)


async def test_a_checkpoint_can_be_restored_and_fields_of_others_stay(caplog):
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    stores = in_memory_stores(clock)
    memory = MemoryManager(AGENT, stores=stores, clock=clock)
    await memory.save_state({"own": 1})
    agent = new_hunter(stores, clock)
    for n in range(5):
        await agent.run_cycle_with_memory(market(n), 2)
    await memory.restore_checkpoint("auto-2")
    with pytest.raises(Conflict, match="one process for each agent"):
        await agent.run_cycle_with_memory(market(5), 2)
    await agent.run_cycle_with_memory(market(5), 2)
    assert agent.current_cycle == 3
    assert "keep the outcomes that they had" in caplog.text  # the cycle after the checkpoint was judged before
    assert (await memory.load_state())["data"]["own"] == 1


async def test_two_processes_of_one_agent_do_not_both_decide():
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    stores = in_memory_stores(clock)
    one, other = new_hunter(stores, clock), new_hunter(stores, clock)
    await one.run_cycle_with_memory(market(0), 2)
    await other.run_cycle_with_memory(market(1), 2)
    with pytest.raises(Conflict):
        await one.run_cycle_with_memory(market(2), 2)
    await one.run_cycle_with_memory(market(2), 2)
    cycles = [x["context"]["cycle"] for x in await one.logger.query_decisions("QUERY", newest_first=False)]
    assert cycles == [0, 1, 2]


async def test_a_save_of_which_the_answer_was_lost_is_recognized(monkeypatch):
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    stores = in_memory_stores(clock)
    agent = new_hunter(stores, clock)
    await agent.run_cycle_with_memory(market(0), 2)
    save = agent.memory.save_state

    async def save_twice(*args, **kwargs):  # as a client that repeats a request
        await save(*args, **kwargs)
        return await save(*args, **kwargs)

    monkeypatch.setattr(agent.memory, "save_state", save_twice)
    await agent.run_cycle_with_memory(market(1), 2)
    assert (agent.current_cycle, (await agent.memory.load_state())["version"]) == (2, 2)


@pytest.mark.parametrize("takes_effect", [True, False])
async def test_a_store_that_fails_while_the_state_is_saved_leaves_nothing_half_done(monkeypatch, takes_effect):
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    stores = in_memory_stores(clock)
    agent = new_hunter(stores, clock)
    save = agent.memory.save_state

    async def fail(*args, **kwargs):
        if takes_effect:
            await save(*args, **kwargs)
        raise Unavailable("the table did not respond")

    for n in range(3):
        with monkeypatch.context() as outage:
            outage.setattr(agent.memory, "save_state", fail)
            with pytest.raises(Unavailable):
                await agent.run_cycle_with_memory(market(n), 2)
        await agent.run_cycle_with_memory(market(n), 2)
    undisturbed, expected = await hunt(None, cycles=3)
    assert len(undisturbed) == 3
    assert await contents(stores, clock) == expected


async def test_an_error_of_a_source_undoes_the_cycle():
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    broken = {"is": False}

    def source(data):
        if broken["is"]:
            raise KeyError("whale_flow")
        return data["next"] * 0.5

    agent = new_hunter(in_memory_stores(clock), clock, sources={**SOURCES, "own": source})
    await agent.run_cycle_with_memory(market(0), 5)
    before = agent.scores.to_state()
    broken["is"] = True
    with pytest.raises(KeyError):
        await agent.run_cycle_with_memory(market(1), 5)
    assert (agent.current_cycle, agent.scores.to_state()) == (1, before)
    broken["is"] = False
    await agent.run_cycle_with_memory(market(1), 5)
    judged = await agent.logger.query_decisions("SIGNAL_GENERATION", context_filter={"cycle": 0})
    assert {one["success"] for one in judged} == {True, False}


async def test_market_data_of_another_time_is_refused_or_recognized():
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    agent = new_hunter(in_memory_stores(clock), clock)
    await agent.run_cycle_with_memory(market(0), 2)
    signals = await agent.run_cycle_with_memory(market(1), 2)
    assert await agent.run_cycle_with_memory(market(1), 2) == signals
    assert agent.current_cycle == 2
    for data, words in (
        (market(0), "is before the last cycle"),
        (market(1, MarketContext.BEARISH), "another context or price"),
    ):
        with pytest.raises(InvalidInput, match=words) as caught:
            await agent.run_cycle_with_memory(data, 2)
        assert caught.value.field == "timestamp"


async def test_what_the_log_rejects_is_named_once_and_does_not_stop_the_agent(monkeypatch):
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    agent = new_hunter(in_memory_stores(clock), clock)
    log = agent.logger.log_decisions

    async def reject_one(decisions):
        first = {"decision_id": decisions[0]["decision_id"], "status": "conflict", "error": {"message": "differs"}}
        return [first, *await log(decisions[1:])]

    with monkeypatch.context() as rejecting:
        rejecting.setattr(agent.logger, "log_decisions", reject_one)
        with pytest.raises(AgentMemoryError, match=r"cycle 0 was not logged completely: .*differs"):
            await agent.run_cycle_with_memory(market(0), 2)
    await agent.run_cycle_with_memory(market(1), 2)
    assert agent.current_cycle == 2
