"""Bars of a file that is appended to, rewritten, replaced or open at its end: nothing unfinished is yielded."""

import asyncio
import contextlib
import gzip
import os
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.trading_agents.paper_samples import paper_bars, write_csv
from trading_agents.bars import BarsError
from trading_agents.paper import BarSource, follow_bars

BARS = paper_bars(30)
HOUR = timedelta(hours=1)


class Exchange:
    """A file, a clock that a test moves, and a follower in the background."""

    def __init__(self, path, now=None):
        self.path = path
        self.now = BARS[10].time.timestamp() if now is None else now
        self.notices, self.bars = [], []
        self._task, self._looks, self._enough, self._looked = None, 0, 0, asyncio.Event()

    def write(self, bars, **changes):
        write_csv(self.path, [replace(bar, **changes) for bar in bars] if changes else bars)
        self.touch()

    def touch(self):
        os.utime(self.path, (self.now, self.now))

    def source(self):
        return BarSource(self.path)

    async def read(self, known=()):
        feed = follow_bars(self.source(), follow=False, known=known, clock=lambda: self.now, notify=self.notices.append)
        return [bar async for bar in feed]

    async def seen(self):
        """Return the bars that the follower has yielded by now."""
        if self._task is None:
            self._task = asyncio.create_task(self.follow())
        self._enough, self._looked = self._looks + 3, asyncio.Event()
        looked = asyncio.create_task(self._looked.wait())
        await asyncio.wait([looked, self._task], return_when=asyncio.FIRST_COMPLETED)
        looked.cancel()
        if self._task.done():
            self._task.result()
        return self.bars

    async def follow(self):
        feed = follow_bars(self.source(), poll_seconds=0.001, clock=self._clock, notify=self.notices.append)
        async for bar in feed:
            self.bars.append(bar)

    def _clock(self):
        self._looks += 1
        if self._looks >= self._enough:
            self._looked.set()
        return self.now

    async def end(self):
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, BarsError):
                await self._task


@pytest.fixture
async def exchange(tmp_path):
    exchange = Exchange(tmp_path / "bars.csv")
    yield exchange
    await exchange.end()


async def test_an_open_candle_is_yielded_when_it_is_over_and_has_its_last_prices(exchange):
    exchange.write([*BARS[:10], replace(BARS[10], close=BARS[10].open)])
    exchange.now += 1800
    assert await exchange.seen() == BARS[:10]
    exchange.touch()
    exchange.now += 1800
    assert await exchange.seen() == BARS[:10], "written before its end: the prices of a candle that was open"
    exchange.write(BARS[:11])
    assert await exchange.seen() == BARS[:11]
    assert exchange.notices == []


async def test_a_bar_of_the_future_waits_and_is_told(exchange):
    exchange.write([*BARS[:10], BARS[15]])
    assert await exchange.seen() == BARS[:10]
    (line,) = exchange.notices
    assert line.startswith("bars.csv, line 12: begins after now; not traded before it is over")
    exchange.now += 3600
    exchange.write(BARS[:11])
    assert await exchange.seen() == BARS[:11]


async def test_an_unfinished_bar_is_reported_at_the_end_of_a_file(exchange):
    exchange.write(BARS[:11])
    assert await exchange.read() == BARS[:10]
    assert exchange.notices == ["bars.csv, line 12: is not over, or was written before its end; not traded"]


async def test_an_unfinished_bar_may_be_half_empty(exchange):
    exchange.write(BARS[:10])
    with exchange.path.open("a") as file:
        file.write(f"{BARS[10].time.isoformat()},100,,,,\n")
    exchange.touch()
    assert await exchange.read() == BARS[:10]


async def test_minutes_in_a_file_last_a_minute_and_hours_an_hour_whatever_was_said(exchange):
    exchange.write(BARS[:11])
    exchange.now += 120
    exchange.touch()
    feed = follow_bars(exchange.source(), bar_seconds=60, follow=False, clock=lambda: exchange.now)
    assert [bar async for bar in feed] == BARS[:10]


