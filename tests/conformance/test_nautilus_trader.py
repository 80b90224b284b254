"""The actor in backtests of nautilus_trader itself."""

import pytest

pytest.importorskip("nautilus_trader", reason="`make conformance` installs the nautilus-trader extra")

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from agent_memory import DecisionLogger, InvalidInput, Unavailable
from agent_memory.client.integrations.nautilus_trader import DecisionLogActor, DecisionLogActorConfig
from tests.conformance.examples import run_example

EXAMPLE = run_example("nautilus_backtest", run_name="example")
EUR_USD, tick = EXAMPLE["EUR_USD"], EXAMPLE["tick"]
SINCE = ("2026-09-01T00:00:00Z", None)


class Script(Strategy):
    """Places orders at ticks: a side and a quantity in thousands for each."""

    def __init__(self, orders):
        super().__init__()
        self.orders, self.ticks, self.errors = orders, 0, []

    def on_start(self):
        self.subscribe_quote_ticks(EUR_USD.id)

    def on_quote_tick(self, _):
        self.ticks += 1
        for side, thousands, price in self.orders.get(self.ticks, ()):
            quantity = Quantity.from_int(1_000 * thousands)
            order = (
                self.order_factory.market(EUR_USD.id, side, quantity, tags=["script"])
                if price is None
                else self.order_factory.limit(EUR_USD.id, side, quantity, Price(price, 5))
            )
            try:
                self.submit_order(order)
            except Unavailable as error:
                self.errors.append(str(error))


