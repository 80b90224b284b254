"""Trading agents that log what they decide and learn from what came of it."""

from trading_agents.decisions import AGENT_ID
from trading_agents.features import WARM_UP_BARS, Features, MarketRow, features_of
from trading_agents.market import Bars
from trading_agents.market_hunter import MarketHunter

__all__ = ["AGENT_ID", "WARM_UP_BARS", "Bars", "Features", "MarketHunter", "MarketRow", "features_of"]
