"""What a run has to do: which cycles belong to which day, and which nights are due.

cycle   0        …        23 │ 24 …            one cycle an hour, cycle n on bar WARM_UP_BARS + n
day     ── 2026-07-23 ────── │ ── 2026-07-24   a cycle at 00:00 belongs to the day that begins
night                        ▲ of 2026-07-23
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from demo.errors import BarsError, DemoError
from demo.progress import ReplayProgress, hour_text
from trading_agents import WARM_UP_BARS, Bars

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START_OVER = "start over with `make local-reset`"


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One day's part of a run.

    Attributes:
        day: The UTC day.
        decide: Cycles whose decisions are to be logged.
        resolve: Cycles of this day whose outcome the day's own bars tell.
        late: Cycles of days before, whose outcome the day's first bar tells.
        night: Whether the day is over and its night is due.
    """

    day: date
    decide: range
    resolve: range
    late: range
    night: bool


def begin(bars: Bars, days: int, now: datetime) -> ReplayProgress:
    """Anchor a first run: its last cycle is at the full hour before `now`.

    Raises:
        BarsError: there are too few bars for so many days.
    """
    needed = WARM_UP_BARS + days * 24
    if len(bars) < needed:
        most = max(0, (len(bars) - WARM_UP_BARS) // 24)
        raise BarsError(
            f"{days} days need {needed:,} bars, {WARM_UP_BARS} of them to warm up; there are {len(bars):,}: "
            + (f"ask for at most --days {most}" if most else "give more bars")
        )
    return ReplayProgress.begin(bars=bars.fingerprint(), days=days, now=now)


def cycles_until(progress: ReplayProgress, bars: Bars, now: datetime) -> int:
    """How many cycles there are by `now`, those of earlier runs included.

    Raises:
        DemoError: the bars are others than those of the first run, or they have run out.
    """
    if progress.bars != bars.fingerprint():
        raise DemoError(f"the local cloud holds a replay of other bars: replay those again, or {START_OVER}")
    cycles = (now - progress.started_at) // HOUR + 1
    available = len(bars) - WARM_UP_BARS
    if cycles > available:
        last = hour_text(progress.started_at + (available - 1) * HOUR)
        raise DemoError(f"the replay that began on {progress.start[:10]} ran out of bars at {last}: {START_OVER}")
    if cycles < progress.cycles:
        raise DemoError(
            f"the clock says {hour_text(now)}, before the replay's last cycle: set it right, or {START_OVER}"
        )
    return cycles


def days_to_do(progress: ReplayProgress, cycles: int, now: datetime) -> Iterator[DayPlan]:
    """What is left to do for `cycles` cycles in all, day by day, oldest first."""
    started, today = progress.started_at, now.astimezone(UTC).date()
    day, first = started.date(), 0
    while day <= today:
        midnight = datetime.combine(day + DAY, datetime.min.time(), UTC)
        end = min(cycles, (midnight - started) // HOUR)
        plan = _plan(progress, day, range(first, end), is_over=day < today)
        if plan.decide or plan.night:
            yield plan
        day, first = day + DAY, end


def _plan(progress: ReplayProgress, day: date, cycles: range, *, is_over: bool) -> DayPlan:
    resolved = max(progress.cycles - 1, 0)
    return DayPlan(
        day=day,
        decide=range(max(cycles.start, progress.cycles), cycles.stop),
        resolve=range(max(cycles.start, resolved), cycles.stop - 1),
        late=range(max(cycles.start - 1, resolved), cycles.start) if cycles else range(0),
        night=is_over and day.isoformat() > progress.nights_through,
    )
