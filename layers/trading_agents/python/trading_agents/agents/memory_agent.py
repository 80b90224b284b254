"""`MemoryAwareAgent`: the base class of agents that perceive, remember, and decide with their memory."""

import math
from typing import Any, Literal

from agent_memory import DecisionType, InvalidInput
from trading_agents.agents.confidence import (
    MAX_ADJUSTMENT,
    ConfidenceRule,
    OutcomeRecord,
    WinRateRule,
    limit_adjustment,
)
from trading_agents.agents.features import Features, number
from trading_agents.core.advice import EVEN, NOT_ADVISED, Advised, Adviser, advised_rates
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
_EXPLAINED = 5


class MemoryAwareAgent:
    """An agent with a memory of its own or one that it shares with others. Subclasses define what it decides.

    Args:
        name: recorded in the memory with its votes.
        memory: the store; its clock gives the times.
        confidence_rule: how remembered outcomes change the confidence, by default from ten outcomes on; see
            `confidence` for the evidence on each rule.
        max_adjustment: the largest fraction, 0 to 1, by which all that is remembered together changes a confidence:
            events, outcomes and setups. `confidence.AS_DESIGNED` lifts this limit and that on outcomes.
        explain: whether a vote is remembered with the confidence without memory and the latest items recalled for it,
            which `agent-memory trading page` shows.
        adviser: asked how often the direction succeeds in the context, as `MemoryManager(...).sync`; where its 95 %
            interval excludes one half, the rate over one half is a factor on the confidence, within `max_adjustment`.
            Decisions are to be logged as SIGNAL_GENERATION, with `reasoning.direction` and the context of
            `advice_context`.

    Raises:
        InvalidInput: `max_adjustment` is not from 0 to 1.
    """

    def __init__(
        self,
        name: str,
        memory: TradingMemoryStore,
        *,
        confidence_rule: ConfidenceRule | None = None,
        max_adjustment: float = MAX_ADJUSTMENT,
        adviser: Adviser | None = None,
        explain: bool = False,
    ) -> None:
        if not 0 <= max_adjustment <= 1:
            raise InvalidInput("max_adjustment", f"{max_adjustment!r:.40} is not a number from 0 to 1")
        self.name = name
        self.memory = memory
        self.confidence_rule = confidence_rule or WinRateRule()
        self.max_adjustment, self.adviser, self.explain = max_adjustment, adviser, explain

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
            `win_rate`, 0 to 1, of the last ten outcomes of the symbol. With an adviser also the `memory_ids` that moved
            the confidence.

        Raises:
            InvalidInput: a feature is not a number; names it. Unavailable: the adviser's table did not respond.
        """
        recent_trades = self.memory.get_recent(kind="trade", symbol=symbol, n=_RECENT_TRADES)
        signal, alone = self._base_decision(symbol, features)
        advised = self._advised(symbol, signal, features)
        confidence = alone * self._memory_factor(symbol, features, signal) * advised.rates.get(signal, EVEN) / EVEN
        setup = self.setup(symbol)
        confidence, win_rate = self.adjust_confidence(symbol, confidence, setup, without_memory=alone)
        more = {} if self.adviser is None else {"memory_ids": list(advised.memory_ids)}
        text = f"{self.name} voted {signal} with confidence {confidence:.2f}"
        metadata: dict[str, Any] = {"bar_time": str(bar_time), "signal": signal, "confidence": confidence}
        if self.explain:
            recalled = [item.content for item in self._recalled(symbol, setup)[:_EXPLAINED]]
            metadata |= {"without_memory": alone, "recalled": recalled, "memory_ids": list(advised.memory_ids)}
        self.memory.add("signal", text, confidence, symbol, metadata)
        return signal, confidence, {"past_trades": len(recent_trades), "win_rate": win_rate, **more}

    def adjust_confidence(
        self, symbol: str, confidence: float, setup: str = "", *, without_memory: float | None = None
    ) -> tuple[float, float]:
        """Return a confidence adjusted by past outcomes on the setup, and their win rate; both 0 to 1.

        `without_memory` is the confidence before anything remembered changed it, by default `confidence`. The result
        differs from it by `max_adjustment` at most.
        """
        alone = confidence if without_memory is None else without_memory
        recent = self.memory.get_recent(kind="outcome", symbol=symbol, n=_RECENT_OUTCOMES)
        record = OutcomeRecord(symbol, recent, self._calculate_win_rate(recent), self.memory)
        factor = limit_adjustment(self.confidence_rule.factor(record), self.max_adjustment)
        confidence *= self._setup_factor(symbol, setup) * factor
        lowest, highest = alone * (1 - self.max_adjustment), alone * (1 + self.max_adjustment)
        return min(1.0, max(0.0, lowest, min(highest, confidence))), record.win_rate

    def advice_context(self, symbol: str, features: Features) -> dict[str, Any]:
        """Return the context that advice is asked for, and decisions are logged with: agent, symbol and setup.

        Subclasses may add to it.
        """
        _ = features
        return {"agent": self.name, "symbol": symbol, "setup": self.setup(symbol)}

    def setup(self, symbol: str) -> str:  # noqa: ARG002
        """Return the setup of the symbol's last bar, by which outcomes are remembered; empty for most agents."""
        return ""

    def remember_trade(self, symbol: str, trade_id: str, signal: Signal, entry_price: float) -> None:
        """Remember that a trade was opened; `act_with_memory` counts the last ones.

        Raises:
            InvalidInput: `entry_price` is not a number above 0.
        """
        if not 0 < entry_price < math.inf:
            raise InvalidInput("entry_price", f"{entry_price!r:.40} is not a number above 0")
        text = f"Trade {trade_id} opened: {signal} at {entry_price:g}"
        metadata = {"trade_id": trade_id, "signal": signal, "entry": entry_price}
        self.memory.add("trade", text, 1.0, symbol, metadata)

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

    def _advised(self, symbol: str, signal: Signal, features: Features) -> Advised:
        if signal == "neutral":
            return NOT_ADVISED
        context = self.advice_context(symbol, features)
        return advised_rates(
            self.adviser, DecisionType.SIGNAL_GENERATION, context, ["long", "short"], "reasoning.direction"
        )

    def _recalled(self, symbol: str, setup: str) -> list[TradingMemoryItem]:  # noqa: ARG002
        """Return the outcomes that a decision was adjusted by, latest first. Subclasses may add to it."""
        return self.memory.get_recent(kind="outcome", symbol=symbol, n=_RECENT_OUTCOMES)

    def _setup_factor(self, symbol: str, setup: str) -> float:  # noqa: ARG002
        """Return the factor on the confidence from past outcomes on the setup. Subclasses override it."""
        return 1.0

    def _memory_factor(self, symbol: str, features: Features, signal: Signal) -> float:  # noqa: ARG002
        """Return the factor on the confidence from remembered observations. Subclasses override it.

        It is called once for each bar, after `_base_decision`, whose confidence is the one that the limit is about.
        """
        return 1.0

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:  # noqa: ARG002
        """Return signal and confidence for a bar, before anything remembered is considered. Subclasses override it."""
        return "neutral", 0.5

    def _calculate_win_rate(self, outcomes: list[TradingMemoryItem]) -> float:
        """Return the fraction of outcomes with a profit, 0 to 1; 0.5 if there are none."""
        if not outcomes:
            return 0.5
        wins = sum(1 for item in outcomes if item.metadata.get("pnl", 0) > 0)
        return wins / len(outcomes)