@pytest.mark.parametrize("count", [1, 5, 9])
async def test_a_file_that_is_rewritten_at_each_poll_goes_on(exchange, count):
    exchange.write(BARS[:count])
    assert await exchange.seen() == BARS[:count]
    exchange.path.write_text("")
    assert await exchange.seen() == BARS[:count]
    exchange.path.write_text("timestamp,op")
    assert await exchange.seen() == BARS[:count]
    exchange.write(BARS[3:10])
    assert await exchange.seen() == BARS[:count] + BARS[max(3, count) : 10]


async def test_a_file_may_be_removed_and_replaced(exchange, tmp_path):
    exchange.write(BARS[:5])
    assert await exchange.seen() == BARS[:5]
    exchange.path.unlink()
    assert await exchange.seen() == BARS[:5]
    write_csv(tmp_path / "new", BARS[:8])
    (tmp_path / "new").replace(exchange.path)
    assert await exchange.seen() == BARS[:8]


async def test_a_line_counts_when_its_line_break_is_written(exchange):
    exchange.write(BARS[:5])
    text = exchange.path.read_text()
    exchange.path.write_text(text[:-3])
    assert await exchange.seen() == BARS[:4]
    exchange.path.write_text(text)
    assert await exchange.seen() == BARS[:5]


async def test_changed_and_late_bars_are_reported_once_and_not_traded(exchange):
    exchange.write(BARS[:3] + BARS[4:8])
    assert await exchange.seen() == BARS[:3] + BARS[4:8]
    changed = replace(BARS[5], open=BARS[5].low)
    exchange.write([*BARS[:5], changed, *BARS[6:9]])
    assert await exchange.seen() == BARS[:3] + BARS[4:9]
    exchange.write([*BARS[:5], changed, *BARS[6:10]])
    assert await exchange.seen() == BARS[:3] + BARS[4:10]
    first, second = exchange.notices
    assert re.match(r"bars.csv, line 7: the bar of .* has other prices than those that were traded", first)
    assert re.match(r"bars.csv, line 5: the bar of .* is earlier than the last traded bar.*; not traded", second)


async def test_of_a_repeated_bar_the_later_line_counts(exchange):
    exchange.write([*BARS[:6], replace(BARS[6], close=BARS[6].low), BARS[6], *BARS[7:9], BARS[8]])
    assert await exchange.read() == BARS[:9]


async def test_what_was_traded_before_a_restart_is_known(exchange):
    exchange.write([*BARS[:4], replace(BARS[4], high=BARS[4].high * 2), *BARS[5:8]])
    assert await exchange.read(known=BARS[2:6]) == BARS[6:8]
    assert len(exchange.notices) == 1
    assert "line 6" in exchange.notices[0]


async def test_a_compressed_file_is_followed(exchange):
    exchange.write(BARS[:5])
    plain = exchange.path.read_bytes()
    exchange.path.write_bytes(gzip.compress(plain)[:-9])
    assert await exchange.seen() == []
    exchange.path.write_bytes(gzip.compress(plain))
    assert await exchange.seen() == BARS[:5]
    assert "waiting for a change of the file" in exchange.notices[0]


async def test_a_file_that_stays_wrong_ends_the_feed_with_its_line(exchange):
    exchange.write(BARS[:5])
    exchange.path.write_text(exchange.path.read_text().replace(repr(BARS[2].high), "x"))
    with pytest.raises(BarsError, match=r"bars.csv, line 4: column 'high': 'x' is not a number"):
        await exchange.follow()


async def test_bid_and_ask_are_kept(tmp_path):
    sides = [f"{side}_{price}" for side in ("bid", "ask") for price in ("open", "high", "low", "close")]
    path = tmp_path / "bars.csv"
    path.write_text(f"date,{','.join(sides)}\n2024-01-02,1,2,1,2,1.5,2.5,1.5,2.25\n")
    (bar,) = [bar async for bar in follow_bars(BarSource(path), follow=False)]
    assert (bar.open, bar.spread_open, bar.spread_close) == (1.25, 0.5, 0.25)
