"""The freqtrade mixin on freqtrade itself: a strategy, its wrapper, and trades in its own database, in dry-run."""

from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("freqtrade", reason="`make conformance` installs the freqtrade extra")

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.persistence import Order, Trade, init_db
from freqtrade.strategy import IStrategy
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper

from agent_memory import DecisionLogger, InvalidInput, Unavailable
from agent_memory.client.integrations.freqtrade import DecisionLogMixin
from tests.conformance.examples import run_example

PAIR = "BTC/USDT"
MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
NOW = MIDNIGHT - timedelta(hours=12) + timedelta(minutes=7)


class Strategy(DecisionLogMixin, IStrategy):
    """Buys and sells when a test says so."""

    timeframe = "5m"
    minimal_roi = {"0": 10}  # noqa: RUF012  freqtrade's interface
    stoploss = -0.5
    can_short = True

    def populate_indicators(self, dataframe, metadata):  # noqa: ARG002  freqtrade's interface
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):  # noqa: ARG002  freqtrade's interface
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):  # noqa: ARG002  freqtrade's interface
        return dataframe


@pytest.fixture(autouse=True)
def database():
    init_db("sqlite://")
    yield
    Trade.session.remove()


@pytest.fixture
def log(url):
    return DecisionLogger("my-bot", stores=url).sync


def strategy(url, runmode=RunMode.DRY_RUN, **settings):
    config = {
        "candle_type_def": CandleType.SPOT,
        "runmode": runmode,
        "bot_name": "one",
        "agent_memory": {"agent_id": "my-bot", "store": url, **settings},
    }
    made = Strategy(config)
    made.dp = DataProvider(config, None)
    return made


def confirm_entry(made, *, at=NOW, rate=100.0, side="long"):
    """Ask as `FreqtradeBot.execute_entry` does."""
    return strategy_safe_wrapper(made.confirm_trade_entry, default_retval=True)(
        pair=PAIR,
        order_type="limit",
        amount=1.0,
        rate=rate,
        time_in_force="GTC",
        current_time=at,
        entry_tag="gap",
        side=side,
    )


def confirm_exit(made, trade, *, at, reason="roi"):
    """Ask as `FreqtradeBot.execute_trade_exit` does."""
    return strategy_safe_wrapper(made.confirm_trade_exit, default_retval=True)(
        pair=trade.pair,
        trade=trade,
        order_type="limit",
        amount=1.0,
        rate=110.0,
        time_in_force="GTC",
        exit_reason=reason,
        sell_reason=reason,
        current_time=at,
    )


def fill(made, trade, side, price, at):
    """An order that is filled: the bot updates the trade and tells the strategy."""
    order = Order(
        ft_trade_id=trade.id,
        ft_order_side=side,
        ft_pair=PAIR,
        ft_is_open=False,
        ft_amount=1.0,
        ft_price=price,
        order_id=f"{side}-{trade.id}",
        status="closed",
        symbol=PAIR,
        order_type="limit",
        side=side,
        price=price,
        average=price,
        amount=1.0,
        filled=1.0,
        remaining=0.0,
        cost=price,
        order_date=at,
        order_filled_date=at,
    )
    trade.orders.append(order)
    trade.update_trade(order)
    Trade.commit()
    strategy_safe_wrapper(made.order_filled, supress_error=True)(
        pair=trade.pair, trade=trade, order=order, current_time=at
    )


def opened(*, short=False, at=NOW):
    trade = Trade(
        pair=PAIR,
        stake_amount=100.0,
        amount=1.0,
        amount_requested=1.0,
        open_rate=100.0,
        open_date=at,
        fee_open=0.0,
        fee_close=0.0,
        exchange="binance",
        is_open=True,
        is_short=short,
        leverage=1.0,
        base_currency="BTC",
        stake_currency="USDT",
        strategy="Strategy",
        timeframe=5,
    )
    Trade.session.add(trade)
    Trade.commit()
    return trade


def test_every_entry_and_exit_is_logged_before_its_order_and_judged_at_the_closing_fill(url, log):
    made = strategy(url)
    made.bot_start()
    for n in range(5):
        at = NOW + timedelta(hours=n)
        assert confirm_entry(made, at=at)
        (newest, *_) = log.query_decisions("TRADE_ENTRY")
        assert len(log.query_decisions("TRADE_ENTRY")) == n + 1  # before there is an order
        trade = opened(at=at)
        fill(made, trade, "buy", 100.0, at)
        assert trade.get_custom_data("decision_id") == newest["decision_id"]
        trade.adjust_min_max_rates(112.0, 95.0)
        assert confirm_exit(made, trade, at=at + timedelta(minutes=30))
        assert len(log.query_decisions("TRADE_EXIT")) == n + 1
        trade.exit_reason = "roi"
        fill(made, trade, "sell", 110.0, at + timedelta(minutes=30))
        judged = log.get_decision(newest["decision_id"])
        assert (judged["success"], judged["outcome"]["exit_reason"]) == (True, "roi")
        assert judged["metrics"]["mfe"] == pytest.approx(0.12)
        assert judged["metrics"]["mae"] == pytest.approx(-0.05)
        assert judged["metrics"]["profit_ratio"] == pytest.approx(0.1)
    exits = log.query_decisions("TRADE_EXIT")
    assert {tuple(one["parent_ids"]) for one in exits} == {
        (one["decision_id"],) for one in log.query_decisions("TRADE_ENTRY")
    }


