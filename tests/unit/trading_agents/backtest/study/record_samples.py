"""Track records of real files, and the memory rules by name."""

from functools import cache

from tests.unit.trading_agents.price_samples import real_bars
from trading_agents.backtest.engine.memory_rules import MEMORY_RULES
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.backtest.study.track_record import make_track_record

RULES = {rule.name: rule for rule in MEMORY_RULES}


@cache
def real_record(name, costs_bp):
    """The track record of the textbook agents on a real file; skips the test if the file is missing."""
    bars = real_bars(name)
    return make_track_record(bars, simulate_trades(bars, costs_bp=costs_bp), 366)
