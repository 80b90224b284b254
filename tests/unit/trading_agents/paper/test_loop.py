"""Killed anywhere and started again, the log is that of an uninterrupted run."""

import asyncio
import contextlib
import gzip
import os
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory import Conflict, InvalidInput, Unavailable
from tests.unit.trading_agents.paper_samples import Killed, Log, feed, paper_bars, write_csv
from trading_agents.core.files import write_atomically
from trading_agents.paper import BarSource, PaperSettings, PaperTrader, StateFile, follow_bars, trade_on_paper

BARS = paper_bars(275)
SETTINGS = PaperSettings()


async def start(path, log, bars=BARS, settings=SETTINGS):
    """One process: from the state on disk to the end of the bars, or of the process."""
    with StateFile(path) as file:
        return await trade_on_paper(file.load("paper", settings), feed(bars), log, file)


@pytest.fixture(autouse=True)
def no_fsync(monkeypatch):
    """Only the process is killed here, not the machine."""
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    log = Log()
    asyncio.run(start(tmp_path_factory.mktemp("uninterrupted") / "state", log))
    return log


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.tuples(st.integers(1, 320), st.booleans()), max_size=3))
async def test_killed_while_logging(uninterrupted, tmp_path_factory, kills):
    path, log = tmp_path_factory.mktemp("killed") / "state", Log()
    for call, is_outage in kills:
        log.calls = 0
        log.fail_at(call, Unavailable("gone") if is_outage else Killed())
        try:
            await start(path, log)
        except (Killed, Unavailable):
            assert log.calls >= call
    log.fail_at(None, None)
    await start(path, log)
    assert log.decisions == uninterrupted.decisions
    assert log.outcomes == uninterrupted.outcomes


@pytest.mark.slow
@pytest.mark.parametrize("bar", [0, 249, 250, 251, 260])
@pytest.mark.parametrize("moment", ["before writing", "before renaming", "after renaming"])
async def test_killed_while_the_state_is_written(uninterrupted, tmp_path, monkeypatch, bar, moment):
    path, log, written = tmp_path / "state", Log(), 0

    def write(target, content):
        nonlocal written
        written += 1
        if written == bar + 1 and moment == "before writing":
            raise Killed
        if written == bar + 1 and moment == "before renaming":
            target.with_name(".state.left").write_bytes(content[: len(content) // 2])
            raise Killed
        write_atomically(target, content)
        if written == bar + 1:
            raise Killed

    monkeypatch.setattr("trading_agents.core.files.write_atomically", write)
    with pytest.raises(Killed):
        await start(path, log)
    await start(path, log)
    assert (log.decisions, log.outcomes) == (uninterrupted.decisions, uninterrupted.outcomes)


async def test_an_outage_loses_nothing_on_a_live_feed(uninterrupted, tmp_path):
    """The feed does not repeat bars; the same trader continues."""
    log, bars = Log(), feed(BARS)
    with StateFile(tmp_path / "state") as file:
        trader = file.load("paper", SETTINGS)
        log.fail_at(40, Unavailable("gone"))
        with pytest.raises(Unavailable):
            await trade_on_paper(trader, bars, log, file)
        rest = BARS[BARS.index(next(bar for bar in BARS if bar.time == trader.last_time)) + 1 :]
        await trade_on_paper(trader, feed(rest), log, file)
    assert (log.decisions, log.outcomes) == (uninterrupted.decisions, uninterrupted.outcomes)


async def test_known_bars_are_skipped(tmp_path):
    log = Log()
    assert await start(tmp_path / "state", log, BARS[:260]) == 260
    calls = log.calls
    assert await start(tmp_path / "state", log, BARS[:260]) == 0
    assert log.calls == calls + 12  # those of the last bar, again
    assert await start(tmp_path / "state", log) == len(BARS) - 260


@pytest.mark.slow
async def test_other_bars_for_the_same_time_are_a_conflict(tmp_path):
    log = Log()
    await start(tmp_path / "one", log)
    with pytest.raises(Conflict):
        await start(tmp_path / "other", log, paper_bars(275, seed=4))


async def test_a_state_serves_one_process_one_agent_and_one_set_of_settings(tmp_path):
    path = tmp_path / "state"
    await start(path, Log(), BARS[:3])
    with StateFile(path) as file:
        with pytest.raises(Conflict, match=r"another process uses .*state; use another --state for each"):
            StateFile(path)
        with pytest.raises(InvalidInput, match=r"agent: .* belongs to paper; use another --state for other"):
            file.load("other", SETTINGS)
        with pytest.raises(InvalidInput, match=r"costs_bp: .* was started with 1\.0, not 2\.0; use another --state"):
            file.load("paper", PaperSettings(costs_bp=2.0))
        assert file.load("paper", SETTINGS).last_time == BARS[2].time


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1] + b" ", "is damaged: its checksum does not match"),
        (lambda _: b"other", "is not the state of a paper trader of format paper-trader/1"),
    ],
)
async def test_a_damaged_state_is_refused(tmp_path, damage, message):
    path = tmp_path / "state"
    await start(path, Log(), BARS[:2])
    path.write_bytes(damage(path.read_bytes()))
    with StateFile(path) as file, pytest.raises(InvalidInput, match=message):
        file.load("paper", SETTINGS)


