"""Paper trading: agents with memory on bars that arrive one by one, across restarts."""

from trading_agents.paper.bar_feed import BarSource, follow_bars
from trading_agents.paper.bars import PaperBar
from trading_agents.paper.decision_records import BarReport
from trading_agents.paper.loop import DecisionSink, trade_on_paper
from trading_agents.paper.settings import PaperSettings
from trading_agents.paper.state_file import StateFile
from trading_agents.paper.state_in_store import StateInStore
from trading_agents.paper.trader import PaperTrader
from trading_agents.paper.trader_state import TraderState

__all__ = [
    "BarReport",
    "BarSource",
    "DecisionSink",
    "PaperBar",
    "PaperSettings",
    "PaperTrader",
    "StateFile",
    "StateInStore",
    "TraderState",
    "follow_bars",
    "trade_on_paper",
]
