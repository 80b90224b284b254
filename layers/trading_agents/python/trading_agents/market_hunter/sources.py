"""Sources as plug-ins: functions of the market data that return a reading from -1 (falls) to 1 (rises).

A reading of None means that the source has no opinion. A function may be async. Market data is a dictionary with
`context` (a `MarketContext`, any name, or a dictionary such as `{"trend": "bullish", "volatility": "high"}`), `close`
(prices, oldest first), optionally `timestamp` (an aware datetime, by default now), and whatever else a team's own
sources read.

A source can forecast something other than the direction of the price: it names the question in an attribute `answers`,
a reading above 0 means yes and below 0 no, and the market data's `happened` has the answers of the newest data, such as
`{"large_move": True}`.
"""

import csv
import hashlib
import math
import re
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from agent_memory import InvalidInput

MarketData = Mapping[str, Any]
SourceFunction = Callable[[MarketData], float | Awaitable[float | None] | None]


class _NoMarketData(Mapping[str, Any]):
    """The market data before the first cycle: reading anything from it is an error, not a source without opinion."""

    def __getitem__(self, name: str) -> Any:
        raise InvalidInput("market_data", f"no cycle has run yet, so there is no {name!r:.40}; pass the market data")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


NO_MARKET_DATA: MarketData = _NoMarketData()

DIRECTION = "direction"
"""The question whether the price rises; the next price answers it."""

_BAD_CHARACTERS = re.compile(r"[^A-Za-z0-9._:=+/^@$&!-]")
_MAX_NAME, _DIGEST = 120, 12

_FULL_READING = 3.0
"""Number of standard deviations at which a reading is ±1."""

_LOOKBACK_FACTOR = 10
"""Volatility is measured over this many times the bars of the momentum."""


ANY = "any"
"""The name of a context of which nothing is known."""


class MarketContext(StrEnum):
    """Names of market contexts; a team can use its own."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    SIDEWAYS = "sideways"
    VOLATILE = "volatile"


def context_name(context: Any) -> str:
    """Return a context as text: the value of an enum member, the text itself, or `trend=up:volatility=high`.

    A dictionary without members is `any`.
    """
    if isinstance(context, Mapping):
        context = ":".join(f"{name}={context[name]}" for name in sorted(context)) or ANY
    name = getattr(context, "value", context)
    if not isinstance(name, str) or not name:
        raise InvalidInput("context", f"{context!r:.40} is neither text, an enum member nor a dictionary")
    return name


def market_name(market: str) -> str:
    """Return the name of a context as a part of keys and ids: long ones, and other characters, become a digest."""
    written = _BAD_CHARACTERS.sub("-", market)
    if written == market and len(market) <= _MAX_NAME:
        return market
    digest = hashlib.sha256(market.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{written[: _MAX_NAME - _DIGEST - 1]}-{digest}"


def context_for_log(context: Any) -> Any:
    """Return a context as it is logged: a dictionary unchanged, anything else by its name."""
    return dict(context) if isinstance(context, Mapping) else context_name(context)


def question(source: SourceFunction) -> str:
    """Return the question that a source answers; by default `direction`, that of the price."""
    return str(getattr(source, "answers", DIRECTION))


def forecast(source: SourceFunction, reading: float) -> dict[str, Any]:
    """Return what a reading forecasts: `direction` (`long` or `short`), or `forecast` and whether it is `expected`."""
    answered = question(source)
    if answered == DIRECTION:
        return {"direction": "long" if reading > 0 else "short"}
    return {"forecast": answered, "expected": reading > 0}


def time_of(market_data: MarketData) -> datetime:
    """Return the time of the market data: its `timestamp`, or now."""
    at = market_data.get("timestamp")
    if at is None:
        return datetime.now(UTC)
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise InvalidInput("timestamp", f"{at!r:.40} is not a datetime with a UTC offset")
    return at


def momentum(bars: int) -> SourceFunction:
    """The return of the last bars over its standard deviation: positive after a rise."""

    def read(market_data: MarketData) -> float | None:
        returns = _returns(market_data.get("close", ())[-_LOOKBACK_FACTOR * bars - 1 :])
        if len(returns) < 2 * bars:
            return None
        return _standardized(sum(returns[-bars:]), 0.0, pstdev(returns) * math.sqrt(bars))

    return read


def mean_reversion(bars: int) -> SourceFunction:
    """The distance of the last price below the mean of the last bars: positive after a fall."""

    def read(market_data: MarketData) -> float | None:
        prices = market_data.get("close", ())[-bars:]
        return None if len(prices) < bars else _standardized(-prices[-1], -fmean(prices), pstdev(prices))

    return read


def breakout(bars: int) -> SourceFunction:
    """±1 if the last price leaves the range of the bars before it, 0 inside."""

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
"""Sources that need only prices."""


class CsvSeries:
    """A source from a file: the standardised last value at the time of the market data.

    The reading is (value - mean) / (3 × standard deviation) over the last `window` values, limited to -1 to 1; None
    while there are fewer. `contrarian` reverses its sign.

    Args:
        path: of an uncompressed CSV file with a header.
        value: name of the column with numbers.
        time: name of the column with ISO 8601 times or dates in ascending order; UTC if they have no offset.
        window: number of values for mean and standard deviation, 2 or more.
        contrarian: whether high values forecast falling prices.
        delay_seconds: how long after its time a value becomes known.

    Raises:
        InvalidInput: a column is missing, or a value or time is invalid; names the line.
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
                    raise InvalidInput(time, f"{path}, line {line}: the time is before that of the previous line")
                self._times.append(seen + delay_seconds)
                self._values.append(known)

    def __call__(self, market_data: MarketData) -> float | None:
        """Return the reading at the time of the market data."""
        known = bisect_right(self._times, time_of(market_data).timestamp())
        values = self._values[max(0, known - self._window) : known]
        if len(values) < self._window:
            return None
        return _standardized(self._sign * values[-1], self._sign * fmean(values), pstdev(values))


def _parsed(row: Mapping[str, str], time: str, value: str, where: str) -> tuple[float, float]:
    for column in (time, value):
        if row.get(column) is None:
            raise InvalidInput(column, f"{where}: the column is missing")
    try:
        at = datetime.fromisoformat(row[time])
        number = float(row[value])
    except ValueError as error:
        raise InvalidInput(value, f"{where}: {error}") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp(), number


def _returns(prices: Sequence[float]) -> list[float]:
    return [math.log(after / before) for before, after in pairwise(prices)]


def _standardized(value: float, mean: float, deviation: float) -> float:
    if deviation <= 0:
        return 0.0
    return min(1.0, max(-1.0, (value - mean) / (_FULL_READING * deviation)))
