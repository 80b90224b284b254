"""How votes, trades and what came of them are written into the decision log.

- SIGNAL_GENERATION: one agent's vote. Its outcome is the next bar, from open to close: a direction is right if
  the price moved that way, `neutral` if it moved less than it usually does. `quality` is 1 - (confidence - right)².
- TRADE: the composed signal, with the votes as parents. Its outcome at the horizon `next_bar` is told alike; where it
  opened a position, the headline is the horizon `exit`: a success if the trade earned more than its costs.

Ids follow from type, time and name: the same bar, traded again by the same state, is the same decisions.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent_memory.core.ids import decision_id_for
from agent_memory.model.decisions import DecisionType
from trading_agents.paper.account import Sizing
from trading_agents.paper.book import ClosedTrade
from trading_agents.paper.voting_agents import AgentVote
from trading_agents.portfolio import FinalSignal
from trading_agents.portfolio.composer import DIRECTIONS

Record = dict[str, Any]

TRADE = "TRADE"
NEXT_BAR, EXIT = "next_bar", "exit"

_ROUND = 6


@dataclass(slots=True)
class BarReport:
    """What one bar brought, as arguments of `log_decision` and `log_outcome`.

    Attributes:
        decisions: made at its close.
        outcomes: of the decisions at the close before.
        exits: further outcomes, of decisions whose position ended.
    """

    decisions: list[Record] = field(default_factory=list)
    outcomes: list[Record] = field(default_factory=list)
    exits: list[Record] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the decisions of one bar. `at` is the bar's end."""

    agent_id: str
    symbol: str
    at: datetime
    market: Record

    def id_of(self, decision_type: str, name: str) -> str:
        """The id of a decision that is made at this bar."""
        return decision_id_for(decision_type, self.at, f"{self.agent_id}/{self.symbol}/{name}")

    def vote_id(self, agent: str) -> str:
        """The id of an agent's vote."""
        return self.id_of(DecisionType.SIGNAL_GENERATION, agent)

    @property
    def trade_id(self) -> str:
        """The id of the composed decision."""
        return self.id_of(TRADE, "composed")

    def vote(self, vote: AgentVote) -> Record:
        """The decision of one agent."""
        return {
            "decision_type": str(DecisionType.SIGNAL_GENERATION),
            "decision_id": self.vote_id(vote.agent),
            "context": {"market": self.market, "symbol": self.symbol},
            "reasoning": {
                "source": vote.agent,
                "signal": vote.signal,
                "confidence": _rounded(vote.confidence),
                "win_rate": _rounded(vote.win_rate),
                "retired": vote.is_retired,
            },
        }

    def trade(self, signal: FinalSignal, sizing: Sizing, votes: list[AgentVote], *, opened: bool, held: bool) -> Record:
        """The composed decision. `held`: a position is open already."""
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
            },
            "parent_ids": [self.vote_id(vote.agent) for vote in votes],
        }


@dataclass(frozen=True, slots=True)
class Waiting:
    """A decision that the next bar judges. `usual_move` is what a neutral one stays below."""

    decision_id: str
    signal: str
    confidence: float
    usual_move: float
    is_composed: bool = False

    def outcome(self, market_return: float, at: datetime) -> Record:
        """What came of it: the market's return in the next bar, as a fraction."""
        direction = DIRECTIONS[self.signal]
        was_right = direction * market_return > 0 if direction else abs(market_return) < self.usual_move
        report = {
            "decision_id": self.decision_id,
            "outcome": {"market_return": _rounded(market_return)},
            "success": was_right,
            "metrics": {"quality": _rounded(1 - (self.confidence - was_right) ** 2)},
            "timestamp": _text(at),
        }
        return report | ({"horizon": NEXT_BAR} if self.is_composed else {})


def exit_outcome(trade: ClosedTrade, at: datetime) -> Record:
    """What came of a composed decision's position."""
    position = trade.position
    return {
        "decision_id": position.decision_id,
        "outcome": {
            "entry": position.entry,
            "exit": _rounded(trade.exit),
            "ended_by": trade.ending,
            "bars": position.bars_held,
            "size": _rounded(position.size),
            "net_return": _rounded(trade.net),
        },
        "success": trade.net > 0,
        "metrics": {"account_return": _rounded(trade.account_return)},
        "horizon": EXIT,
        "headline": True,
        "timestamp": _text(at),
    }


def _rounded(value: float) -> float:
    return round(float(value), _ROUND)


def _text(at: datetime) -> str:
    return at.isoformat()
