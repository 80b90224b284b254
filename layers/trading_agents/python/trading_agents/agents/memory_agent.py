"""`MemoryAwareAgent`: the base class of agents that perceive, remember, and decide with their memory."""

from typing import Any, Literal

from agent_memory import InvalidInput
from trading_agents.agents.confidence import ConfidenceRule, OutcomeRecord, WinRateRule, limit_adjustment
from trading_agents.agents.features import Features, number
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore

Signal = Literal["long", "short", "neutral"]

NEUTRAL_CONFIDENCE = 0.4
"""The confidence of an agent that sees nothing to act on."""

_ILLIQUID = 2.0
_STRONG_MOMENTUM = 1.5
_BIG_PROFIT = 1.0
_RECENT_TRADES = 5
_RECENT_OUTCOMES = 10


class MemoryAwareAgent:
    """An agent with a memory of its own or one that it shares with others. Subclasses define what it decides.

    Args:
        name: recorded in the memory with its votes.
        memory: the store; its clock gives the times.
        confidence_rule: how remembered outcomes change the confidence, by at most 30%; see `confidence` for the
            evidence on each rule.
    """

    def __init__(self, name: str, memory: TradingMemoryStore, *, confidence_rule: ConfidenceRule | None = None) -> None:
        self.name = name
        self.memory = memory
        self.confidence_rule = confidence_rule or WinRateRule()

    def perceive(self, symbol: str, bar_time: Any, features: Features) -> None:
        """Remember what is notable about a bar: high illiquidity (z-score above 2), strong momentum (beyond 1.5).

        Raises:
            InvalidInput: a feature is not a number; names it.
        """
        time = {"bar_time": str(bar_time)}
        amihud = number(features, "liquidity", "amihud")
        if amihud is not None and amihud > _ILLIQUID:
            text = f"High illiquidity detected: Amihud={amihud:.2f}"
            self.memory.add("market_event", text, 1.5, symbol, {**time, "amihud": amihud})
        momentum = number(features, "sentiment", "momentum")
        if momentum is not None and abs(momentum) > _STRONG_MOMENTUM:
            text = f"Strong momentum: {momentum:.2f}"
            self.memory.add("sentiment_extreme", text, 1.3, symbol, {**time, "momentum": momentum})

    def recall(self, symbol: str, query: str, topk: int = 3) -> list[TradingMemoryItem]:
        """Return the remembered items that match a query best; see `TradingMemoryStore.search`."""
        return self.memory.search(query=query, symbol=symbol, topk=topk)

    def act_with_memory(self, symbol: str, bar_time: Any, features: Features) -> tuple[Signal, float, dict[str, Any]]:
        """Decide, adjust the confidence by the outcomes of past trades, and remember the vote.

        Returns:
            The signal; the confidence, 0 to 1; `past_trades`, the number of remembered trades, at most five, and
            `win_rate`, 0 to 1, of the last ten outcomes of the symbol.

        Raises:
            InvalidInput: a feature is not a number; names it.
        """
        recent_trades = self.memory.get_recent(kind="trade", symbol=symbol, n=_RECENT_TRADES)
        signal, confidence = self._base_decision(symbol, features)
        confidence, win_rate = self.adjust_confidence(symbol, confidence, self.setup(symbol))
        text = f"{self.name} voted {signal} with confidence {confidence:.2f}"
        metadata = {"bar_time": str(bar_time), "signal": signal, "confidence": confidence}
        self.memory.add("signal", text, confidence, symbol, metadata)
        return signal, confidence, {"past_trades": len(recent_trades), "win_rate": win_rate}

    def adjust_confidence(self, symbol: str, confidence: float, setup: str = "") -> tuple[float, float]:
        """Return a confidence adjusted by past outcomes on the setup, and their win rate; both 0 to 1."""
        recent = self.memory.get_recent(kind="outcome", symbol=symbol, n=_RECENT_OUTCOMES)
        record = OutcomeRecord(symbol, recent, self._calculate_win_rate(recent), self.memory)
        confidence *= self._setup_factor(symbol, setup) * limit_adjustment(self.confidence_rule.factor(record))
        return min(1.0, max(0.0, confidence)), record.win_rate

    def setup(self, symbol: str) -> str:  # noqa: ARG002
        """Return the setup of the symbol's last bar, by which outcomes are remembered; empty for most agents."""
        return ""

    def remember_outcome(
        self,
        symbol: str,
        trade_id: str,
        pnl: float,
        entry_price: float,
        exit_price: float,
        *,
        setup: str = "",  # noqa: ARG002
    ) -> None:
        """Remember the outcome of a trade. `pnl` is in the account's currency; beyond ±1 it has twice the importance.

        `setup` is what the method `setup` returned when the trade was decided, for agents that distinguish setups.

        Raises:
            InvalidInput: `pnl` is not a number.
        """
        if pnl is None or pnl != pnl:  # noqa: PLR0124  NaN
            raise InvalidInput("pnl", f"{pnl!r} is not a number")
        outcome = "win" if pnl > 0 else "loss"
        text = f"Trade {trade_id} {outcome}: PnL=${pnl:.2f}"
        score = 2.0 if abs(pnl) > _BIG_PROFIT else 1.0
        metadata = {"trade_id": trade_id, "pnl": pnl, "entry": entry_price, "exit": exit_price, "outcome": outcome}
        self.memory.add("outcome", text, score, symbol, metadata)

    def to_state(self) -> Snapshot:
        """Return the agent's state outside its memory, for `restore`."""
        return snapshot(type(self).__name__, name=self.name, **self._extra_state())

    def restore(self, state: Snapshot) -> None:
        """Restore what `to_state` returned. `InvalidInput` if it is of another kind of agent, or another name."""
        data = data_of(state, type(self).__name__)
        name = data.pop("name")
        if name != self.name:
            raise InvalidInput("state", f"belongs to {name!r:.40}, not to {self.name}")
        self._restore_extra_state(data)

    def _extra_state(self) -> dict[str, Any]:
        """Return the state of a subclass outside its memory."""
        return {}

    def _restore_extra_state(self, data: dict[str, Any]) -> None:
        """Restore what `_extra_state` returned."""

    def _setup_factor(self, symbol: str, setup: str) -> float:  # noqa: ARG002
        """Return the factor on the confidence from past outcomes on the setup. Subclasses override it."""
        return 1.0

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:  # noqa: ARG002
        """Return signal and confidence for a bar, before past trades are considered. Subclasses override it."""
        return "neutral", 0.5

    def _calculate_win_rate(self, outcomes: list[TradingMemoryItem]) -> float:
        """Return the fraction of outcomes with a profit, 0 to 1; 0.5 if there are none."""
        if not outcomes:
            return 0.5
        wins = sum(1 for item in outcomes if item.metadata.get("pnl", 0) > 0)
        return wins / len(outcomes)
