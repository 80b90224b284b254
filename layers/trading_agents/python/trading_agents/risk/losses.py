"""`LossMemory`: losing streaks and drawdowns reduce exposure and pause trading for a while."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from agent_memory import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.memory import TradingMemoryStore

Reason = Literal["losing streak", "drawdown"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Why trading pauses, and since when, in seconds since the epoch."""

    reason: Reason
    since: float


class LossMemory:
    """Remembers consecutive losses and the drawdown from peak equity, and limits exposure accordingly.

    Exposure falls linearly from 1 without drawdown to `least_exposure` at `max_drawdown`. Trading pauses after
    `max_losses` consecutive losses or at `max_drawdown`, and resumes after `pause_seconds`, or as soon as a trade on
    paper wins. After a drawdown pause the drawdown is measured from the equity at that time; otherwise trading would
    pause again at once.

    Evidence (decision record 0025): wins and losses do not come in streaks that can be traded
    (correlation with the last twenty -0.03 to -0.01). A pause after three losses (docs/does-memory-help.md) changed the
    Sharpe ratio by -0.23 to +0.11, with 0 in the interval on 3 of 3 files; on BTC the maximum drawdown changed by +48
    [-3, +100] %. It limits what can be lost before somebody looks at it; it does not improve results.

    Args:
        memory: where pauses and resumptions are remembered with the kind `risk`; its clock gives the time.
        max_losses: consecutive losses that pause trading.
        max_drawdown: drawdown from peak equity, above 0 to 1, that pauses trading; 1 for no limit.
        pause_seconds: how long a pause lasts unless a paper trade wins.
        least_exposure: exposure at the largest drawdown, 0 to 1.
        symbol: the symbol of the remembered items.
    """

    def __init__(
        self,
        memory: TradingMemoryStore,
        *,
        max_losses: int = 5,
        max_drawdown: float = 0.1,
        pause_seconds: float = 86_400,
        least_exposure: float = 0.5,
        symbol: str = "PORTFOLIO",
    ) -> None:
        if max_losses < 1:
            raise InvalidInput("max_losses", f"{max_losses!r} is not 1 or more")
        if not 0 < max_drawdown <= 1:
            raise InvalidInput("max_drawdown", f"{max_drawdown!r} is not above 0 and at most 1")
        if not 0 <= least_exposure <= 1:
            raise InvalidInput("least_exposure", f"{least_exposure!r} is not between 0 and 1")
        if not pause_seconds > 0:
            raise InvalidInput("pause_seconds", f"{pause_seconds!r} is not above 0")
        self._memory, self._symbol = memory, symbol
        self._max_losses, self._max_drawdown = max_losses, max_drawdown
        self._pause_seconds, self._least_exposure = pause_seconds, least_exposure
        self._equity = self._peak = 1.0
        self._pause: Pause | None = None
        self.losing_streak = 0
        self.deepest_drawdown = 0.0

    @property
    def _clock(self) -> Callable[[], float]:
        return self._memory.clock

    @property
    def equity(self) -> float:
        """The equity, starting from 1."""
        return self._equity

    @property
    def drawdown(self) -> float:
        """Fall of the equity from its peak, 0 to 1."""
        return 1 - self._equity / self._peak

    @property
    def pause(self) -> Pause | None:
        """The current pause, if any."""
        if self._pause is not None and self._clock() - self._pause.since >= self._pause_seconds:
            self._resume("the pause is over")
        return self._pause

    @property
    def exposure(self) -> float:
        """The factor for positions: 0 while paused, less than 1 in a drawdown."""
        if self.pause is not None:
            return 0.0
        progress = min(1.0, self.drawdown / self._max_drawdown)
        return 1 - (1 - self._least_exposure) * progress

    def record(self, net_return: float, *, on_paper: bool = False) -> None:
        """Add a closed trade: its net return on equity, as a fraction above -1. A win on paper ends a pause.

        Raises:
            InvalidInput: the return is not such a number.
        """
        if not -1 < net_return < math.inf:
            raise InvalidInput("net_return", f"{net_return!r} is not a number above -1")
        if on_paper:
            if net_return > 0 and self.pause is not None:
                self._resume("a trade on paper won")
            return
        self._equity *= 1 + net_return
        self._peak = max(self._peak, self._equity)
        self.deepest_drawdown = max(self.deepest_drawdown, self.drawdown)
        self.losing_streak = self.losing_streak + 1 if net_return < 0 else 0
        if self.pause is None:
            self._pause_when_due()

    def to_state(self) -> Snapshot:
        """Return equity, losses, pause and the settings, for `from_state`; the memory is not included."""
        return snapshot(
            "LossMemory",
            settings={
                "max_losses": self._max_losses,
                "max_drawdown": self._max_drawdown,
                "pause_seconds": self._pause_seconds,
                "least_exposure": self._least_exposure,
                "symbol": self._symbol,
            },
            equity=self._equity,
            peak=self._peak,
            pause=None if self._pause is None else asdict(self._pause),
            losing_streak=self.losing_streak,
            deepest_drawdown=self.deepest_drawdown,
        )

    @classmethod
    def from_state(cls, state: Snapshot, memory: TradingMemoryStore) -> "LossMemory":
        """Return the losses of a snapshot, with this memory. `InvalidInput` if `state` is not one."""
        data = data_of(state, "LossMemory")
        losses = cls(memory, **data["settings"])
        losses._equity, losses._peak = data["equity"], data["peak"]
        losses._pause = None if data["pause"] is None else Pause(**data["pause"])
        losses.losing_streak, losses.deepest_drawdown = data["losing_streak"], data["deepest_drawdown"]
        return losses

    def _pause_when_due(self) -> None:
        reason: Reason
        if self.drawdown >= self._max_drawdown:
            reason, text = "drawdown", f"Trading paused: drawdown of {self.drawdown:.1%}"
        elif self.losing_streak >= self._max_losses:
            reason, text = "losing streak", f"Trading paused: {self.losing_streak} losses in a row"
        else:
            return
        self._pause = Pause(reason, self._clock())
        self._remember(text, score=2.0)

    def _resume(self, why: str) -> None:
        if self._pause is not None and self._pause.reason == "drawdown":
            self._peak = self._equity
        self._pause, self.losing_streak = None, 0
        self._remember(f"Trading resumed: {why}", score=1.0)

    def _remember(self, text: str, score: float) -> None:
        metadata = {"drawdown": self.drawdown, "losing_streak": self.losing_streak}
        self._memory.add("risk", text, score, self._symbol, metadata)
