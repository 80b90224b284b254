"""nautilus_trader: `DecisionLogActor`, which logs every order before it is sent, and outcomes when positions close."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.model.enums import OrderSide, OrderType, TimeInForce
from nautilus_trader.model.events import OrderInitialized, PositionClosed

from agent_memory.client.buffered_logger import BufferedDecisionLogger
from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.decisions import SyncDecisions
from agent_memory.core.errors import AgentMemoryError, NotFound
from agent_memory.core.ids import decision_id_for

ENTRY, EXIT = "ORDER_ENTRY", "ORDER_EXIT"
HORIZON = "exit"
_FIRST = 10  # before subscribers of the default priority, which is 0


class DecisionLogActorConfig(ActorConfig, kw_only=True, frozen=True):  # type: ignore[call-arg]  # msgspec's own
    """The log of an actor.

    Attributes:
        agent_id: the agent.
        store: the URL of the store, as `connect` takes it.
        buffer: a folder in which decisions wait until they are sent; by default each is in the store before its order.
    """

    agent_id: str
    store: str
    buffer: str | None = None


class DecisionLogActor(Actor):
    """Logs the orders of all strategies of a node or a backtest: `engine.add_actor(DecisionLogActor(config))`.

    A strategy publishes its order before it sends it, and the actor listens there. While an order that opens or
    enlarges a position cannot be logged, `submit_order` raises the log's error in the strategy and the order is not
    sent. An order that reduces a position is sent, because a position that is not closed is the greater risk; that it
    is not logged is an error in the node's own log.

    A decision has one id for trader, strategy and client order id, so that an event that is published again, as after a
    restart, is the same decision. When a position closes, its opening order gets the outcome.
    """

    _log_of_decisions: SyncDecisions | None = None

    def __init__(self, config: DecisionLogActorConfig) -> None:
        super().__init__(config)
        self._exits: set[Any] = set()  # client order ids: an order may close a position and open the opposite one

    def decision_log(self) -> SyncDecisions:
        """The log, opened at the first call.

        Raises:
            AgentMemoryError: it cannot be opened.
        """
        if self._log_of_decisions is None:
            log = DecisionLogger(self.config.agent_id, stores=self.config.store)
            folder = self.config.buffer
            self._log_of_decisions = (
                log.sync
                if folder is None
                else BufferedDecisionLogger(log, Path(folder), on_full="refuse", sync_seconds=0).sync
            )
        return self._log_of_decisions

    def on_start(self) -> None:
        """Open the log, so that a wrong configuration ends the start, and listen."""
        self.decision_log()
        self.msgbus.subscribe("events.order.*", self._on_order, priority=_FIRST)
        self.msgbus.subscribe("events.position.*", self._on_position)

    def on_stop(self) -> None:
        """Stop listening, and wait until the buffer is sent."""
        self.msgbus.unsubscribe("events.order.*", self._on_order)
        self.msgbus.unsubscribe("events.position.*", self._on_position)
        if self.config.buffer is not None and self._log_of_decisions is not None:
            self._log_of_decisions.close()
            self._log_of_decisions = None

    def _on_order(self, event: Any) -> None:
        # Orders that a node finds at the venue after a restart were decided before.
        if isinstance(event, OrderInitialized) and not event.reconciliation:
            opened = self._opening_orders(event)
            try:
                self._log_order(event, opened)
            except AgentMemoryError as error:
                if not opened:
                    raise
                self._report(f"{event.client_order_id} is sent and not logged ({error.code}: {error})")

    def _log_order(self, event: Any, opened: list[Any]) -> None:
        context = {"symbol": event.instrument_id.value, "strategy": event.strategy_id.value}
        reasoning = {
            "action": OrderSide(event.side).name.lower(),
            "order_type": OrderType(event.order_type).name,
            "quantity": float(event.quantity),
            "time_in_force": TimeInForce(event.time_in_force).name,
            "reduce_only": event.reduce_only,
            "options": {name: _plain(value) for name, value in event.options.items()},
            "tags": list(event.tags or ()),
        }
        if opened:
            self._exits.add(event.client_order_id)
        self.decision_log().log_decision(
            EXIT if opened else ENTRY,
            context,
            reasoning,
            {"client_order_id": event.client_order_id.value},
            decision_id=_id_of(event, is_exit=bool(opened)),
            timestamp=_time(event.ts_init),
            parent_ids=[self._id_of_opening(one) for one in opened],
        )

    def _opening_orders(self, event: Any) -> list[Any]:
        """The orders that opened the positions which an order reduces; empty if it opens or enlarges one."""
        positions = self.cache.positions_open(instrument_id=event.instrument_id, strategy_id=event.strategy_id)
        reduced = [one for one in positions if event.reduce_only or one.is_opposite_side(event.side)]
        orders = [self.cache.order(one.opening_order_id) for one in reduced]
        return [one.init_event for one in orders if one is not None]

    def _on_position(self, event: Any) -> None:
        if isinstance(event, PositionClosed):
            order = self.cache.order(event.opening_order_id)
            try:
                self._log_outcome(event, order.init_event)
            except (AgentMemoryError, AttributeError) as error:
                self._report(f"{event.position_id}: what came of it is not logged ({error})")

    def _report(self, text: str) -> None:
        report = self.log.error  # nautilus_trader's own logger, which takes a text alone
        report(text)

    def _log_outcome(self, event: Any, opening: Any) -> None:
        pnl = event.realized_pnl.as_double()
        outcome = {
            "closing_order": event.closing_order_id.value,
            "avg_px_open": event.avg_px_open,
            "avg_px_close": event.avg_px_close,
            "currency": event.currency.code,
        }
        metrics = {
            "realized_pnl": pnl,
            "realized_return": event.realized_return,
            "duration_seconds": event.duration_ns / 1e9,
        }
        judged: dict[str, Any] = {"horizon": HORIZON, "timestamp": _time(event.ts_closed)}
        try:
            self.decision_log().log_outcome(self._id_of_opening(opening), outcome, pnl > 0, metrics, **judged)
        except NotFound:  # the order reversed a position before a restart
            self.decision_log().log_outcome(_id_of(opening, is_exit=True), outcome, pnl > 0, metrics, **judged)

    def _id_of_opening(self, opening: Any) -> str:
        """The decision of an order that opened a position; that is an exit, if the order reversed another one."""
        return _id_of(opening, is_exit=opening.client_order_id in self._exits)


def _id_of(event: Any, *, is_exit: bool) -> str:
    name = f"{event.trader_id} {event.strategy_id} {event.client_order_id}"
    return decision_id_for(EXIT if is_exit else ENTRY, _time(event.ts_init), name)


def _time(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, tz=UTC)


def _plain(value: Any) -> Any:
    """An option of an order as JSON; prices are texts in nautilus_trader, which keep their precision."""
    return value if isinstance(value, str | int | float | bool | None) else str(value)
