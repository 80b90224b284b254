"""freqtrade: `DecisionLogMixin`, which logs every entry and exit before its order, and outcomes at the closing fill."""

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from freqtrade.enums import TRADE_MODES
from freqtrade.exchange import timeframe_to_prev_date, timeframe_to_seconds
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import IStrategy

from agent_memory.client.buffered_logger import BufferedDecisionLogger
from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.decisions import SyncDecisions
from agent_memory.core.errors import AgentMemoryError, Conflict, InvalidInput, NotFound
from agent_memory.core.ids import decision_id_for

ENTRY, EXIT = "TRADE_ENTRY", "TRADE_EXIT"
_DECISION = "decision_id"
_logger = logging.getLogger(__name__)


class DecisionLogMixin(IStrategy):
    """A strategy that logs what it decides: `class MyStrategy(DecisionLogMixin, IStrategy)`.

    The configuration names the log: `"agent_memory": {"agent_id": "my-bot", "store": "sqlite:///memory.db"}`. With
    `"buffer": "FOLDER"` decisions are written to a local log first, and sent while the bot goes on.

    While an entry cannot be logged it is not placed: the bot asks again every few seconds. An exit is placed, because
    a position that is not closed is the greater risk; that it is not logged is an error in the bot's own log. A
    decision has one id for bot, pair, side and candle, so that one that is asked for again is the same, also after a
    restart. Nothing is logged in backtests and hyperopt.

    A strategy that overrides one of these methods calls `super()`.
    """

    _decision_log: SyncDecisions | None = None

    def decision_log(self) -> SyncDecisions:
        """The log, opened at the first call.

        Raises:
            InvalidInput: the configuration does not name it. AgentMemoryError: it cannot be opened.
        """
        if self._decision_log is None:
            settings = self.config.get("agent_memory")
            if not isinstance(settings, dict) or not {"agent_id", "store"} <= settings.keys():
                raise InvalidInput("agent_memory", "the configuration needs agent_memory with agent_id and store")
            log = DecisionLogger(settings["agent_id"], stores=settings["store"])
            buffer = settings.get("buffer")
            self._decision_log = (
                log.sync
                if buffer is None
                else BufferedDecisionLogger(log, Path(buffer), on_full="refuse", sync_seconds=0).sync
            )
        return self._decision_log

    def bot_start(self, **kwargs: Any) -> None:
        """Open the log, so that a wrong configuration ends the start of the bot."""
        super().bot_start(**kwargs)
        if self._is_trading():
            self.decision_log()

    def confirm_trade_entry(  # noqa: PLR0917  freqtrade's signature
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Log the entry; False, so that no order is placed, if that fails."""
        confirm = super().confirm_trade_entry
        if not confirm(pair, order_type, amount, rate, time_in_force, current_time, entry_tag, side, **kwargs):
            return False
        if not self._is_trading():
            return True
        reasoning = {
            "action": side,
            "entry_tag": entry_tag,
            "order_type": order_type,
            "amount": amount,
            "rate": rate,
            "time_in_force": time_in_force,
        }
        return self._logged(ENTRY, self._entry_id(pair, side, current_time), pair, reasoning, current_time)

    def confirm_trade_exit(  # noqa: PLR0917  freqtrade's signature
        self,
        pair: str,
        trade: Trade,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        exit_reason: str,
        current_time: datetime,
        **kwargs: Any,
    ) -> bool:
        """Log the exit, which is placed even if that fails."""
        confirm = super().confirm_trade_exit
        if not confirm(pair, trade, order_type, amount, rate, time_in_force, exit_reason, current_time, **kwargs):
            return False
        if self._is_trading():
            reasoning = {
                "action": "exit",
                "exit_reason": exit_reason,
                "order_type": order_type,
                "amount": amount,
                "rate": rate,
                "time_in_force": time_in_force,
            }
            name = f"{self._bot()} {pair} exit {trade.id} {exit_reason}"
            exit_id = decision_id_for(EXIT, self._candle(current_time), name)
            parent = trade.get_custom_data(_DECISION)
            self._logged(EXIT, exit_id, pair, reasoning, current_time, parent_ids=[parent] if parent else [])
        return True

    def order_filled(self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any) -> None:
        """Keep the entry's id with the trade; at the closing fill, log the outcome."""
        super().order_filled(pair, trade, order, current_time, **kwargs)
        if not self._is_trading():
            return
        try:
            if order.ft_order_side == trade.entry_side:
                if trade.get_custom_data(_DECISION) is None:
                    trade.set_custom_data(_DECISION, self._logged_entry(pair, trade, order))
            elif not trade.is_open:  # by an exit, or by a stop loss on the exchange
                self._log_outcome(trade)
        except AgentMemoryError:
            _logger.exception("%s: what came of trade %s is not logged", pair, trade.id)

    # --- the decision log ------------------------------------------------------------------------

    def _logged(
        self,
        decision_type: str,
        decision_id: str,
        pair: str,
        reasoning: dict[str, Any],
        current_time: datetime,
        **links: Any,
    ) -> bool:
        """Whether a decision is in the log."""
        context = {"symbol": pair, "timeframe": self.timeframe, "strategy": self.get_strategy_name()}
        candle = self._candle(current_time)
        try:
            log = self.decision_log()
            log.log_decision(decision_type, context, reasoning, decision_id=decision_id, timestamp=candle, **links)
        except Conflict:  # asked for again within the candle, with another rate
            return True
        # freqtrade's wrapper takes any exception for a confirmation.
        except Exception:
            _logger.exception("%s: the decision is not logged", pair)
            return False
        return True

    def _log_outcome(self, trade: Trade) -> None:
        decision_id = trade.get_custom_data(_DECISION)
        if decision_id is None:  # opened before its entries were logged
            return
        # A stop loss on the exchange may be filled at a rate that the bot has not seen.
        rates = [rate for rate in (trade.max_rate, trade.min_rate, trade.close_rate, trade.open_rate) if rate]
        best, worst = max(rates), min(rates)
        if trade.is_short:
            best, worst = worst, best
        direction = -1 if trade.is_short else 1
        metrics = {
            "profit_ratio": trade.close_profit,
            "profit_abs": trade.close_profit_abs,
            "mfe": direction * (best / trade.open_rate - 1),
            "mae": direction * (worst / trade.open_rate - 1),
        }
        outcome = {"exit_reason": trade.exit_reason, "open_rate": trade.open_rate, "close_rate": trade.close_rate}
        success = (trade.close_profit or 0) > 0
        self.decision_log().log_outcome(decision_id, outcome, success, metrics, horizon=f"trade-{trade.id}")

    def _logged_entry(self, pair: str, trade: Trade, order: Order) -> str | None:
        """The id of the entry that an order belongs to; it was confirmed in the order's candle or in the one before."""
        side = "short" if trade.is_short else "long"
        placed = order.order_date_utc
        for at in (placed, placed - timedelta(seconds=timeframe_to_seconds(self.timeframe))):
            decision_id = self._entry_id(pair, side, at)
            try:
                return str(self.decision_log().get_decision(decision_id)["decision_id"])
            except NotFound:
                continue
        return None

    def _entry_id(self, pair: str, side: str, at: datetime) -> str:
        return decision_id_for(ENTRY, self._candle(at), f"{self._bot()} {pair} {side}")

    def _candle(self, at: datetime) -> datetime:
        candle: datetime = timeframe_to_prev_date(self.timeframe, at)
        return candle

    def _bot(self) -> str:
        return str(self.config.get("bot_name", "freqtrade"))

    def _is_trading(self) -> bool:
        return self.dp is not None and self.dp.runmode in TRADE_MODES
