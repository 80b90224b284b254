"""Price bars: of several symbols aligned in time, of one instrument, and read from CSV files."""

from trading_agents.bars.aligned import Bars
from trading_agents.bars.csv_file import TIME_NAMES, BarsError, read_price_bars
from trading_agents.bars.price_bars import PRICES, PriceBars

__all__ = ["PRICES", "TIME_NAMES", "Bars", "BarsError", "PriceBars", "read_price_bars"]