def test_the_folder_of_a_state_must_exist(tmp_path):
    with pytest.raises(InvalidInput, match=r"state: the folder .* does not exist"):
        StateFile(tmp_path / "none" / "state")


@pytest.mark.parametrize("error", [InvalidInput("timestamp", "is too late"), Conflict("another decision")])
async def test_the_state_forgets_a_bar_that_the_store_rejects(uninterrupted, tmp_path, error):
    path, log = tmp_path / "state", Log()
    await start(path, log, BARS[:260])

    class Rejecting(Log):
        async def log_decision(self, *_, **settings):
            if settings["decision_id"] in log.decisions:
                return settings["decision_id"]  # of the last bar, again
            raise error

        async def log_outcome(self, decision_id, *_, **settings):
            if (decision_id, settings.get("horizon")) not in log.outcomes:
                raise error

    with pytest.raises(type(error)):
        await start(path, Rejecting())
    with StateFile(path) as file:
        assert file.load("paper", SETTINGS).last_time == BARS[259].time
    await start(path, log)
    assert (log.decisions, log.outcomes) == (uninterrupted.decisions, uninterrupted.outcomes)


async def test_a_bar_that_is_not_over_is_refused_before_anything_is_saved(tmp_path):
    log, bar = Log(), BARS[2]
    with StateFile(tmp_path / "state") as file:
        trader = file.load("paper", SETTINGS)
        clock = lambda: bar.time.timestamp() + 3_599  # noqa: E731
        with pytest.raises(InvalidInput, match=r"time: the bar of .* is not over: it lasts 3600 s"):
            await trade_on_paper(trader, feed(BARS[:4]), log, file, clock=clock)
    with StateFile(tmp_path / "state") as file:
        assert file.load("paper", SETTINGS).last_time == BARS[1].time


async def test_a_state_of_before_is_continued(tmp_path):
    """It has the state after its last bar, and no bar beside it."""
    path, log, trader = tmp_path / "state", Log(), PaperTrader("paper", SETTINGS)
    await trade_on_paper(trader, feed(BARS[:255]), log)
    with StateFile(path) as file:
        file.save(trader)
    assert await start(path, log, BARS[:260]) == 5


def in_milliseconds(path, bars):
    """Write bars with epoch milliseconds between semicolons, as another exporter would."""
    lines = ["open_time;open;high;low;close;volume"]
    for bar in bars:
        values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        lines.append(";".join([str(int(bar.time.timestamp() * 1_000)), *map(repr, values)]))
    path.write_text("\r\n".join(lines) + "\r\n")


def compressed(path, bars):
    write_csv(path, bars)
    path.write_bytes(gzip.compress(path.read_bytes()))


class Market:
    """A file as pollers write it, at a time: an open candle, a bar of the future, changes, another format."""

    def __init__(self, path):
        self.path = path

    def poll(self, count, *, traded, minutes, chance):
        now = BARS[count].time.timestamp() + 60 * minutes
        bars = list(BARS[:count])
        candle = replace(BARS[count], close=BARS[count].open, high=BARS[count].open * 1.01, low=BARS[count].low)
        rows = [bars[: count // 2] if chance.random() < 0.1 else bars, [candle]]
        if chance.random() < 0.5:
            rows.append([replace(candle, time=candle.time + timedelta(hours=chance.choice([1, 5])))])
        if chance.random() < 0.5 and traded and len(rows[0]) == count:
            n = chance.randrange(max(0, traded - 20), traded)
            rows[0] = [*bars[:n], replace(bars[n], high=bars[n].high * 1.5), *bars[n + 1 :]]
        if chance.random() < 0.3:
            rows.insert(1, rows[0][-2:])
        write = chance.choice([write_csv, write_csv, in_milliseconds, compressed])
        write(self.path, [bar for part in rows for bar in part][:: chance.choice([1, -1])])
        os.utime(self.path, (now, now))
        return now


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.lists(st.integers(1, 200), max_size=3))
async def test_over_any_file_it_ends_as_over_the_clean_one(uninterrupted, tmp_path_factory, chance, kills):
    folder = tmp_path_factory.mktemp("market")
    market, log = Market(folder / "bars.csv"), Log()
    polls, traded = sorted(chance.sample(range(1, len(BARS)), 6)), 0
    for count in [*polls, len(BARS) - 1, None]:
        if count is None:
            write_csv(market.path, BARS)
            now = BARS[-1].time.timestamp() + 3_600
            os.utime(market.path, (now, now))
        else:
            now = market.poll(count, traded=traded, minutes=chance.randrange(60), chance=chance)
        # A clock that was put back sees fewer bars, and none of them twice.
        at = partial(float, now - chance.choice([0, 0, 0, 7_200]) if count else now)
        log.calls = 0
        log.fail_at(kills.pop() if kills and count else None, Killed())
        with contextlib.suppress(Killed), StateFile(folder / "state") as file:
            trader = file.load("paper", SETTINGS)
            bars = follow_bars(BarSource(market.path), follow=False, known=trader.known_bars, clock=at)
            traded = 0 if trader.last_time is None else 1 + (trader.last_time - BARS[0].time) // timedelta(hours=1)
            await trade_on_paper(trader, bars, log, file, clock=at)
    assert (log.decisions, log.outcomes) == (uninterrupted.decisions, uninterrupted.outcomes)
