"""Price bars: of one instrument, of several symbols aligned in time, and the reader of files."""

from trading_agents.bars.aligned import Bars, align
from trading_agents.bars.column_names import PRICES
from trading_agents.bars.errors import BarsError, NoBarsError
from trading_agents.bars.file_contents import without_endings
from trading_agents.bars.price_bars import PriceBars
from trading_agents.bars.reader import BarFile, Now, Series, read_bars, read_price_bars, spacing_seconds

__all__ = [
    "PRICES",
    "BarFile",
    "Bars",
    "BarsError",
    "NoBarsError",
    "Now",
    "PriceBars",
    "Series",
    "align",
    "read_bars",
    "read_price_bars",
    "spacing_seconds",
    "without_endings",
]
