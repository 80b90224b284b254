"""Compares an agent's last week with its own past, without an assumption about how its figures vary.

The mean of the last seven days is compared with every mean of seven days in a row that ended before them, up to 90 days
back. Weeks are compared with weeks, so that a weekday's habits do not matter, and the range of past weeks already
contains the agent's slow ups and downs, as those of a market, which a control chart for independent days would report.
A figure has changed if its last week

- lies outside the range of the past weeks by `MARGIN` times the width of that range,
- and by four standard errors of the counting noise, which matters where the past hardly varied,
- and differs enough from the usual to matter: a quarter of a count, ten points of a share or an average.

Counts and shares are compared as the square root and the arcsine of the square root, so that their noise does not
depend on their size (Anscombe, Biometrika 35 (1948) 246-254). How often this reports agents that have not changed, and
how late it reports those that have: `benchmarks.self_comparison`.

Pure Python, so that importing this module does not load numpy.
"""

from collections.abc import Callable, Sequence
from math import asin, sqrt
from statistics import median
from typing import NamedTuple

WEEK = 7
MIN_DAYS = 5 * WEEK
"""With fewer days nothing is compared: a range of fewer than four past weeks says little."""
MARGIN = 1.0

_MIN_COUNT_CHANGE = 0.25
_MIN_SHARE_CHANGE = 0.10
_STANDARD_ERRORS = 4
# Both transformations give a count, or a share of n, this standard deviation (a share: divided by the root of n).
_NOISE = 0.5


class Change(NamedTuple):
    """A figure whose last week differs from its own past: `usual` is the median of past weeks, `recent` the last one.

    Both are per day: a count, or a share or an average from 0 to 1.
    """

    usual: float
    recent: float


def changed_count(counts: Sequence[float]) -> Change | None:
    """Compare daily counts, oldest first, one for each day. None if the last week does not differ."""
    weeks = _weekly_means(counts)
    noise = _NOISE / sqrt(WEEK)
    return _compare(weeks, [sqrt(one + 3 / 8) for one in weeks], noise, lambda usual: _MIN_COUNT_CHANGE * max(usual, 1))


def changed_share(shares: Sequence[tuple[int, int]]) -> Change | None:
    """Compare daily shares, each as (part, of how many), oldest first, one for each day.

    Weeks of none are left out. None if the last week does not differ.
    """
    return _changed(shares, lambda part, count: asin(sqrt((part + 3 / 8) / (count + 3 / 4))))


def changed_average(averages: Sequence[tuple[float, int]]) -> Change | None:
    """Compare averages of values from 0 to 1, each as (sum of the values, number of values), oldest first, by day.

    Weeks without values are left out. None if the last week does not differ.
    """
    # No values from 0 to 1 vary more than those that are 0 or 1.
    return _changed(averages, lambda total, count: total / count)


def _changed(daily: Sequence[tuple[float, int]], stabilized: Callable[[float, int], float]) -> Change | None:
    """Compare weekly means of (sum, number); `stabilized` gives a week's value as it is compared."""
    sums = _weekly_sums(daily)
    if not sums or not sums[-1][1]:
        return None
    weeks = [total / count if count else None for total, count in sums]
    stable = [stabilized(total, count) if count else None for total, count in sums]
    return _compare(weeks, stable, _NOISE / sqrt(sums[-1][1]), lambda _: _MIN_SHARE_CHANGE)


def _compare(
    weeks: Sequence[float | None],
    stable: Sequence[float | None],
    noise: float,
    least_change: Callable[[float], float],
) -> Change | None:
    """Compare the last week with those that ended before it began; `stable` are the weeks as they are compared."""
    past = [one for one in weeks[:-WEEK] if one is not None]
    reference = [one for one in stable[:-WEEK] if one is not None]
    recent, last = weeks[-1] if weeks else None, stable[-1] if stable else None
    if len(past) < MIN_DAYS - 2 * WEEK + 1 or recent is None or last is None:
        return None
    usual, low, high = median(past), min(reference), max(reference)
    outside = max(last - high, low - last)
    is_far = outside > MARGIN * (high - low) and outside >= _STANDARD_ERRORS * noise
    return Change(usual, recent) if is_far and abs(recent - usual) >= least_change(usual) else None


def _weekly_means(counts: Sequence[float]) -> list[float]:
    return [sum(counts[n - WEEK : n]) / WEEK for n in range(WEEK, len(counts) + 1)]


def _weekly_sums(daily: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """The sums of both numbers over each week."""
    weeks = (daily[n - WEEK : n] for n in range(WEEK, len(daily) + 1))
    return [(sum(value for value, _ in week), sum(count for _, count in week)) for week in weeks]
