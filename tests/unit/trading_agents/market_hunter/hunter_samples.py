"""A market that rises and falls in turn, and sources of known quality."""

from datetime import UTC, datetime, timedelta

from trading_agents import MarketContext

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

SOURCES = {
    "always_right": lambda data: data["next"] * 0.5,
    "always_wrong": lambda data: -data["next"] * 0.5,
    "silent": lambda data: None,  # noqa: ARG005
    "steady": lambda data: 0.2,  # noqa: ARG005
}


def market(cycle, context=MarketContext.BULLISH):
    """Market data of a cycle; `next` is the direction of the next price."""
    direction = 1 if cycle % 3 else -1
    prices = [100.0]
    for n in range(cycle):
        prices.append(prices[-1] * (1.01 if n % 3 else 0.99))
    return {"context": context, "close": prices, "next": direction, "timestamp": START + cycle * HOUR}
