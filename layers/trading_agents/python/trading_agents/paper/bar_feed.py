"""`follow_bars`: the bars of a file that are over, and later those that another process adds.

The file is read again when it changes, and its bars are taken by their times: it may be appended to, rewritten or
replaced, repeat bars and hold a candle that is still open. What cannot be traded is reported and left out:

    unfinished     a bar that ends after now, or that was written before its end: taken when it is over
    changed        a bar with other prices than those that were traded: the traded ones stand
    late           a bar before the last traded one: not traded
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from trading_agents.bars import BarFile, BarsError, NoBarsError, Now, Series, read_bars, spacing_seconds
from trading_agents.paper.bars import PaperBar, paper_bars

_PATIENCE_POLLS = 60
_REMEMBERED_BARS = 512
_TOLERANCE = 1e-9

Clock = Callable[[], float]
Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BarSource:
    """A file of bars and how to read it; see `trading_agents.bars.read_bars`.

    Attributes:
        path: of the file.
        symbol: to read of a file with several.
        time_zone: of times without UTC offset.
        splits: that the prices are not adjusted for, as `read_bars` takes them.
        settle_seconds: how long after its end a bar is taken, for sources that correct it once more.
    """

    path: Path
    symbol: str | None = None
    time_zone: str | None = None
    splits: str | None = None
    settle_seconds: float = 0.0

    def read(self, now: float, bar_seconds: float, *, is_growing: bool) -> BarFile:
        """Return the bars that are over. `BarsError` if the file cannot be used."""
        try:
            written_at = self.path.stat().st_mtime
        except OSError as error:
            raise BarsError(f"cannot read {self.path}: {error.strerror or error}") from error
        return read_bars(
            self.path,
            symbol=self.symbol,
            time_zone=self.time_zone,
            splits=self.splits,
            on_repeat="last",
            now=Now(now - self.settle_seconds, bar_seconds, written_at),
            is_growing=is_growing,
        )

    def symbol_and_distance(self, now: float, *, is_growing: bool) -> tuple[str, int | None]:
        """Return the symbol that the file names, and the most common distance of its bars in seconds, if there are two.

        Raises:
            BarsError: the file cannot be used.
        """
        file = self.read(now, 0.0, is_growing=is_growing)
        named = next((name for name in file.series if name), "")
        return named, spacing_seconds(file.one(self.symbol).bars.time) if file.series else None

    def signature(self) -> tuple[int, ...]:
        """Return what differs after the file was changed; empty while there is no file."""
        try:
            status = self.path.stat()
        except OSError:
            return ()
        return status.st_mtime_ns, status.st_size, status.st_ino


async def follow_bars(
    source: BarSource,
    *,
    bar_seconds: float = 3_600.0,
    follow: bool = True,
    known: Sequence[PaperBar] = (),
    poll_seconds: float = 1.0,
    clock: Clock = time.time,
    notify: Notify = lambda _: None,
) -> AsyncIterator[PaperBar]:
    """Yield the bars of a file that are over, in order of time.

    Args:
        source: the file.
        bar_seconds: duration of a bar, at least.
        follow: whether to wait for more bars; else it ends with the file.
        known: the newest bars that were traded before; only later ones are yielded.
        poll_seconds: interval between looks at the file.
        clock: returns the time in seconds since the epoch.
        notify: takes a line about what is left out.

    Raises:
        BarsError: the file cannot be used; while it is followed, only if it stays so for a minute of polls.
    """
    feed = _Feed(source.path.name, known, notify)
    signature: tuple[int, ...] | None = None
    due, failures = float("inf"), 0
    while True:
        now, current = clock(), source.signature()
        if current != signature or now >= due or failures:
            failures = failures if current == signature else 0
            signature = current
            try:
                file = await asyncio.to_thread(source.read, now, bar_seconds, is_growing=follow)
                failures = 0
                due = min(
                    (one.ends + source.settle_seconds for one in file.unfinished if one.ends > now),
                    default=float("inf"),
                )
                for bar in feed.new_bars(file, source.symbol, now, is_last=not follow):
                    yield bar
            except NoBarsError:
                if not follow:
                    raise
            except BarsError as error:
                failures += 1
                if not follow or failures >= _PATIENCE_POLLS:
                    raise
                if failures == 1:
                    notify(f"{error}; waiting for a change of the file")
        if not follow:
            return
        await asyncio.sleep(poll_seconds)


async def look_at(
    source: BarSource, *, follow: bool, poll_seconds: float = 1.0, clock: Clock = time.time
) -> tuple[str, int | None]:
    """Return the symbol that a file names, and the distance of its bars; with `follow` wait until it has two bars.

    Raises:
        BarsError: the file cannot be used.
    """
    while True:
        try:
            named, distance = await asyncio.to_thread(source.symbol_and_distance, clock(), is_growing=follow)
        except NoBarsError:
            if not follow:
                raise
            named, distance = "", None
        if distance is not None or not follow:
            return named, distance
        await asyncio.sleep(poll_seconds)


class _Feed:
    """Which bars were yielded, and what was reported of the others."""

    def __init__(self, name: str, known: Sequence[PaperBar], notify: Notify) -> None:
        self._name, self._notify = name, notify
        self._known = {bar.time: bar for bar in known}
        self._last = max(self._known, default=None)
        self._told: set[tuple[str, datetime]] = set()

    def new_bars(self, file: BarFile, symbol: str | None, now: float, *, is_last: bool) -> Iterator[PaperBar]:
        """Yield the bars that are later than all before, and tell what is left out."""
        for one in file.unfinished:
            if one.begins > now:
                self._tell_each(one.begins, f"{one.where}: begins after now; not traded before it is over. Is it in "
                                            "another time zone? Then pass --time-zone")  # fmt: skip
            elif is_last:
                self._tell_each(one.begins, f"{one.where}: is not over, or was written before its end; not traded")
        if not file.series:
            return
        series = file.one(symbol)
        earlier, later = self._split(series)
        self._tell_changes(earlier, series)
        for bar in later:
            self._remember(bar)
            yield bar

    def _split(self, series: Series) -> tuple[list[tuple[int, PaperBar]], list[PaperBar]]:
        earlier, later = [], []
        first = min(self._known, default=None)
        for row, bar in paper_bars(series.bars, since=first):
            if self._last is None or bar.time > self._last:
                later.append(bar)
            else:
                earlier.append((row, bar))
        return earlier, later

    def _remember(self, bar: PaperBar) -> None:
        self._known[bar.time] = bar
        self._last = bar.time
        if len(self._known) > _REMEMBERED_BARS:
            del self._known[next(iter(self._known))]

    def _tell_changes(self, earlier: Sequence[tuple[int, PaperBar]], series: Series) -> None:
        changed, late = [], []
        for row, bar in earlier:
            known = self._known.get(bar.time)
            if known is None:
                late.append((row, bar))
            elif _differ(known, bar):
                changed.append((row, bar))
        self._tell("changed", changed, series, "has other prices than those that were traded, which stand")
        self._tell("late", late, series, "is earlier than the last traded bar, and was not there before; not traded")

    def _tell(self, kind: str, rows: Sequence[tuple[int, PaperBar]], series: Series, words: str) -> None:
        """Tell once about bars: the first of them, and how many there are."""
        new = [(row, bar) for row, bar in rows if (kind, bar.time) not in self._told]
        if new:
            self._told.update((kind, bar.time) for _, bar in new)
            row, bar = new[0]
            more = f" ({len(new)} such bars)" if len(new) > 1 else ""
            self._notify(
                f"{self._name}, line {series.places[row]}: the bar of {bar.time:%Y-%m-%d %H:%M} UTC {words}{more}"
            )

    def _tell_each(self, begins: float, line: str) -> None:
        key = ("unfinished", datetime.fromtimestamp(begins, UTC))
        if key not in self._told:
            self._told.add(key)
            self._notify(line)


def _differ(one: PaperBar, other: PaperBar) -> bool:
    """Whether two bars of one time have other prices, beyond rounding."""
    names = ("open", "high", "low", "close")
    return any(abs(getattr(one, name) / getattr(other, name) - 1) > _TOLERANCE for name in names)