def backtest(url, orders, *, oms=OmsType.NETTING, actor=None, buffer=None):
    """What a backtest of a script left: the strategy, the orders that were sent, and the positions."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(Venue("SIM"), oms, AccountType.MARGIN, [Money(1_000_000, USD)], base_currency=USD)
    engine.add_instrument(EUR_USD)
    engine.add_data([tick(n) for n in range(12)])
    engine.add_actor(actor or DecisionLogActor(DecisionLogActorConfig(agent_id="desk", store=url, buffer=buffer)))
    strategy = Script(orders)
    engine.add_strategy(strategy)
    engine.run()
    sent = len(engine.cache.orders())
    engine.dispose()
    return strategy, sent


def logged(url, decision_type):
    found = DecisionLogger("desk", stores=url).sync.query_decisions(decision_type, SINCE)
    return sorted(found, key=lambda one: one["timestamp"])


BUY_AND_SELL = {2: [(OrderSide.BUY, 100, None)], 8: [(OrderSide.SELL, 100, None)]}


def test_orders_are_logged_with_what_came_of_them(url):
    _, sent = backtest(url, BUY_AND_SELL)
    (entry,), (exit_,) = logged(url, "ORDER_ENTRY"), logged(url, "ORDER_EXIT")
    assert sent == 2
    assert entry["context"] == {"symbol": "EUR/USD.SIM", "strategy": "Script-000"}
    assert entry["timestamp"].startswith("2026-09-21T")
    expected = {"action": "buy", "order_type": "MARKET", "quantity": 100_000, "time_in_force": "GTC"}
    assert {name: entry["reasoning"][name] for name in expected} == expected
    assert entry["reasoning"]["tags"] == ["script"]
    assert exit_["parent_ids"] == [entry["decision_id"]]
    assert entry["success"] is True
    assert entry["metrics"]["realized_pnl"] > 0
    assert entry["metrics"]["duration_seconds"] == 6
    assert entry["outcome"]["avg_px_close"] > entry["outcome"]["avg_px_open"]


def test_a_run_that_is_repeated_logs_the_same_decisions(url):
    for _ in range(2):
        backtest(url, BUY_AND_SELL)
    assert len(logged(url, "ORDER_ENTRY")) == len(logged(url, "ORDER_EXIT")) == 1


def test_a_loss_is_a_failure_and_a_limit_orders_price_is_kept(url):
    backtest(url, {2: [(OrderSide.SELL, 100, 1.05)], 8: [(OrderSide.BUY, 100, None)]})
    (entry,) = logged(url, "ORDER_ENTRY")
    assert (entry["success"], entry["reasoning"]["options"]["price"]) == (False, "1.05000")


def test_an_order_that_enlarges_a_position_is_an_entry_and_one_that_reduces_it_an_exit(url):
    orders = {
        2: [(OrderSide.BUY, 100, None)],
        3: [(OrderSide.BUY, 50, None)],
        5: [(OrderSide.SELL, 30, None)],
        8: [(OrderSide.SELL, 120, None)],
    }
    backtest(url, orders)
    entries, exits = logged(url, "ORDER_ENTRY"), logged(url, "ORDER_EXIT")
    assert (len(entries), len(exits)) == (2, 2)
    assert [one["parent_ids"] for one in exits] == [[entries[0]["decision_id"]]] * 2
    assert [one["success"] for one in entries] == [True, None]


@pytest.mark.parametrize("oms", [OmsType.NETTING, OmsType.HEDGING])
def test_each_position_has_an_outcome_of_its_own(url, oms):
    orders = {
        at: [(side, 100, None)] for at, side in zip((2, 4, 6, 8), [OrderSide.BUY, OrderSide.SELL] * 2, strict=True)
    }
    backtest(url, orders)
    assert [one["success"] for one in logged(url, "ORDER_ENTRY")] == [True, True]


def test_a_position_that_an_order_reverses_has_an_outcome_too(url):
    backtest(url, {2: [(OrderSide.BUY, 100, None)], 5: [(OrderSide.SELL, 200, None)], 8: [(OrderSide.BUY, 100, None)]})
    (entry,), (reversal, last) = logged(url, "ORDER_ENTRY"), logged(url, "ORDER_EXIT")
    assert (entry["success"], reversal["success"], last["success"]) == (True, False, None)
    assert (reversal["parent_ids"], last["parent_ids"]) == ([entry["decision_id"]], [reversal["decision_id"]])


def test_a_position_that_was_reversed_before_a_restart_has_an_outcome_too(url):
    class Forgetful(DecisionLogActor):
        """An actor that was started again when the position was open."""

        def _on_position(self, event):
            self._exits.clear()
            super()._on_position(event)

    actor = Forgetful(DecisionLogActorConfig(agent_id="desk", store=url))
    orders = {2: [(OrderSide.BUY, 100, None)], 5: [(OrderSide.SELL, 200, None)], 8: [(OrderSide.BUY, 100, None)]}
    backtest(url, orders, actor=actor)
    assert [one["success"] for one in logged(url, "ORDER_EXIT")] == [False, None]


class Refusing(DecisionLogActor):
    """An actor whose store does not respond from a tick on."""

    def decision_log(self):
        log = super().decision_log()
        if self.clock.timestamp_ns() >= tick(self.since).ts_init:
            raise Unavailable("the table did not respond")
        return log


def refusing(url, since):
    actor = Refusing(DecisionLogActorConfig(agent_id="desk", store=url))
    actor.since = since
    return actor


def test_no_entry_is_sent_while_the_log_is_down_and_the_strategy_gets_the_error(url):
    strategy, sent = backtest(url, BUY_AND_SELL, actor=refusing(url, 1))
    assert sent == 0
    assert strategy.errors == ["the table did not respond"] * 2  # without a position, the second one is an entry, too


def test_an_exit_is_sent_although_it_cannot_be_logged(url):
    strategy, sent = backtest(url, BUY_AND_SELL, actor=refusing(url, 5))
    assert (strategy.errors, sent) == ([], 2)
    assert len(logged(url, "ORDER_ENTRY")) == 1
    assert logged(url, "ORDER_EXIT") == []


def test_decisions_may_wait_in_a_buffer(url, tmp_path):
    backtest(url, BUY_AND_SELL, buffer=str(tmp_path / "buffer"))
    assert [one["success"] for one in logged(url, "ORDER_ENTRY")] == [True]


def test_a_store_that_cannot_be_opened_ends_the_start():
    with pytest.raises(InvalidInput):
        backtest("nothing://", BUY_AND_SELL)


def test_the_example_logs_its_orders(url, capsys):
    run_example("nautilus_backtest", url)
    assert capsys.readouterr().out.splitlines() == ["entries logged: 1, exits: 1, profitable: 1"]
