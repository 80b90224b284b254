"""Two hidden states of a market, calm and turbulent, and how probable the turbulent one is."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from trading_agents.core.arrays import FloatArray

FIRST_FIT, REFIT = 504, 252
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class TwoStates:
    """Parameters of a Gaussian Markov switching model of returns in percent.

    Attributes:
        stay_calm: probability that a calm day is followed by a calm one (p00).
        calm_down: probability that a turbulent day is followed by a calm one (p10).
        means: of the calm and the turbulent state, in %.
        variances: of the calm and the turbulent state, in %^2, the calm one smaller.
    """

    stay_calm: float
    calm_down: float
    means: tuple[float, float]
    variances: tuple[float, float]


def fit_two_states(returns: FloatArray, start: TwoStates | None = None) -> TwoStates | None:
    """Fit mean and variance of each state and the transitions by maximum likelihood; None if that does not converge.

    `returns` as shares (0.01 is 1%), shape (days,); `start` begins the search.
    Source: J. D. Hamilton, Econometrica 57 (1989) 357-384; `statsmodels.tsa.MarkovRegression`.
    """
    from statsmodels.tools.sm_exceptions import ConvergenceWarning  # noqa: PLC0415

    first = None if start is None else [start.stay_calm, start.calm_down, *start.means, *start.variances]
    with warnings.catch_warnings():
        # It is told by None; the search tries odd values on its way.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            fitted = _model(returns).fit(start_params=first, disp=False)
        except (np.linalg.LinAlgError, ValueError):
            return None
    if not (fitted.mle_retvals["converged"] and np.isfinite(fitted.params).all()):
        return None
    p00, p10, *moments = (float(value) for value in fitted.params)
    means, variances = (moments[0], moments[1]), (moments[2], moments[3])
    if variances[0] > variances[1]:
        return TwoStates(1 - p10, 1 - p00, means[::-1], variances[::-1])
    return TwoStates(p00, p10, means, variances)


def filtered_turbulence(returns: FloatArray, states: TwoStates) -> FloatArray:
    """Probability of the turbulent state on each day, from returns up to that day (Hamilton's filter, not smoothed)."""
    parameters = [states.stay_calm, states.calm_down, *states.means, *states.variances]
    return np.asarray(_model(returns).filter(parameters).filtered_marginal_probabilities[:, 1])


def turbulence(returns: FloatArray, first_fit: int = FIRST_FIT, refit: int = REFIT) -> FloatArray:
    """Probability of the turbulent state on each day, 0 to 1, as it could be known that day; NaN before the first fit.

    The model is fitted on days 0 to `first_fit` - 1 and anew every `refit` days on all days before; a fit that does not
    converge keeps the one before.
    """
    result = np.full(len(returns), np.nan)
    states = None
    for begin in range(first_fit, len(returns), refit):
        states = fit_two_states(returns[:begin], states) or states
        if states:
            end = min(begin + refit, len(returns))
            result[begin:end] = filtered_turbulence(returns[:end], states)[begin:]
    return result


def _model(returns: FloatArray) -> Any:
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression  # noqa: PLC0415  # a second

    return MarkovRegression(_PERCENT * returns, k_regimes=2, trend="c", switching_variance=True)
