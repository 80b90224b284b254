"""`Account`: the position of the composed signal, its size, and the equity."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from trading_agents.core.advice import Adviser
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.memory import TradingMemoryStore
from trading_agents.paper.bars import PaperBar
from trading_agents.paper.book import Book, ClosedTrade, Position
from trading_agents.paper.settings import PaperSettings
from trading_agents.paper.voting_agents import memory_for
from trading_agents.portfolio import Composer, FinalSignal, MarketOutcome
from trading_agents.portfolio.composer import DIRECTIONS, Vote
from trading_agents.risk import CostGate, LossMemory, RegimeLosses, RegimeSize, VolatilityMemory

_LOW_VOLATILITY_FROM, _HIGH_VOLATILITY_UNTIL = 1.1, 0.9


@dataclass(frozen=True, slots=True)
class Sizing:
    """The size of a position: the product of its multipliers.

    Attributes:
        volatility: by remembered volatility.
        exposure: by drawdown and losses, 0 to 1.
        typical_move: the volatility of one bar.
        condition: of the market, empty while it is unknown.
        by_regime: by the last results in that condition; None unless the setting `size_by_regime` is on.
    """

    volatility: float
    exposure: float
    typical_move: float
    condition: str = ""
    by_regime: RegimeSize | None = None

    @property
    def size(self) -> float:
        """The factor on a full position."""
        return self.volatility * self.exposure * (1.0 if self.by_regime is None else self.by_regime.factor)

    @property
    def volatility_name(self) -> str:
        """The volatility of the market relative to its long-term level, in one word."""
        if self.volatility > _LOW_VOLATILITY_FROM:
            return "low"
        return "high" if self.volatility < _HIGH_VOLATILITY_UNTIL else "normal"


class Account:
    """Composes votes, sizes positions by remembered volatility and losses, and trades them on paper.

    During a pause after losses, trades continue with size 0: the first that wins ends the pause.
    """

    def __init__(self, settings: PaperSettings, clock: Callable[[], float], adviser: Adviser | None = None) -> None:
        self._symbol, self._clock, self._adviser = settings.symbol, clock, adviser
        self._capital, self._sizes_by_regime = settings.capital, settings.size_by_regime
        self._memory = memory_for(settings, clock)
        self._regime_losses = RegimeLosses(self._memory)
        self.composer = Composer(self._memory, adviser=adviser)
        self.losses = LossMemory(self._memory)
        self.volatility = VolatilityMemory(settings.daily_bars)
        self._gate = CostGate() if settings.cost_gate else None
        self._is_costly = False
        self.book = Book(settings.costs_bp, settings.hold_bars, settings.bracket)

    def on_bar(self, bar: PaperBar, before: PaperBar | None) -> ClosedTrade | None:
        """Update the position; a closed trade counts towards equity and losses."""
        if before is not None:
            self.volatility.observe(math.log(bar.close / before.close))
        if self._gate is not None and bar.spread_close is not None:
            spread = bar.spread_close / bar.close
            self._gate.observe(spread, self._clock())
            self._is_costly = not self._gate.allows(spread)
        trade = self.book.on_bar(bar)
        if trade is not None:
            was_on_paper = trade.position.size == 0
            self.losses.record(math.expm1(trade.net) if was_on_paper else trade.account_return, on_paper=was_on_paper)
            if self._sizes_by_regime and trade.position.condition:
                profit = self._capital * math.expm1(trade.net)
                self._regime_losses.remember(self._symbol, trade.position.condition, profit)
        return trade

    def compose(self, votes: list[Vote], decision_id: str) -> FinalSignal:
        """Return one signal from the votes."""
        return self.composer.decide(votes, symbol=self._symbol, decision_id=decision_id)

    def learn(self, decision_id: str, market_return: float) -> None:
        """Update the weights of the agents by the market's return after a composed decision."""
        self.composer.learn([MarketOutcome(decision_id, market_return)])

    def sizing(self, condition: str) -> Sizing:
        """Return the size of a new position in a condition of the market."""
        by_regime = self._regime_losses.size(self._symbol, condition) if self._sizes_by_regime else None
        volatility = self.volatility
        return Sizing(volatility.multiplier, self.losses.exposure, volatility.sigma or 0.0, condition, by_regime)

    def place_order(self, signal: FinalSignal, sizing: Sizing, close: float, atr: float) -> bool:
        """Order the composed signal if there is no open position and the spread allows it; returns whether it did."""
        direction = DIRECTIONS[signal]
        if not direction or self.book.position is not None or self._is_costly or not atr > 0:
            return False
        position = Position(signal.decision_id, direction, sizing.size, close, atr, condition=sizing.condition)
        self.book.order(position)
        return True

    def clean_up(self) -> None:
        """Remove items that have lost their importance."""
        self._memory.cleanup()

    def to_state(self) -> Snapshot:
        """Return the complete state, for `restore`."""
        return snapshot(
            "Portfolio",
            memory=self._memory.to_state(),
            composer=self.composer.to_state(),
            losses=self.losses.to_state(),
            volatility=self.volatility.to_state(),
            book=self.book.to_state(),
            **({} if self._gate is None else {"cost_gate": self._gate.to_state(), "is_costly": self._is_costly}),
        )

    def restore(self, state: Snapshot) -> None:
        """Restore a snapshot. `InvalidInput` if `state` is not one."""
        data = data_of(state, "Portfolio")
        self._memory = TradingMemoryStore.from_state(data["memory"], clock=self._clock)
        self.composer = Composer.from_state(data["composer"], self._memory, adviser=self._adviser)
        self._regime_losses = RegimeLosses(self._memory)
        self.losses = LossMemory.from_state(data["losses"], self._memory)
        self.volatility = VolatilityMemory.from_state(data["volatility"])
        self.book.restore(data["book"])
        if self._gate is not None:
            self._gate, self._is_costly = CostGate.from_state(data["cost_gate"]), data["is_costly"]
