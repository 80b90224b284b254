"""The market hunter, with and without memory. Its sources are plug-ins."""

from trading_agents.market_hunter.agent import IntegratedMarketHunterAgent
from trading_agents.market_hunter.bar_sources import BAR_SOURCES, WARM_UP_BARS, BarMarkets
from trading_agents.market_hunter.memory_aware import MemoryAwareMarketHunterAgent
from trading_agents.market_hunter.selection import Selection, SourceScores
from trading_agents.market_hunter.sources import PRICE_SOURCES, CsvSeries, MarketContext, MarketData, SourceFunction

__all__ = [
    "BAR_SOURCES",
    "PRICE_SOURCES",
    "WARM_UP_BARS",
    "BarMarkets",
    "CsvSeries",
    "IntegratedMarketHunterAgent",
    "MarketContext",
    "MarketData",
    "MemoryAwareMarketHunterAgent",
    "Selection",
    "SourceFunction",
    "SourceScores",
]
