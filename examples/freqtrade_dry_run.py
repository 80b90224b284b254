"""A freqtrade strategy in dry-run: an entry is logged before its order, and refused while the log is down.

freqtrade would load the strategy below from `user_data/strategies`, and ask it as this program does.

    pip install 'agent-memory[freqtrade]'
    python examples/freqtrade_dry_run.py sqlite:///memory.db
"""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.strategy import IStrategy

from agent_memory import DecisionLogger
from agent_memory.client.integrations.freqtrade import DecisionLogMixin


class FadeGaps(DecisionLogMixin, IStrategy):
    """A strategy like any other, but for the mixin."""

    timeframe = "5m"
    minimal_roi = {"0": 0.02}  # noqa: RUF012  freqtrade's interface
    stoploss = -0.05

    def populate_indicators(self, dataframe: Any, metadata: dict[str, Any]) -> Any:  # noqa: ARG002  freqtrade's interface
        """No indicators."""
        return dataframe

    def populate_entry_trend(self, dataframe: Any, metadata: dict[str, Any]) -> Any:  # noqa: ARG002  freqtrade's interface
        """No signals."""
        return dataframe

    def populate_exit_trend(self, dataframe: Any, metadata: dict[str, Any]) -> Any:  # noqa: ARG002  freqtrade's interface
        """No signals."""
        return dataframe


def ask(store: str) -> bool:
    """Whether the strategy confirms an entry, with its log at a URL."""
    settings = {"agent_id": "fade-gaps", "store": store}
    config = {"candle_type_def": CandleType.SPOT, "runmode": RunMode.DRY_RUN, "agent_memory": settings}
    strategy = FadeGaps(config)
    strategy.dp = DataProvider(config, None)
    at = datetime.now(UTC) - timedelta(minutes=10)
    return bool(strategy.confirm_trade_entry("BTC/USDT", "limit", 0.1, 60_000.0, "GTC", at, "gap", "long"))


def run(url: str) -> None:
    """Confirm an entry with the log at a URL, and one while there is no log."""
    ask(url)
    entries = len(DecisionLogger("fade-gaps", stores=url).sync.query_decisions("TRADE_ENTRY"))
    answer = "placed" if ask("sqlite:////no/such/folder/memory.db") else "refused"
    print(f"entries logged: {entries}, with the log down: {answer}")


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db")
