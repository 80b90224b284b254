"""A paper trader whose state is in the store, killed and started again on every kind of store."""

import asyncio
import contextlib

import pytest

from agent_memory import Conflict, MemoryManager, Unavailable
from tests.unit.trading_agents.paper_samples import Killed, KillingMemory, Log, feed, paper_bars
from trading_agents.paper import PaperSettings, PaperTrader, StateInStore, trade_on_paper

BARS = paper_bars(262)
SETTINGS = PaperSettings(size_by_regime=True, switch_by_regime=True, volume_by_regime=True)
LOGGED_AT_A_BAR = 12


@pytest.fixture(scope="module")
def uninterrupted():
    log = Log()
    asyncio.run(trade_on_paper(PaperTrader("paper", SETTINGS), feed(BARS), log))
    return log


@pytest.fixture
def memory(stores, clock):
    return MemoryManager("paper", stores=stores, clock=clock).sync


async def start(memory, log, bars=BARS):
    """One process: from the stored state to the end of the bars, or of the process."""
    with StateInStore(memory, "paper") as state:
        return await trade_on_paper(state.load("paper", SETTINGS), feed(bars), log, state)


async def test_killed_anywhere_it_ends_as_one_run(uninterrupted, memory):
    log = Log()
    await start(memory, log, BARS[:250])
    for save, moment, logged, failure in (
        (3, "before", None, None),
        (2, "after", None, None),
        (None, "", LOGGED_AT_A_BAR + 5, Killed()),
        (None, "", 2 * LOGGED_AT_A_BAR, Unavailable("gone")),
        (1, "after", None, None),
        (1, "unanswered", None, None),
    ):
        log.calls = 0
        log.fail_at(logged, failure)
        with contextlib.suppress(Killed, Unavailable):
            await start(KillingMemory(memory, save, moment), log)
    log.fail_at(None, None)
    await start(memory, log)
    assert log.decisions == uninterrupted.decisions
    assert log.outcomes == uninterrupted.outcomes


async def test_of_two_processes_the_second_to_save_ends(memory):
    first, second = StateInStore(memory, "paper"), StateInStore(memory, "paper")
    traders = [state.load("paper", SETTINGS) for state in (first, second)]
    await trade_on_paper(traders[0], feed(BARS[:2]), Log(), first)
    with pytest.raises(Conflict, match="another process changed the state of paper"):
        await trade_on_paper(traders[1], feed(BARS[:2]), Log(), second)
    assert StateInStore(memory, "paper").load("paper", SETTINGS).to_state() == traders[0].to_state()
