"""With the state in the agent's own state: killed anywhere and started again, the log is that of one run."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory import Conflict, DecisionLogger, InvalidInput, MemoryManager, Unavailable, connect
from agent_memory.cli import main
from agent_memory.core.clock import SystemClock
from agent_memory.storage.factory import in_memory_stores
from tests.unit.trading_agents.paper.test_command import recent_bars
from tests.unit.trading_agents.paper_samples import Killed, KillingMemory, Log, feed, paper_bars, write_csv
from trading_agents.paper import PaperSettings, PaperTrader, StateInStore, trade_on_paper
from trading_agents.paper.state_in_store import FIELD

BARS = paper_bars(275)
DYNAMODB_ITEM_BYTES = 400_000


def memory_in(stores, dies_at=None, moment=""):
    return KillingMemory(MemoryManager("paper", stores=stores).sync, dies_at, moment)


async def start(memory, log, bars=BARS):
    """One process: from the stored state to the end of the bars, or of the process."""
    with StateInStore(memory, "paper") as state:
        return await trade_on_paper(state.load("paper", PaperSettings()), feed(bars), log, state)


@pytest.fixture(scope="module")
def uninterrupted():
    log = Log()
    asyncio.run(trade_on_paper(PaperTrader("paper"), feed(BARS), log))
    return log


def sqlite(folder):
    return connect(f"sqlite:///{folder / 'memory.db'}")


@pytest.mark.slow
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kills=st.lists(
        st.tuples(st.integers(1, 320), st.sampled_from(["log", "outage", "before", "after", "unanswered"])), max_size=3
    )
)
async def test_killed_anywhere_it_ends_as_one_run(uninterrupted, tmp_path_factory, kills):
    stores, log = sqlite(tmp_path_factory.mktemp("store")), Log()
    for call, moment in kills:
        memory, log.calls = memory_in(stores), 0
        log.fail_at(None, None)
        if moment in {"log", "outage"}:
            log.fail_at(call, Unavailable("gone") if moment == "outage" else Killed())
        else:
            memory.dies_at, memory.moment = call, moment
        with contextlib.suppress(Killed, Unavailable):
            await start(memory, log)
    log.fail_at(None, None)
    await start(memory_in(stores), log)
    assert log.decisions == uninterrupted.decisions
    assert log.outcomes == uninterrupted.outcomes


async def test_of_two_processes_the_second_to_save_ends(tmp_path):
    stores, log = sqlite(tmp_path), Log()
    memory = memory_in(stores)
    first, second = StateInStore(memory, "paper"), StateInStore(memory, "paper")
    traders = [state.load("paper", PaperSettings()) for state in (first, second)]
    await trade_on_paper(traders[0], feed(BARS[:3]), log, first)
    with pytest.raises(Conflict, match="another process changed the state of paper; use another --agent for each"):
        await trade_on_paper(traders[1], feed(BARS[:3]), log, second)
    await trade_on_paper(traders[0], feed(BARS[3:5]), log, first)
    assert memory_in(stores).load_state()["version"] == 5


async def test_other_fields_stay_and_the_bars_are_counted_once(tmp_path):
    stores = sqlite(tmp_path)
    MemoryManager("paper", stores=stores).sync.save_state({"mode": "careful", "configuration": {"a": 1}})
    assert await start(memory_in(stores), Log(), BARS[:4]) == 4
    assert await start(memory_in(stores), Log(), BARS[:6]) == 2
    data = memory_in(stores).load_state()["data"]
    assert (data["mode"], data["configuration"]) == ("careful", {"a": 1})
    assert set(data[FIELD]) == {"format", "sha256", "body"}


async def test_a_state_fits_into_an_item():
    stores, log = in_memory_stores(SystemClock()), Log()
    await start(memory_in(stores), log, paper_bars(420))
    assert len(json.dumps(memory_in(stores).load_state()["data"])) < DYNAMODB_ITEM_BYTES / 2


async def test_a_rejected_bar_is_forgotten(tmp_path):
    stores, log = sqlite(tmp_path), Log()
    await start(memory_in(stores), log, BARS[:252])
    log.calls = 0

    async def rejected(*_, **__):
        raise InvalidInput("timestamp", "is too late")

    log.log_decision, log.log_outcome = rejected, rejected
    with pytest.raises(InvalidInput, match="is too late"):
        await start(memory_in(stores), log, BARS[:253])
    with StateInStore(memory_in(stores), "paper") as state:
        assert state.load("paper", PaperSettings()).last_time == BARS[251].time


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ("text", "has no paper_trader of format paper-trader/1"),
        ({"format": "other"}, "has no paper_trader of format paper-trader/1"),
        ({"format": "paper-trader/1"}, "is damaged: its checksum does not match"),
        ({"format": "paper-trader/1", "body": "eA==", "sha256": "0"}, "is damaged: its checksum does not match"),
        ({"format": "paper-trader/1", "body": 3, "sha256": "0"}, "is damaged: its checksum does not match"),
    ],
)
async def test_a_damaged_state_is_refused(stored, message):
    memory = memory_in(in_memory_stores(SystemClock()))
    memory.save_state({FIELD: stored})
    with StateInStore(memory, "paper") as state, pytest.raises(InvalidInput, match=message):
        state.load("paper", PaperSettings())


async def test_it_serves_one_set_of_settings():
    memory = memory_in(in_memory_stores(SystemClock()))
    await start(memory, Log(), BARS[:2])
    with StateInStore(memory, "paper") as state:
        assert state.settings() == PaperSettings()
        with pytest.raises(
            InvalidInput, match=r"the state of paper was started with 1\.0, not 9\.0; use another --agent"
        ):
            state.load("paper", PaperSettings(costs_bp=9.0))


@pytest.mark.slow
def test_the_command_continues_from_the_store(tmp_path, capsys):
    url, path = f"sqlite:///{tmp_path / 'memory.db'}", tmp_path / "bars.csv"
    bars = recent_bars(262)
    arguments = ["paper", "--bars", str(path), "--agent", "paper", "--state-in-store", "--store", url]
    for count, new in ((256, 256), (262, 6)):
        write_csv(path, bars[:count])
        assert main(arguments) == 0
        assert capsys.readouterr().out.startswith(f"{new} new bars; ")
    logged = asyncio.run(DecisionLogger("paper", stores=connect(url)).query_decisions(limit=1_000))
    assert len(logged) == 12 * 6
    assert datetime.fromisoformat(logged[0]["timestamp"]).astimezone(UTC) <= datetime.now(UTC)


def test_a_state_is_in_a_file_or_in_the_store(tmp_path, capsys):
    write_csv(tmp_path / "bars.csv", BARS[:3])
    arguments = ["paper", "--bars", str(tmp_path / "bars.csv"), "--agent", "paper"]
    for more in ([], ["--state", str(tmp_path / "s"), "--state-in-store"]):
        assert main([*arguments, *more]) == 2
        assert "'--state': is needed; or --state-in-store" in capsys.readouterr().err
