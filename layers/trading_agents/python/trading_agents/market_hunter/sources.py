"""Sources as plug-ins: any function of the market data that gives a reading from -1 (falls) to 1 (rises).

A reading of None says that the source does not know. A function may be async. Market data is a dictionary: `context`
(a `MarketContext`, any name, or a dictionary such as `{"trend": "bullish", "volatility": "high"}`), `close` (prices,
oldest first, the newest known last), `timestamp` (an aware datetime) where it is not now, and whatever else a team's
own sources read.

A source may forecast something else than the price's direction: it names the question in an attribute `answers`, its
reading says yes above 0 and no below, and the market data's `happened` says what the newest data answered,
`{"large_move": True}`.
"""

import csv
import math
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from agent_memory.core.errors import InvalidInput

MarketData = Mapping[str, Any]
SourceFunction = Callable[[MarketData], float | Awaitable[float | None] | None]

DIRECTION = "direction"
"""The question whether the price rises, which the price itself answers."""

_STRETCH = 3.0
"""Standard deviations that make a full reading."""

_USUAL_TIMES = 10
"""What is usual is told by so many times the bars that are looked at."""


class MarketContext(StrEnum):
    """Names for what the market is like; a team may use its own."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    SIDEWAYS = "sideways"
    VOLATILE = "volatile"


def name_of(context: Any) -> str:
    """The text of a context: an enumeration's value, the text itself, or a dictionary as `trend=up:volatility=high`."""
    if isinstance(context, Mapping):
        context = ":".join(f"{name}={context[name]}" for name in sorted(context))
    name = getattr(context, "value", context)
    if not isinstance(name, str) or not name:
        raise InvalidInput("context", f"{context!r:.40} has no name")
    return name


def logged_as(context: Any) -> Any:
    """A context as decisions carry it: a dictionary as it is, anything else by its name."""
    return dict(context) if isinstance(context, Mapping) else name_of(context)


def question_of(source: SourceFunction) -> str:
    """What a source forecasts; `direction`, that of the price, unless it says otherwise."""
    return str(getattr(source, "answers", DIRECTION))


def claim_of(source: SourceFunction, reading: float) -> dict[str, Any]:
    """What a reading forecasts: `direction` (`long` or `short`), or `forecast` and whether it is `expected`."""
    question = question_of(source)
    if question == DIRECTION:
        return {"direction": "long" if reading > 0 else "short"}
    return {"forecast": question, "expected": reading > 0}


def moment_of(market_data: MarketData) -> datetime:
    """When the market data was seen: its `timestamp`, or now."""
    at = market_data.get("timestamp")
    if at is None:
        return datetime.now(UTC)
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise InvalidInput("timestamp", f"{at!r:.40} is not a datetime with an offset")
    return at


def momentum(bars: int) -> SourceFunction:
    """The last bars' return in units of what it usually is: what rose goes on rising."""

    def read(market_data: MarketData) -> float | None:
        returns = _returns(market_data.get("close", ())[-_USUAL_TIMES * bars - 1 :])
        if len(returns) < 2 * bars:
            return None
        return _stretched(sum(returns[-bars:]), 0.0, pstdev(returns) * math.sqrt(bars))

    return read


def mean_reversion(bars: int) -> SourceFunction:
    """How far the last price lies below the mean of the last bars: what is stretched comes back."""

    def read(market_data: MarketData) -> float | None:
        prices = market_data.get("close", ())[-bars:]
        return None if len(prices) < bars else _stretched(-prices[-1], -fmean(prices), pstdev(prices))

    return read


def breakout(bars: int) -> SourceFunction:
    """Full where the last price leaves the range of the bars before it, 0 inside."""

    def read(market_data: MarketData) -> float | None:
        prices = market_data.get("close", ())[-bars - 1 :]
        if len(prices) <= bars:
            return None
        *before, last = prices
        return 1.0 if last > max(before) else -1.0 if last < min(before) else 0.0

    return read


PRICE_SOURCES: Mapping[str, SourceFunction] = {
    "momentum_5": momentum(5),
    "momentum_20": momentum(20),
    "mean_reversion_5": mean_reversion(5),
    "mean_reversion_20": mean_reversion(20),
    "breakout_10": breakout(10),
    "breakout_40": breakout(40),
}
"""Sources that need nothing but prices."""


class CsvSeries:
    """A source from a file: how unusual the last value up to the market data's time is.

    The reading is (value - mean) / (3 × standard deviation) over the last `window` values up to then, from -1 to 1; it
    is None while fewer are known. With `contrarian` it is turned.

    Args:
        path: of a CSV file with a header; `.gz` is not read.
        value: name of the column with numbers.
        time: name of the column with ISO 8601 times or dates, taken as UTC where they have no offset; rising.
        window: how many values are usual.
        contrarian: whether high values speak for falling prices.
        delay_seconds: how long after its time a value is known.

    Raises:
        InvalidInput: the file has no such column, or a value or time that is none; names the line.
    """

    def __init__(
        self,
        path: Path | str,
        value: str,
        *,
        time: str = "timestamp",
        window: int = 30,
        contrarian: bool = False,
        delay_seconds: float = 0.0,
    ) -> None:
        if window <= 1:
            raise InvalidInput("window", f"{window!r} is not 2 or more")
        self._window, self._sign = window, -1.0 if contrarian else 1.0
        self._times: list[float] = []
        self._values: list[float] = []
        with Path(path).open(encoding="utf-8", newline="") as file:
            for line, row in enumerate(csv.DictReader(file), start=2):
                seen, known = _parsed(row, time, value, where=f"{path}, line {line}")
                if self._times and seen + delay_seconds < self._times[-1]:
                    raise InvalidInput(time, f"{path}, line {line}: the time falls")
                self._times.append(seen + delay_seconds)
                self._values.append(known)

    def __call__(self, market_data: MarketData) -> float | None:
        """The reading at the market data's time."""
        known = bisect_right(self._times, moment_of(market_data).timestamp())
        values = self._values[max(0, known - self._window) : known]
        if len(values) < self._window:
            return None
        return _stretched(self._sign * values[-1], self._sign * fmean(values), pstdev(values))


def _parsed(row: Mapping[str, str], time: str, value: str, where: str) -> tuple[float, float]:
    for column in (time, value):
        if row.get(column) is None:
            raise InvalidInput(column, f"{where}: no such column")
    try:
        at = datetime.fromisoformat(row[time])
        number = float(row[value])
    except ValueError as error:
        raise InvalidInput(value, f"{where}: {error}") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp(), number


def _returns(prices: Sequence[float]) -> list[float]:
    return [math.log(after / before) for before, after in pairwise(prices)]


def _stretched(value: float, usual: float, deviation: float) -> float:
    if deviation <= 0:
        return 0.0
    return min(1.0, max(-1.0, (value - usual) / (_STRETCH * deviation)))
