"""How votes, trades and their outcomes are written to the decision log.

- SIGNAL_GENERATION: one agent's vote. Its outcome is the next bar, from open to close: a direction is right if the
  price moved that way, `neutral` if it moved less than is typical. `quality` is 1 - (confidence - right)².
- TRADE: the composed signal, with the votes as parents. Its outcome at the horizon `next_bar` is judged alike. If it
  opened a position, the headline outcome has the horizon `exit`: a success if the trade earned more than its costs.

Ids are derived from type, time and name: trading the same bar again from the same state gives the same decisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from agent_memory import DecisionType
from agent_memory.core.ids import decision_id_for
from trading_agents.paper.account import Sizing
from trading_agents.paper.book import ClosedTrade
from trading_agents.paper.voting_agents import AgentVote
from trading_agents.portfolio import FinalSignal
from trading_agents.portfolio.composer import DIRECTIONS

LogEntry = dict[str, Any]

TRADE = "TRADE"
NEXT_BAR, EXIT = "next_bar", "exit"

_ROUND = 6


@dataclass(slots=True)
class BarReport:
    """What to log for one bar, as arguments of `log_decision` and `log_outcome`.

    Attributes:
        decisions: made at its close.
        outcomes: of the decisions at the previous close.
        exits: outcomes of decisions whose position was closed.
    """

    decisions: list[LogEntry] = field(default_factory=list)
    outcomes: list[LogEntry] = field(default_factory=list)
    exits: list[LogEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DecisionWriter:
    """Creates the log entries of one bar. `at` is the end of the bar."""

    agent_id: str
    symbol: str
    at: datetime
    market: LogEntry

    def id_of(self, decision_type: str, name: str) -> str:
        """Return the id of a decision made at this bar."""
        return decision_id_for(decision_type, self.at, f"{self.agent_id}/{self.symbol}/{name}")

    def vote_id(self, agent: str) -> str:
        """Return the id of an agent's vote."""
        return self.id_of(DecisionType.SIGNAL_GENERATION, agent)

    @property
    def trade_id(self) -> str:
        """The id of the composed decision."""
        return self.id_of(TRADE, "composed")

    def vote(self, vote: AgentVote) -> LogEntry:
        """Return the entry of one agent's vote; one that may follow advice has what the next advice is learned from."""
        follows_advice = bool(vote.advice_context)
        return {
            "decision_type": str(DecisionType.SIGNAL_GENERATION),
            "decision_id": self.vote_id(vote.agent),
            "context": {"market": self.market, "symbol": self.symbol, **vote.advice_context},
            "reasoning": {
                "source": vote.agent,
                "signal": vote.signal,
                "confidence": _rounded(vote.confidence),
                "win_rate": _rounded(vote.win_rate),
                "retired": vote.is_retired,
                **({"left_out": True} if vote.is_left_out else {}),
                **({"direction": vote.signal, "agent": vote.agent} if follows_advice else {}),
            },
            **({"memory_ids": list(vote.memory_ids)} if vote.memory_ids else {}),
        }

    def trade(
        self, signal: FinalSignal, sizing: Sizing, votes: list[AgentVote], *, opened: bool, held: bool
    ) -> LogEntry:
        """Return the entry of the composed decision. `held`: there was an open position already."""
        return {
            "decision_type": TRADE,
            "decision_id": self.trade_id,
            "context": {"market": self.market, "symbol": self.symbol},
            "reasoning": {
                "signal": str(signal),
                "confidence": _rounded(signal.confidence),
                "score": _rounded(signal.context["score"]),
                "weights": {name: _rounded(weight) for name, weight in signal.context["weights"].items()},
                "action": "open" if opened else "hold" if held else "stay out",
                "size": _rounded(sizing.size if opened else 0.0),
                "volatility_multiplier": _rounded(sizing.volatility),
                "exposure": _rounded(sizing.exposure),
                **_by_regime(sizing),
            },
            "parent_ids": [self.vote_id(vote.agent) for vote in votes],
            **({"memory_ids": list(moved_by)} if (moved_by := signal.context.get("memory_ids")) else {}),
        }


@dataclass(frozen=True, slots=True)
class PendingDecision:
    """A decision that the next bar will judge; a neutral one is right if the price moves less than `typical_move`."""

    decision_id: str
    signal: str
    confidence: float
    typical_move: float
    is_composed: bool = False

    def to_state(self) -> LogEntry:
        """Return the decision as plain JSON data."""
        return {
            "decision_id": self.decision_id,
            "signal": self.signal,
            "confidence": self.confidence,
            "usual_move": self.typical_move,
            "is_composed": self.is_composed,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Return the decision that `to_state` described."""
        signal, confidence, typical_move = state["signal"], state["confidence"], state["usual_move"]
        return cls(state["decision_id"], signal, confidence, typical_move, is_composed=state["is_composed"])

    def outcome(self, market_return: float, at: datetime) -> LogEntry:
        """Return the entry of its outcome from the market's return in the next bar, as a fraction."""
        direction = DIRECTIONS[self.signal]
        was_right = direction * market_return > 0 if direction else abs(market_return) < self.typical_move
        entry = {
            "decision_id": self.decision_id,
            "outcome": {"market_return": _rounded(market_return)},
            "success": was_right,
            "metrics": {"quality": _rounded(1 - (self.confidence - was_right) ** 2)},
            "timestamp": _iso(at),
        }
        return entry | ({"horizon": NEXT_BAR} if self.is_composed else {})


def exit_outcome(trade: ClosedTrade, at: datetime) -> LogEntry:
    """Return the entry of the outcome of a composed decision's position."""
    position = trade.position
    return {
        "decision_id": position.decision_id,
        "outcome": {
            "entry": position.entry,
            "exit": _rounded(trade.exit_price),
            "ended_by": trade.exit_reason,
            "bars": position.bars_held,
            "size": _rounded(position.size),
            "net_return": _rounded(trade.net),
        },
        "success": trade.net > 0,
        "metrics": {"account_return": _rounded(trade.account_return)},
        "horizon": EXIT,
        "headline": True,
        "timestamp": _iso(at),
    }


def _by_regime(sizing: Sizing) -> LogEntry:
    """Return what a position's size by regime rests on; nothing if the rule is off."""
    if sizing.by_regime is None:
        return {}
    return {"condition": sizing.condition, "regime_multiplier": _rounded(sizing.by_regime.factor)}


def _rounded(value: float) -> float:
    return round(float(value), _ROUND)


def _iso(at: datetime) -> str:
    return at.isoformat()
