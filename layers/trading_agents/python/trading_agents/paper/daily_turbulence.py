"""`DailyTurbulence`: how probable a turbulent market is, day by day as days end."""

import numpy as np

from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.indicators.regimes import FIRST_FIT, REFIT, TwoStateModel, filtered_turbulence, fit_two_state_model


class DailyTurbulence:
    """`indicators.regimes.turbulence` for days that come one by one: the same numbers, each when its day is over.

    Attributes:
        probability: of the turbulent state on the last day that is over, 0 to 1; None in the first two years.
    """

    def __init__(self) -> None:
        self.probability: float | None = None
        self._closes: list[float] = []
        self._states: TwoStateModel | None = None

    def observe(self, close: float) -> None:
        """The close of a day that is over."""
        self._closes.append(close)
        newest = len(self._closes) - 2
        if newest < FIRST_FIT:
            return
        returns = np.diff(np.log(self._closes))
        if (newest - FIRST_FIT) % REFIT == 0:
            self._states = fit_two_state_model(returns[:newest], self._states) or self._states
        if self._states is not None:
            self.probability = float(filtered_turbulence(returns, self._states)[-1])

    def to_state(self) -> Snapshot:
        """Closes and the fitted model, for `from_state`."""
        states = self._states
        fitted = states and [states.stay_calm, states.calm_down, list(states.means), list(states.variances)]
        return snapshot("DailyTurbulence", probability=self.probability, closes=list(self._closes), fitted=fitted)

    @classmethod
    def from_state(cls, state: Snapshot) -> "DailyTurbulence":
        """The days that were written. `InvalidInput` where `state` is none."""
        data = data_of(state, "DailyTurbulence")
        days = cls()
        days.probability, days._closes = data["probability"], list(data["closes"])
        if data["fitted"]:
            stay_calm, calm_down, means, variances = data["fitted"]
            days._states = TwoStateModel(stay_calm, calm_down, (means[0], means[1]), (variances[0], variances[1]))
        return days
