"""`TraderState`: where the state of a paper trader is kept, and what may be loaded from it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

from agent_memory import InvalidInput
from trading_agents.core.advice import Adviser
from trading_agents.core.snapshots import Snapshot
from trading_agents.paper.bars import PaperBar, bar_from_row
from trading_agents.paper.settings import PaperSettings, settings_from_state
from trading_agents.paper.trader import PaperTrader

FORMAT = "paper-trader/1"
_PENDING = "pending_bar"


class TraderState(ABC):
    """Keeps the state of one trader, complete after any crash. Use it as a context manager.

    Attributes:
        place: where it is, for messages.
        another: what to do to keep another trader, for messages.
    """

    place: str
    another: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027  # a state may hold nothing
        """Release what the state holds."""

    def settings(self) -> PaperSettings | None:
        """Return the settings of the stored trader; None if there is none. Raises as `load`."""
        state = self._read()
        return None if state is None else settings_from_state(state["settings"])

    def load(self, agent_id: str, settings: PaperSettings, *, adviser: Adviser | None = None) -> PaperTrader:
        """Return the stored trader, or a new one if there is none; `adviser` as `PaperTrader` takes it.

        Raises:
            InvalidInput: the state is damaged, or belongs to another agent or other settings. OSError, Unavailable: it
                cannot be read.
        """
        state = self._read()
        if state is None:
            return PaperTrader(agent_id, settings, adviser=adviser)
        pending = state.pop(_PENDING, None)
        trader = PaperTrader.from_state(state, adviser=adviser)
        if trader.agent_id != agent_id:
            raise InvalidInput("agent", f"{self.place} belongs to {trader.agent_id}; {self.another} for {agent_id}")
        stored = trader.settings.to_state()
        for name, value in settings.to_state().items():
            if stored[name] != value:
                raise InvalidInput(
                    name, f"{self.place} was started with {stored[name]!r}, not {value!r}; {self.another} to change it"
                )
        if pending is not None:
            trader.on_bar(bar_from_row(pending["row"], pending["features"]), pending.get("advice"))
        return trader

    def save(self, trader: PaperTrader) -> None:
        """Write the trader; a crash at any time leaves this state or the previous one. Raises as `save_state`."""
        self.save_state(trader.to_state())

    def save_state(
        self, state: Snapshot, pending: PaperBar | None = None, advice: Mapping[str, Any] | None = None
    ) -> None:
        """Write the state of a trader, and the bar that follows on it, whose decisions are being logged.

        `load` applies the bar again with the advice on it, which leads to the same decisions. `OSError` or Unavailable
        if it fails.
        """
        if pending is not None:
            bar = {"row": pending.to_row(), "features": pending.features}
            state = {**state, _PENDING: {**bar, **({"advice": dict(advice)} if advice else {})}}
        self._write(state)

    @abstractmethod
    def _read(self) -> Snapshot | None:
        """Return the stored state; None if there is none."""

    @abstractmethod
    def _write(self, state: Snapshot) -> None:
        """Replace the stored state at once, or leave it as it is."""
