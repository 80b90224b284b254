"""A nautilus_trader backtest whose orders are logged before they are sent, with what came of them.

The actor is added to a live node in the same way.

    pip install 'agent-memory[nautilus-trader]'
    python examples/nautilus_backtest.py sqlite:///memory.db
"""

import sys
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from agent_memory import DecisionLogger
from agent_memory.client.integrations.nautilus_trader import DecisionLogActor, DecisionLogActorConfig

AGENT = "nautilus-trader"
EUR_USD = TestInstrumentProvider.default_fx_ccy("EUR/USD")
FIRST_TICK_NS = 1_790_000_000_000_000_000  # 2026-09-21
BUY_AT, SELL_AT, TICKS = 2, 8, 10


class Hold(Strategy):
    """Buys, holds for some ticks, and sells."""

    ticks = 0

    def on_start(self) -> None:
        """Ask for ticks."""
        self.subscribe_quote_ticks(EUR_USD.id)

    def on_quote_tick(self, tick: Any) -> None:  # noqa: ARG002  nautilus_trader's interface
        """Place the orders."""
        self.ticks += 1
        side = {BUY_AT: OrderSide.BUY, SELL_AT: OrderSide.SELL}.get(self.ticks)
        if side is not None:
            self.submit_order(self.order_factory.market(EUR_USD.id, side, Quantity.from_int(100_000)))


def tick(n: int) -> QuoteTick:
    """The n-th tick: the price rises."""
    at, size = FIRST_TICK_NS + n * 1_000_000_000, Quantity.from_int(1_000_000)
    return QuoteTick(EUR_USD.id, Price(1.1 + n / 1000, 5), Price(1.1001 + n / 1000, 5), size, size, at, at)


def run(url: str) -> None:
    """Run the backtest with the log at a URL."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(Venue("SIM"), OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000, USD)], base_currency=USD)
    engine.add_instrument(EUR_USD)
    engine.add_data([tick(n) for n in range(TICKS)])
    engine.add_actor(DecisionLogActor(DecisionLogActorConfig(agent_id=AGENT, store=url)))
    engine.add_strategy(Hold())
    engine.run()
    engine.dispose()
    log, since = DecisionLogger(AGENT, stores=url).sync, ("2026-09-01T00:00:00Z", None)
    entries, exits = (log.query_decisions(one, since) for one in ("ORDER_ENTRY", "ORDER_EXIT"))
    profitable = sum(one["success"] is True for one in entries)
    print(f"entries logged: {len(entries)}, exits: {len(exits)}, profitable: {profitable}")


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db")
