"""A market hunter whose sources are plug-ins: without memory, and with it."""

from trading_agents.hunting.agent import IntegratedMarketHunterAgent
from trading_agents.hunting.bar_markets import BAR_SOURCES, WARM_UP_BARS, BarMarkets
from trading_agents.hunting.memory_aware import MemoryAwareMarketHunterAgent
from trading_agents.hunting.selection import Selection, SourceScores
from trading_agents.hunting.sources import PRICE_SOURCES, CsvSeries, MarketContext, MarketData, SourceFunction

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
