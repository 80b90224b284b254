"""From several agents' votes to one decision, by what each has earned."""

from trading_agents.composing.composer import Composer, FinalSignal, MarketOutcome
from trading_agents.composing.regimes import RegimeMemory
from trading_agents.composing.weights import FixedShare, Hedge, WeightRule

__all__ = ["Composer", "FinalSignal", "FixedShare", "Hedge", "MarketOutcome", "RegimeMemory", "WeightRule"]
