"""`Portfolio`: the composed signal's position, its size, and what it earned."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.memory import TradingMemoryStore
from trading_agents.paper.bars import PaperBar
from trading_agents.paper.book import Book, ClosedTrade, Position
from trading_agents.paper.settings import PaperSettings
from trading_agents.paper.voting_agents import memory_for
from trading_agents.portfolio import Composer, FinalSignal, MarketOutcome
from trading_agents.portfolio.composer import DIRECTIONS, Vote
from trading_agents.risk import LossMemory, VolatilityMemory

_CALMER, _WILDER = 1.1, 0.9


@dataclass(frozen=True, slots=True)
class Sizing:
    """How large a position may be: `size` is the product of the two. `usual_move` is one bar's volatility."""

    volatility: float
    exposure: float
    usual_move: float

    @property
    def size(self) -> float:
        """What a position's full size is multiplied with."""
        return self.volatility * self.exposure

    @property
    def name(self) -> str:
        """The market's volatility against its long memory, in a word."""
        if self.volatility > _CALMER:
            return "low"
        return "high" if self.volatility < _WILDER else "normal"


class Portfolio:
    """Composes votes, sizes positions by remembered volatility and losses, and trades them on paper.

    While losses make it pause, its trades go on with size 0: one that wins ends the pause.
    """

    def __init__(self, settings: PaperSettings, clock: Callable[[], float]) -> None:
        self._symbol, self._clock = settings.symbol, clock
        self._memory = memory_for(settings, clock)
        self.composer = Composer(self._memory)
        self.losses = LossMemory(self._memory)
        self.volatility = VolatilityMemory(settings.daily_bars)
        self.book = Book(settings.costs_bp, settings.hold_bars, settings.bracket)

    def on_bar(self, bar: PaperBar, before: PaperBar | None) -> ClosedTrade | None:
        """Move the position; a trade that ends counts as gained or lost."""
        if before is not None:
            self.volatility.observe(math.log(bar.close / before.close))
        trade = self.book.on_bar(bar)
        if trade is not None:
            was_on_paper = trade.position.size == 0
            self.losses.record(math.expm1(trade.net) if was_on_paper else trade.account_return, on_paper=was_on_paper)
        return trade

    def compose(self, votes: list[Vote], decision_id: str) -> FinalSignal:
        """One signal from the votes."""
        return self.composer.decide(votes, symbol=self._symbol, decision_id=decision_id)

    def learn(self, decision_id: str, market_return: float) -> None:
        """Weigh the agents anew by what the market did after a composed decision."""
        self.composer.learn([MarketOutcome(decision_id, market_return)])

    def sizing(self) -> Sizing:
        """What a new position's size would be multiplied with."""
        return Sizing(self.volatility.multiplier, self.losses.exposure, self.volatility.sigma or 0.0)

    def follow(self, signal: FinalSignal, size: float, close: float, atr: float) -> bool:
        """Order what was composed; returns whether it did, which it does where the book is empty."""
        direction = DIRECTIONS[signal]
        if not direction or self.book.position is not None or not atr > 0:
            return False
        self.book.order(Position(signal.decision_id, direction, size, close, atr))
        return True

    def clean_up(self) -> None:
        """Forget what has faded."""
        self._memory.cleanup()

    def to_state(self) -> Snapshot:
        """Everything it knows, for `restore`."""
        return snapshot(
            "Portfolio",
            memory=self._memory.to_state(),
            composer=self.composer.to_state(),
            losses=self.losses.to_state(),
            volatility=self.volatility.to_state(),
            book=self.book.to_state(),
        )

    def restore(self, state: Snapshot) -> None:
        """Take back what was written. `InvalidInput` where `state` is none."""
        data = data_of(state, "Portfolio")
        self._memory = TradingMemoryStore.from_state(data["memory"], clock=self._clock)
        self.composer = Composer.from_state(data["composer"], self._memory)
        self.losses = LossMemory.from_state(data["losses"], self._memory)
        self.volatility = VolatilityMemory.from_state(data["volatility"])
        self.book.restore(data["book"])
