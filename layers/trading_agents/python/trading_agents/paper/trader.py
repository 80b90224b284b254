"""`PaperTrader`: what happens at each bar, in one place and in one order.

    bar t-1                      bar t                                        bar t+1
    decisions ──────────────────▶ their outcome (open to close of t)
    orders ──▶ fill at the open   ─▶ exits ─▶ health, losses, memories
                                  features ─▶ votes ─▶ one signal ─▶ size ──▶ fill at the open

It neither waits nor writes: bars go in, a report comes out, and `to_state` is everything it knows.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from agent_memory.core.errors import InvalidInput
from agent_memory.core.names import check_agent_id
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.paper.account import Portfolio
from trading_agents.paper.bars import PaperBar
from trading_agents.paper.decision_records import BarReport, Waiting, Writer, exit_outcome
from trading_agents.paper.features import Reading, Readings
from trading_agents.paper.settings import PaperSettings, settings_of
from trading_agents.paper.voting_agents import Panel


class PaperTrader:
    """Five agents with memory, composed, sized and traded on paper.

    Args:
        agent_id: under which decisions are logged.
        settings: of the instrument.

    Attributes:
        last_report: what the newest bar brought.
        trades: composed positions that have ended.
    """

    def __init__(self, agent_id: str, settings: PaperSettings | None = None) -> None:
        self.agent_id = check_agent_id(agent_id)
        self.settings = settings or PaperSettings()
        self._now = 0.0
        self._readings = Readings()
        self._panel = Panel(self.settings, self._clock)
        self._portfolio = Portfolio(self.settings, self._clock)
        self._waiting: list[Waiting] = []
        self.last_report = BarReport()
        self.trades = 0

    @property
    def last_time(self) -> datetime | None:
        """When the newest bar began."""
        last = self._readings.last
        return None if last is None else last.time

    @property
    def equity(self) -> float:
        """The account, in units of what it began with."""
        return self._portfolio.losses.equity

    def on_bar(self, bar: PaperBar) -> BarReport:
        """Take in the next bar: what came of earlier decisions, and the decisions at its close.

        Raises:
            InvalidInput: the bar is not later than the one before, or a reading is no number.
        """
        before = self._readings.last
        if before is not None and bar.time <= before.time:
            raise InvalidInput("time", f"{bar.time} is not later than the bar before, {before.time}")
        end = bar.time + timedelta(seconds=self.settings.bar_seconds)
        self._now = end.timestamp()
        report = BarReport()
        self._resolve(bar, before, end, report)
        self._readings.add(bar)
        reading = self._readings.read() if self._may_trade(bar) else None
        if reading is not None:
            self._decide(bar, end, reading, report)
        if before is not None and bar.time.date() != before.time.date():
            self._panel.clean_up()
            self._portfolio.clean_up()
        self.last_report = report
        return report

    def _clock(self) -> float:
        return self._now

    def _may_trade(self, bar: PaperBar) -> bool:
        return self.settings.trade_from is None or bar.time >= self.settings.trade_from

    def _resolve(self, bar: PaperBar, before: PaperBar | None, end: datetime, report: BarReport) -> None:
        """What the bar tells of decisions and positions before it."""
        market_return = bar.close / bar.open - 1
        for waiting in self._waiting:
            report.outcomes.append(waiting.outcome(market_return, end))
            if waiting.is_composed:
                self._portfolio.learn(waiting.decision_id, market_return)
        self._waiting = []
        self._panel.on_bar(bar)
        trade = self._portfolio.on_bar(bar, before)
        if trade is not None:
            self.trades += 1
            report.exits.append(exit_outcome(trade, end))

    def _decide(self, bar: PaperBar, end: datetime, reading: Reading, report: BarReport) -> None:
        sizing = self._portfolio.sizing()
        market = {"volatility": sizing.name, "trend": reading.trend}
        writer = Writer(self.agent_id, self.settings.symbol, end, market)
        votes = self._panel.vote(bar, reading)
        vote_ids = [writer.vote_id(vote.agent) for vote in votes]
        held = self._portfolio.book.position is not None
        signal = self._portfolio.compose(self._panel.for_composer(votes), writer.trade_id)
        opened = self._portfolio.follow(signal, sizing.size, bar.close, reading.atr)
        if reading.atr > 0:
            self._panel.follow(votes, vote_ids, bar.close, reading.atr)
        report.decisions += [writer.vote(vote) for vote in votes]
        report.decisions.append(writer.trade(signal, sizing, votes, opened=opened, held=held))
        move = sizing.usual_move
        self._waiting = [Waiting(writer.vote_id(one.agent), one.signal, one.confidence, move) for one in votes]
        self._waiting.append(Waiting(writer.trade_id, str(signal), signal.confidence, move, is_composed=True))

    # --- its state -----------------------------------------------------------------------------

    def to_state(self) -> Snapshot:
        """Everything it knows as plain JSON data, for `from_state`."""
        return snapshot(
            "PaperTrader",
            agent_id=self.agent_id,
            settings=self.settings.to_state(),
            now=self._now,
            readings=self._readings.to_state(),
            panel=self._panel.to_state(),
            portfolio=self._portfolio.to_state(),
            waiting=[asdict(one) for one in self._waiting],
            last_report=asdict(self.last_report),
            trades=self.trades,
        )

    @classmethod
    def from_state(cls, state: Snapshot) -> "PaperTrader":
        """The trader that was written. `InvalidInput` where `state` is none."""
        data: dict[str, Any] = data_of(state, "PaperTrader")
        trader = cls(data["agent_id"], settings_of(data["settings"]))
        trader._now = data["now"]
        trader._readings = Readings.from_state(data["readings"])
        trader._panel.restore(data["panel"])
        trader._portfolio.restore(data["portfolio"])
        trader._waiting = [Waiting(**one) for one in data["waiting"]]
        trader.last_report = BarReport(**data["last_report"])
        trader.trades = data["trades"]
        return trader
