"""The report of the backtest: a Markdown page with plots, and the same as one HTML file."""

from trading_agents.backtest.report.markdown import Run
from trading_agents.backtest.report.writer import write_report

__all__ = ["Run", "write_report"]
