"""`RegimeSwitch`: in each regime only the agent with the best record in it trades."""

import math

from agent_memory import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot


class RegimeSwitch:
    """Remembers the mean result of every agent's trades in each regime, and switches to the best one.

    While fewer than two agents have `min_trades` trades in a regime, all of them trade. An agent that does not trade is
    followed on paper: observe those results too, or a choice can never be revised.

    Evidence: see decision record 0073. What an agent earns in a regime does not persist; use it only where your own
    backtest says otherwise.

    Args:
        min_trades: of an agent in a regime, from which it can be chosen or left out there.
    """

    def __init__(self, *, min_trades: int = 30) -> None:
        if min_trades < 1:
            raise InvalidInput("min_trades", f"{min_trades!r} is not 1 or more")
        self._min_trades = min_trades
        self._totals: dict[str, dict[str, tuple[int, float]]] = {}

    def observe(self, agent: str, regime: str, result: float) -> None:
        """Add a closed trade, real or on paper; `result` in any unit that is the same for all agents.

        Raises:
            InvalidInput: the result is not a finite number.
        """
        if not math.isfinite(result):
            raise InvalidInput("result", f"{result!r} is not a finite number")
        count, total = self._totals.setdefault(regime, {}).get(agent, (0, 0.0))
        self._totals[regime][agent] = (count + 1, total + result)

    def chosen(self, regime: str) -> str | None:
        """Return the agent to follow in a regime; None while too little is known."""
        known = {
            agent: total / count
            for agent, (count, total) in self._totals.get(regime, {}).items()
            if count >= self._min_trades
        }
        return max(known, key=lambda agent: known[agent]) if len(known) > 1 else None

    def multiplier(self, agent: str, regime: str) -> float:
        """Return the factor for an agent's positions in a regime: 0 if its record is known and another's is better."""
        count, _ = self._totals.get(regime, {}).get(agent, (0, 0.0))
        chosen = self.chosen(regime)
        return 1.0 if chosen in {None, agent} or count < self._min_trades else 0.0

    def to_state(self) -> Snapshot:
        """Return the records and the setting, for `from_state`."""
        totals = {regime: {agent: list(one) for agent, one in table.items()} for regime, table in self._totals.items()}
        return snapshot("RegimeSwitch", min_trades=self._min_trades, totals=totals)

    @classmethod
    def from_state(cls, state: Snapshot) -> "RegimeSwitch":
        """Return the switch of a snapshot. `InvalidInput` if `state` is not one."""
        data = data_of(state, "RegimeSwitch")
        switch = cls(min_trades=data["min_trades"])
        switch._totals = {
            regime: {agent: (count, total) for agent, (count, total) in table.items()}
            for regime, table in data["totals"].items()
        }
        return switch
