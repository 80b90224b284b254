"""Trades whose chance to win is known, on a file's real prices.

A planted outcome turns a trade's gross result around, so that it wins as often as was planted; its size, its path and
its costs stay what they were.
"""

from dataclasses import replace

import numpy as np

from trading_agents.backtest.study.track_record import Record
from trading_agents.core.arrays import FloatArray


def with_win_chances(record: Record, chances: FloatArray, random: np.random.Generator) -> Record:
    """The record as if each trade had won, before costs, with its own chance (0 to 1), shape (trades,)."""
    trades = record.trades
    wins = random.random(len(trades)) < chances
    turn = np.where(wins == (trades.gross > 0), 1.0, -1.0)
    turned = replace(trades, gross=trades.gross * turn, marked_gross=trades.marked_gross * turn[trades.marked_trade])
    return replace(record, trades=turned)
