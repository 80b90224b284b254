"""Splits: adjusted prices where a file has them, `--splits`, and the jump of a split that nothing accounts for."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from trading_agents.bars.errors import BarsError
from trading_agents.core.arrays import FloatArray, TimeArray

_RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100)
_NEAR = 0.06
_PERSISTS_BARS = 5
_TYPICAL_MOVES = 8
_SPLIT_FROM = 0.2
_PAIR = re.compile(r"(\d{4}-\d{2}-\d{2})\s*=\s*(\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?")


@dataclass(frozen=True, slots=True)
class Split:
    """A split: from this day on, `ratio` shares stand for one before."""

    day: date
    ratio: float


def parse_splits(text: str | None) -> tuple[Split, ...] | None:
    """Return the splits of an option: `2020-08-31=4` or `2014-06-09=7:1,2020-08-31=4:1`; `none` for no splits.

    Returns None if nothing is said about splits.

    Raises:
        BarsError: the text is not written so.
    """
    if text is None:
        return None
    if text.strip().lower() == "none":
        return ()
    splits = []
    for part in text.split(","):
        match = _PAIR.fullmatch(part.strip())
        ratio = float(match.group(2)) / float(match.group(3) or 1) if match and float(match.group(3) or 1) else 0.0
        try:
            day = date.fromisoformat(match.group(1)) if match else None
        except ValueError:
            day = None
        if day is None or ratio <= 0:
            raise BarsError(f"--splits: {part.strip()!r:.40} is not written as 2020-08-31=4, or none for no splits")
        splits.append(Split(day, ratio))
    return tuple(sorted(splits, key=lambda split: split.day))


def factors_of(splits: tuple[Split, ...], time: TimeArray) -> FloatArray:
    """Return the factor on the price of each bar: 1 after the last split, 1/ratio before it."""
    days = time.astype("datetime64[D]")
    factors = np.ones(len(time))
    for split in splits:
        factors[days < np.datetime64(split.day)] /= split.ratio
    return factors


def split_part(factors: FloatArray) -> FloatArray:
    """Return the part of adjustment factors that comes from splits, by which volumes are divided.

    A factor changes at a split by a fifth or more, and by less at a dividend, which does not change volumes.
    """
    steps = factors[:-1] / factors[1:]
    jumps = np.where(np.abs(np.log(steps)) >= np.log1p(_SPLIT_FROM), steps, 1.0)
    return np.concatenate([np.cumprod(jumps[::-1])[::-1], [1.0]])


def is_event_column(values: FloatArray) -> bool:
    """Whether a column of split factors is 1 but on the days of splits, instead of cumulative."""
    changed = values != 1
    return bool(changed.any() and values[0] == 1 and values[-1] == 1 and not (changed[1:] & changed[:-1]).any())


def cumulative(events: FloatArray) -> FloatArray:
    """Return cumulative price factors from a column that has the ratio of a split on its day and 1 else."""
    later = np.concatenate([events[1:], [1.0]])
    return 1 / np.cumprod(later[::-1])[::-1]


def find_split(opened: Any, close: Any) -> tuple[int, str] | None:
    """Return the first bar whose open is near a fraction of the close before, and the fraction; None if there is none.

    It is one only if the prices stay there, and if it is many times the typical move from close to open.
    """
    if len(close) <= 1:
        return None
    gaps = np.log(opened[1:] / close[:-1])
    typical = np.median(np.abs(np.diff(np.log(close))))
    for index in np.flatnonzero(np.abs(gaps) > max(np.log(2) - _NEAR, _TYPICAL_MOVES * typical)):
        bar = int(index) + 1
        before, after = close[max(0, bar - _PERSISTS_BARS) : bar], close[bar : bar + _PERSISTS_BARS]
        lasting = float(np.log(np.median(after) / np.median(before)))
        for ratio in _RATIOS:
            for sign, words in ((-1, f"1/{ratio}"), (1, f"{ratio} times")):
                expected = sign * np.log(ratio)
                if abs(gaps[index] - expected) < _NEAR and abs(lasting - expected) < 2 * _NEAR + 2 * typical:
                    return bar, words
    return None
