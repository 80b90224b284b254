"""`PaperTrader`: what happens at each bar, in order.

    bar t-1                      bar t                                        bar t+1
    decisions ──────────────────▶ their outcome (open to close of t)
    orders ──▶ fill at the open   ─▶ exits ─▶ health, losses, memories
                                  features ─▶ votes ─▶ one signal ─▶ size ──▶ fill at the open

It does no input or output: bars go in, a report comes out, and `to_state` returns the complete state.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from agent_memory import InvalidInput
from agent_memory.core.ids import check_agent_id
from trading_agents.core.advice import Adviser
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.paper.account import Account
from trading_agents.paper.bar_advice import BarAdvice
from trading_agents.paper.bars import PaperBar
from trading_agents.paper.decision_records import (
    BarReport,
    DecisionWriter,
    PendingDecision,
    exit_outcome,
)
from trading_agents.paper.features import BarFeatures, FeatureWindow
from trading_agents.paper.settings import PaperSettings, settings_from_state
from trading_agents.paper.voting_agents import VotingAgents


class PaperTrader:
    """Five agents with memory, whose votes are composed, sized and traded on paper.

    Args:
        agent_id: under which decisions are logged.
        settings: of the instrument.
        adviser: what memory advises, as `MemoryManager(...).sync`; used if the setting `advice` is on.

    Attributes:
        last_report: of the newest bar.
        trades: number of closed positions of the composed signal.
    """

    def __init__(self, agent_id: str, settings: PaperSettings | None = None, *, adviser: Adviser | None = None) -> None:
        self.agent_id = check_agent_id(agent_id)
        self.settings = settings or PaperSettings()
        self._clock = _BarTime()
        self._adviser = adviser
        self._advice = BarAdvice(adviser) if self.settings.advice else None
        self._feature_window = FeatureWindow()
        self._agents = VotingAgents(self.settings, self._clock, self._advice)
        self._account = Account(self.settings, self._clock, self._advice)
        self._pending: list[PendingDecision] = []
        self.last_report = BarReport()
        self.trades = 0

    @property
    def last_time(self) -> datetime | None:
        """The start of the newest bar."""
        last = self._feature_window.last
        return None if last is None else last.time

    @property
    def known_bars(self) -> tuple[PaperBar, ...]:
        """The newest bars, oldest first, as far as they are kept."""
        return self._feature_window.bars

    @property
    def equity(self) -> float:
        """The equity of the account, starting from 1."""
        return self._account.losses.equity

    @property
    def advice(self) -> dict[str, dict[str, Any]]:
        """What memory advised on the newest bar, for `on_bar`; empty if the trader follows no advice."""
        return {} if self._advice is None else self._advice.answers

    def on_bar(self, bar: PaperBar, advice: Mapping[str, dict[str, Any]] | None = None) -> BarReport:
        """Process the next bar: outcomes of earlier decisions, and the decisions at its close.

        `advice` is what memory advised when the bar was decided before; by default it is asked.

        Raises:
            InvalidInput: the bar is not later than the one before, or a feature is not a number.
            Unavailable: the adviser's table did not respond; use `restore` before the next bar.
        """
        before = self._feature_window.last
        if before is not None and bar.time <= before.time:
            raise InvalidInput("time", f"{bar.time} is not later than the bar before, {before.time}")
        end = bar.time + timedelta(seconds=self.settings.bar_seconds)
        self._clock.now = end.timestamp()
        if self._advice is not None:
            self._advice.begin(advice)
        report = BarReport()
        self._resolve(bar, before, end, report)
        self._feature_window.add(bar)
        features = self._feature_window.newest() if self._may_trade(bar) else None
        if features is not None:
            self._decide(bar, end, features, report)
        if before is not None and bar.time.date() != before.time.date():
            self._agents.clean_up()
            self._account.clean_up()
        self.last_report = report
        return report

    def _may_trade(self, bar: PaperBar) -> bool:
        return self.settings.trade_from is None or bar.time >= self.settings.trade_from

    def _resolve(self, bar: PaperBar, before: PaperBar | None, end: datetime, report: BarReport) -> None:
        """Judge earlier decisions and update positions by the bar."""
        market_return = bar.close / bar.open - 1
        for pending in self._pending:
            report.outcomes.append(pending.outcome(market_return, end))
            if pending.is_composed:
                self._account.learn(pending.decision_id, market_return)
        self._pending = []
        self._agents.on_bar(bar)
        trade = self._account.on_bar(bar, before)
        if trade is not None:
            self.trades += 1
            report.exits.append(exit_outcome(trade, end))

    def _decide(self, bar: PaperBar, end: datetime, features: BarFeatures, report: BarReport) -> None:
        sizing = self._account.sizing(features.condition)
        market = {"volatility": sizing.volatility_name, "trend": features.trend}
        entries = DecisionWriter(self.agent_id, self.settings.symbol, end, market)
        votes = self._agents.vote(bar, features)
        vote_ids = [entries.vote_id(vote.agent) for vote in votes]
        held = self._account.book.position is not None
        signal = self._account.compose(self._agents.for_composer(votes), entries.trade_id)
        opened = self._account.place_order(signal, sizing, bar.close, features.atr)
        if features.atr > 0:
            self._agents.place_orders(votes, vote_ids, bar.close, features)
        report.decisions += [entries.vote(vote) for vote in votes]
        report.decisions.append(entries.trade(signal, sizing, votes, opened=opened, held=held))
        move = sizing.typical_move
        self._pending = [PendingDecision(entries.vote_id(one.agent), one.signal, one.confidence, move) for one in votes]
        self._pending.append(PendingDecision(entries.trade_id, str(signal), signal.confidence, move, is_composed=True))

    # --- state ---------------------------------------------------------------------------------

    def to_state(self) -> Snapshot:
        """Return the complete state as plain JSON data, for `from_state`."""
        return snapshot(
            "PaperTrader",
            agent_id=self.agent_id,
            settings=self.settings.to_state(),
            now=self._clock.now,
            readings=self._feature_window.to_state(),
            panel=self._agents.to_state(),
            portfolio=self._account.to_state(),
            waiting=[one.to_state() for one in self._pending],
            last_report=asdict(self.last_report),
            trades=self.trades,
        )

    @classmethod
    def from_state(cls, state: Snapshot, *, adviser: Adviser | None = None) -> "PaperTrader":
        """Return the trader of a snapshot. `InvalidInput` if `state` is not one."""
        data: dict[str, Any] = data_of(state, "PaperTrader")
        trader = cls(data["agent_id"], settings_from_state(data["settings"]), adviser=adviser)
        trader._clock.now = data["now"]
        trader._feature_window = FeatureWindow.from_state(data["readings"])
        trader._agents.restore(data["panel"])
        trader._account.restore(data["portfolio"])
        trader._pending = [PendingDecision.from_state(one) for one in data["waiting"]]
        trader.last_report = BarReport(**data["last_report"])
        trader.trades = data["trades"]
        return trader

    def restore(self, state: Snapshot) -> None:
        """Return to a snapshot of this trader, after a bar that failed. `InvalidInput` if `state` is not one."""
        vars(self).update(vars(PaperTrader.from_state(state, adviser=self._adviser)))


class _BarTime:
    """A clock that shows the end of the newest bar, in seconds since the epoch."""

    now = 0.0

    def __call__(self) -> float:
        return self.now
