"""`Progress`: one line now and then about how far paper trading has come."""

import time
from collections.abc import Callable

from trading_agents.paper.bars import PaperBar
from trading_agents.paper.decision_records import BarReport
from trading_agents.paper.trader import PaperTrader

_INTERVAL_SECONDS = 5.0


class Progress:
    """Writes a line after the first bar, and then at most every five seconds.

    Args:
        trader: whose progress it is.
        write: takes a line.
        clock: returns seconds.
    """

    def __init__(
        self, trader: PaperTrader, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._trader, self._write, self._clock = trader, write, clock
        self._bars = 0
        self._next_at = clock()

    def on_report(self, bar: PaperBar, _: BarReport) -> None:
        """Count a bar, and write a line if it is due."""
        self._bars += 1
        now = self._clock()
        if now >= self._next_at:
            self._next_at = now + _INTERVAL_SECONDS
            self._write(
                f"{bar.time:%Y-%m-%d %H:%M} UTC: {self._bars:,} new bars, {self._trader.trades:,} trades, "
                f"equity {self._trader.equity:.4f}"
            )
