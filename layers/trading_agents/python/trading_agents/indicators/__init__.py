"""Features of prices and option chains, each with its formula and source. None of them looks ahead."""

from trading_agents.indicators.feature_table import FeatureTable
from trading_agents.indicators.market_condition import market_condition
from trading_agents.indicators.option_chain import OptionChain

__all__ = ["FeatureTable", "OptionChain", "market_condition"]
