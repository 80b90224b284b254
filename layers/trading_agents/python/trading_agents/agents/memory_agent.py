"""`MemoryAwareAgent`: perceive, remember, decide with what is remembered."""

from typing import Any, Literal

from agent_memory.core.errors import InvalidInput
from trading_agents.agents.confidence import ConfidenceRule, OutcomeRecord, WinRateRule, limited
from trading_agents.agents.features import Features, number
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore

Signal = Literal["long", "short", "neutral"]

NEUTRAL_CONFIDENCE = 0.4
"""Of an agent that sees nothing to act on."""

_ILLIQUID = 2.0
_STRONG_MOMENTUM = 1.5
_BIG_PROFIT = 1.0
_RECENT_TRADES = 5
_RECENT_OUTCOMES = 10


class MemoryAwareAgent:
    """An agent with a memory, its own or one that it shares with others. Subclasses say what it decides.

    Args:
        name: stands in the memory beside its votes.
        memory: where it remembers; the memory's clock tells when.
        confidence_rule: how remembered outcomes change its confidence, by at most 30%; see `confidence` for what the
            evidence says about each.
    """

    def __init__(self, name: str, memory: TradingMemoryStore, *, confidence_rule: ConfidenceRule | None = None) -> None:
        self.name = name
        self.memory = memory
        self.confidence_rule = confidence_rule or WinRateRule()

    def perceive(self, symbol: str, bar_time: Any, features: Features) -> None:
        """Remember what is notable about a bar: high illiquidity (z-score above 2), strong momentum (beyond 1.5).

        Raises:
            InvalidInput: a reading is not a number; names it.
        """
        amihud = number(features, "liquidity", "amihud")
        if amihud is not None and amihud > _ILLIQUID:
            self.memory.add(
                kind="market_event",
                content=f"High illiquidity detected: Amihud={amihud:.2f}",
                score=1.5,
                symbol=symbol,
                metadata={"bar_time": str(bar_time), "amihud": amihud},
            )
        momentum = number(features, "sentiment", "momentum")
        if momentum is not None and abs(momentum) > _STRONG_MOMENTUM:
            self.memory.add(
                kind="sentiment_extreme",
                content=f"Strong momentum: {momentum:.2f}",
                score=1.3,
                symbol=symbol,
                metadata={"bar_time": str(bar_time), "momentum": momentum},
            )

    def recall(self, symbol: str, query: str, topk: int = 3) -> list[TradingMemoryItem]:
        """What is remembered about a question, best first; see `TradingMemoryStore.search`."""
        return self.memory.search(query=query, symbol=symbol, topk=topk)

    def act_with_memory(self, symbol: str, bar_time: Any, features: Features) -> tuple[Signal, float, dict[str, Any]]:
        """Decide, adjust the confidence by what came of past trades, and remember the vote.

        Returns:
            The signal; the confidence, 0 to 1; `past_trades`, how many of the last five trades are remembered, and
            `win_rate`, 0 to 1, of the last ten outcomes of the symbol.

        Raises:
            InvalidInput: a reading is not a number; names it.
        """
        recent_trades = self.memory.get_recent(kind="trade", symbol=symbol, n=_RECENT_TRADES)
        signal, confidence = self._base_decision(symbol, features)
        confidence, win_rate = self.weigh(symbol, confidence, self.setup(symbol))
        self.memory.add(
            kind="signal",
            content=f"{self.name} voted {signal} with confidence {confidence:.2f}",
            score=confidence,
            symbol=symbol,
            metadata={"bar_time": str(bar_time), "signal": signal, "confidence": confidence},
        )
        return signal, confidence, {"past_trades": len(recent_trades), "win_rate": win_rate}

    def weigh(self, symbol: str, confidence: float, setup: str = "") -> tuple[float, float]:
        """What past outcomes make of a confidence in a signal on a setup, and their win rate; both 0 to 1."""
        recent = self.memory.get_recent(kind="outcome", symbol=symbol, n=_RECENT_OUTCOMES)
        record = OutcomeRecord(symbol, recent, self._calculate_win_rate(recent), self.memory)
        confidence *= self._trust_in(symbol, setup) * limited(self.confidence_rule.factor(record))
        return min(1.0, max(0.0, confidence)), record.win_rate

    def setup(self, symbol: str) -> str:  # noqa: ARG002
        """What the agent saw at the symbol's last bar that outcomes are remembered by; empty for most agents."""
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
        """Remember what came of a trade. `pnl` is in the account's currency; beyond ±1 it counts twice.

        `setup` is what the agent's `setup` was when the trade was decided, for agents that tell them apart.

        Raises:
            InvalidInput: `pnl` is not a number.
        """
        if pnl is None or pnl != pnl:  # noqa: PLR0124  NaN
            raise InvalidInput("pnl", f"{pnl!r} is not a number")
        outcome = "win" if pnl > 0 else "loss"
        self.memory.add(
            kind="outcome",
            content=f"Trade {trade_id} {outcome}: PnL=${pnl:.2f}",
            score=2.0 if abs(pnl) > _BIG_PROFIT else 1.0,
            symbol=symbol,
            metadata={
                "trade_id": trade_id,
                "pnl": pnl,
                "entry": entry_price,
                "exit": exit_price,
                "outcome": outcome,
            },
        )

    def to_state(self) -> Snapshot:
        """What the agent knows beside its memory, as plain JSON data, for `restore`."""
        return snapshot(type(self).__name__, name=self.name, **self._own_state())

    def restore(self, state: Snapshot) -> None:
        """Know again what was written by `to_state`. `InvalidInput` where it is of another kind of agent or name."""
        data = data_of(state, type(self).__name__)
        name = data.pop("name")
        if name != self.name:
            raise InvalidInput("state", f"is that of {name!r:.40}, not of {self.name}")
        self._restore_own(data)

    def _own_state(self) -> dict[str, Any]:
        """What a subclass knows beside its memory."""
        return {}

    def _restore_own(self, data: dict[str, Any]) -> None:
        """Take back what `_own_state` returned."""

    def _trust_in(self, symbol: str, setup: str) -> float:  # noqa: ARG002
        """What past outcomes on a setup make of the confidence in it. Subclasses override it."""
        return 1.0

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:  # noqa: ARG002
        """What the agent thinks of a bar, before its past trades are considered. Subclasses override it."""
        return "neutral", 0.5

    def _calculate_win_rate(self, outcomes: list[TradingMemoryItem]) -> float:
        """Share of outcomes with a profit, 0 to 1; 0.5 where there are none."""
        if not outcomes:
            return 0.5
        wins = sum(1 for item in outcomes if item.metadata.get("pnl", 0) > 0)
        return wins / len(outcomes)
