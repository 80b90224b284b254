"""Synthetic outcomes with known win probabilities, on the real prices of a file.

The sign of a trade's gross result is chosen so that it wins with the given probability; its size, its daily path and
its costs stay unchanged.
"""

from dataclasses import replace

import numpy as np

from trading_agents.backtest.study.track_record import TrackRecord
from trading_agents.core.arrays import FloatArray


def with_win_probabilities(record: TrackRecord, probabilities: FloatArray, random: np.random.Generator) -> TrackRecord:
    """Return the track record as if each trade won, before costs, with its probability (0 to 1), shape (trades,)."""
    trades = record.trades
    wins = random.random(len(trades)) < probabilities
    sign = np.where(wins == (trades.gross > 0), 1.0, -1.0)
    synthetic = replace(trades, gross=trades.gross * sign, mark_gross=trades.mark_gross * sign[trades.mark_trade])
    return replace(record, trades=synthetic)
