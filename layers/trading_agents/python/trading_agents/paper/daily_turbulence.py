"""`DailyTurbulence`: the probability of a turbulent market, updated at the end of each day."""

import numpy as np

from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.indicators.regimes import FIRST_FIT, REFIT, TwoStateModel, filtered_turbulence, fit_two_state_model


class DailyTurbulence:
    """`indicators.regimes.turbulence` for days that arrive one by one, with the same results.

    Attributes:
        probability: of the turbulent state on the last completed day, 0 to 1; None in the first two years.
    """

    def __init__(self) -> None:
        self.probability: float | None = None
        self._closes: list[float] = []
        self._model: TwoStateModel | None = None

    def observe(self, close: float) -> None:
        """Add the close of a completed day."""
        self._closes.append(close)
        newest = len(self._closes) - 2
        if newest < FIRST_FIT:
            return
        returns = np.diff(np.log(self._closes))
        if (newest - FIRST_FIT) % REFIT == 0:
            self._model = fit_two_state_model(returns[:newest], self._model) or self._model
        if self._model is not None:
            self.probability = float(filtered_turbulence(returns, self._model)[-1])

    def to_state(self) -> Snapshot:
        """Return closes and the fitted model, for `from_state`."""
        model = self._model
        fitted = model and [model.stay_calm, model.calm_down, list(model.means), list(model.variances)]
        return snapshot("DailyTurbulence", probability=self.probability, closes=list(self._closes), fitted=fitted)

    @classmethod
    def from_state(cls, state: Snapshot) -> "DailyTurbulence":
        """Return the days of a snapshot. `InvalidInput` if `state` is not one."""
        data = data_of(state, "DailyTurbulence")
        days = cls()
        days.probability, days._closes = data["probability"], list(data["closes"])
        if data["fitted"]:
            stay_calm, calm_down, means, variances = data["fitted"]
            days._model = TwoStateModel(stay_calm, calm_down, (means[0], means[1]), (variances[0], variances[1]))
        return days