def test_the_excursions_of_a_short_trade_are_those_of_its_direction(url, log):
    made = strategy(url)
    assert confirm_entry(made, side="short")
    trade = opened(short=True)
    fill(made, trade, "sell", 100.0, NOW)
    trade.adjust_min_max_rates(105.0, 90.0)
    fill(made, trade, "buy", 95.0, NOW + timedelta(minutes=20))
    (judged,) = log.query_decisions("TRADE_ENTRY")
    assert judged["metrics"]["mfe"] == pytest.approx(0.10)
    assert judged["metrics"]["mae"] == pytest.approx(-0.05)
    assert judged["success"]


def test_a_stop_loss_on_the_exchange_is_an_outcome_too(url, log):
    made = strategy(url)
    assert confirm_entry(made)
    trade = opened()
    fill(made, trade, "buy", 100.0, NOW)
    trade.adjust_min_max_rates(101.0, 96.0)
    fill(made, trade, "stoploss", 90.0, NOW + timedelta(minutes=20))
    assert not trade.is_open
    (judged,) = log.query_decisions("TRADE_ENTRY")
    assert (judged["success"], judged["outcome"]["exit_reason"]) == (False, "stoploss_on_exchange")
    assert judged["metrics"]["mae"] == pytest.approx(-0.10)  # of the fill, below what the bot has seen


def test_no_entry_is_placed_while_the_store_is_down_and_exits_are(url, log, monkeypatch, caplog):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    made = strategy(url)
    made.bot_start()
    with monkeypatch.context() as patch:
        patch.setattr(made.decision_log()._decisions, "log_decision", refuse)
        assert not confirm_entry(made)
        assert confirm_exit(made, opened(), at=NOW)
    assert caplog.text.count("the decision is not logged") == 2
    assert log.query_decisions() == []
    assert confirm_entry(made)
    assert len(log.query_decisions("TRADE_ENTRY")) == 1


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ValueError("a bug"), OSError("a disk")])
def test_no_exception_is_taken_for_a_confirmation(url, monkeypatch, error):
    """The wrapper of freqtrade confirms an entry whose check raises."""

    def fail(*_, **__):
        raise error

    made = strategy(url)
    monkeypatch.setattr(made, "decision_log", fail)
    assert not confirm_entry(made)


def test_a_store_that_cannot_be_opened_ends_the_start_and_refuses_entries(tmp_path):
    made = strategy(f"sqlite:///{tmp_path}/no/such/folder/memory.db")
    with pytest.raises(Exception, match="folder"):
        made.bot_start()
    assert not confirm_entry(made)


def test_a_configuration_without_a_log_is_an_error(url):
    made = strategy(url)
    del made.config["agent_memory"]
    with pytest.raises(InvalidInput, match="agent_memory"):
        made.bot_start()
    assert not confirm_entry(made)


def test_an_entry_that_is_asked_for_again_within_its_candle_is_one_decision_also_after_a_restart(url, log):
    assert confirm_entry(strategy(url), rate=100.0)
    assert confirm_entry(strategy(url), rate=100.5, at=NOW + timedelta(minutes=1))
    (logged,) = log.query_decisions("TRADE_ENTRY")
    assert logged["reasoning"]["rate"] == 100.0
    assert confirm_entry(strategy(url), at=NOW + timedelta(minutes=5))
    assert confirm_entry(strategy(url), side="short")
    assert len(log.query_decisions("TRADE_ENTRY")) == 3


def test_a_fill_after_a_restart_in_the_next_candle_finds_its_entry(url, log):
    assert confirm_entry(strategy(url), at=NOW + timedelta(minutes=2, seconds=59))
    placed = NOW + timedelta(minutes=3, seconds=1)
    trade = opened(at=placed)
    fill(strategy(url), trade, "buy", 100.0, placed)
    assert trade.get_custom_data("decision_id") == log.query_decisions("TRADE_ENTRY")[0]["decision_id"]


@pytest.mark.parametrize("runmode", [RunMode.BACKTEST, RunMode.HYPEROPT])
def test_nothing_is_logged_in_backtests(url, log, runmode):
    made = strategy(url, runmode)
    made.bot_start()
    assert confirm_entry(made)
    assert confirm_exit(made, opened(), at=NOW)
    assert log.query_decisions() == []


def test_decisions_can_be_buffered(url, log, tmp_path):
    made = strategy(url, buffer=str(tmp_path / "buffer"))
    assert confirm_entry(made)
    made.decision_log().close()
    assert len(log.query_decisions("TRADE_ENTRY")) == 1
    assert not confirm_entry(made, at=NOW + timedelta(hours=1))  # a closed log refuses


def test_the_example_logs_a_dry_run(url, capsys):
    run_example("freqtrade_dry_run", url)
    assert capsys.readouterr().out.splitlines()[-1] == "entries logged: 1, with the log down: refused"
