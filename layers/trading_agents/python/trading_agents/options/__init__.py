"""Option chains from files, as vendors write them."""

from trading_agents.options.reader import ChainFile, ChainSeries, read_option_chains

__all__ = ["ChainFile", "ChainSeries", "read_option_chains"]
