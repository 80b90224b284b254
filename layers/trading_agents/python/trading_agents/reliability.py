"""What the Market Hunter has learned about its sources."""

from collections.abc import Mapping

from trading_agents.features import VOLATILITIES, MarketRow, Volatility
from trading_agents.sources import SOURCES


class Reliability:
    """How often each source's answers come true, apart for each volatility of the market.

    An exponential moving average: estimate += learning_rate * (observed - estimate), from one half.
    All sources are judged in every cycle, also those that were not selected.
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self._estimates = {volatility: {source.name: 0.5 for source in SOURCES} for volatility in VOLATILITIES}

    def of(self, volatility: Volatility) -> dict[str, float]:
        """Estimates for each source, 0 to 1."""
        return dict(self._estimates[volatility])

    def observe(self, volatility: Volatility, observed: Mapping[str, float]) -> None:
        """Move the estimates of one volatility towards the shares of answers that came true."""
        cell = self._estimates[volatility]
        for name, share in observed.items():
            cell[name] += self.learning_rate * (share - cell[name])


def observed_shares(row: MarketRow) -> dict[str, float]:
    """Share of the symbols for which each source's answer of the bar before came true in this bar."""
    return {name: sum(answers) / len(answers) for name, answers in row.agreed.items()}


def mean_squared_error(estimates: Mapping[str, float], observed: Mapping[str, float]) -> float:
    """Mean over the sources of (estimate - observed) squared."""
    return sum((estimates[name] - share) ** 2 for name, share in observed.items()) / len(observed)
