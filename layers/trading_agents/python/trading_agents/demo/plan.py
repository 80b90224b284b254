"""The plan of a run: which cycles belong to which day, and which nightly jobs are due.

cycle   0        …        23 │ 24 …            one cycle per hour, cycle n on bar WARM_UP_BARS + n
day     ── 2026-07-23 ────── │ ── 2026-07-24   a cycle at 00:00 belongs to the day that begins
job                          ▲ of 2026-07-23
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from trading_agents import WARM_UP_BARS, Bars
from trading_agents.demo.errors import BarsError, CannotContinueError
from trading_agents.demo.progress import ReplayProgress, hour_text

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The part of a run for one day.

    Attributes:
        day: The UTC day.
        decide: Cycles whose decisions are to be logged.
        resolve: Cycles of this day whose outcomes come from bars of the day itself.
        late: Cycles of earlier days whose outcomes come from the first bar of this day.
        job: Whether the day is over and its nightly job is due.
    """

    day: date
    decide: range
    resolve: range
    late: range
    job: bool


def begin(bars: Bars, days: int, now: datetime) -> ReplayProgress:
    """Begin a replay whose last cycle is at the full hour before `now`.

    Raises:
        BarsError: there are too few bars for this many days.
    """
    needed = WARM_UP_BARS + days * 24
    if len(bars) < needed:
        most = max(0, (len(bars) - WARM_UP_BARS) // 24)
        raise BarsError(
            f"{days} days need {needed:,} bars, {WARM_UP_BARS} of them to warm up; there are {len(bars):,}: "
            + (f"ask for at most --days {most}" if most else "use a file with more bars")
        )
    return ReplayProgress.begin(bars=bars.fingerprint(), days=days, now=now)


def cycles_until(progress: ReplayProgress, bars: Bars, now: datetime) -> int:
    """Return the number of cycles by `now`, including those of earlier runs.

    Raises:
        CannotContinueError: the bars differ from those of the first run or have run out, or the clock went back.
    """
    if progress.bars != bars.fingerprint():
        raise CannotContinueError("there is a replay of other bars")
    cycles = (now - progress.started_at) // HOUR + 1
    available = len(bars) - WARM_UP_BARS
    if cycles > available:
        last = hour_text(progress.started_at + (available - 1) * HOUR)
        raise CannotContinueError(f"the replay that began on {progress.start[:10]} ran out of bars at {last}")
    if cycles < progress.cycles:
        raise CannotContinueError(f"the clock says {hour_text(now)}, before the last cycle of the replay")
    return cycles


def days_to_do(progress: ReplayProgress, cycles: int, now: datetime) -> Iterator[DayPlan]:
    """Yield what remains to be done until there are `cycles` cycles, day by day, oldest first."""
    started, today = progress.started_at, now.astimezone(UTC).date()
    day, first = started.date(), 0
    while day <= today:
        midnight = datetime.combine(day + DAY, datetime.min.time(), UTC)
        end = min(cycles, (midnight - started) // HOUR)
        plan = _plan(progress, day, range(first, end), is_over=day < today)
        if plan.decide or plan.job:
            yield plan
        day, first = day + DAY, end


def _plan(progress: ReplayProgress, day: date, cycles: range, *, is_over: bool) -> DayPlan:
    resolved = max(progress.cycles - 1, 0)
    return DayPlan(
        day=day,
        decide=range(max(cycles.start, progress.cycles), cycles.stop),
        resolve=range(max(cycles.start, resolved), cycles.stop - 1),
        late=range(max(cycles.start - 1, resolved), cycles.start) if cycles else range(0),
        job=is_over and day.isoformat() > progress.jobs_through,
    )
