"""Paper trading: agents with memory on bars that arrive one by one, across restarts."""

from trading_agents.paper.bars import PaperBar
from trading_agents.paper.csv_follower import follow_csv
from trading_agents.paper.decision_records import BarReport
from trading_agents.paper.loop import DecisionSink, trade_on_paper
from trading_agents.paper.settings import PaperSettings
from trading_agents.paper.state_file import StateFile
from trading_agents.paper.trader import PaperTrader

__all__ = [
    "BarReport",
    "DecisionSink",
    "PaperBar",
    "PaperSettings",
    "PaperTrader",
    "StateFile",
    "follow_csv",
    "trade_on_paper",
]
