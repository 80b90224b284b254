"""From the votes of several agents to one decision, weighted by what each agent has earned."""

from trading_agents.portfolio.composer import Composer, FinalSignal, MarketOutcome
from trading_agents.portfolio.regime_switch import RegimeSwitch
from trading_agents.portfolio.regimes import RegimeMemory
from trading_agents.portfolio.weights import FixedShare, Hedge, WeightRule

__all__ = [
    "Composer",
    "FinalSignal",
    "FixedShare",
    "Hedge",
    "MarketOutcome",
    "RegimeMemory",
    "RegimeSwitch",
    "WeightRule",
]
