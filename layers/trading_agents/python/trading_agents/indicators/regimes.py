"""A Markov switching model of two market regimes, calm and turbulent, and the probability of the turbulent one."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent_memory.core.extras import needs_extra
from trading_agents.core.arrays import FloatArray

FIRST_FIT, REFIT = 504, 252
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class TwoStateModel:
    """Parameters of a Gaussian Markov switching model of returns in percent.

    Attributes:
        stay_calm: probability that a calm day follows a calm day (p00).
        calm_down: probability that a calm day follows a turbulent day (p10).
        means: of the calm and the turbulent state, in %.
        variances: of the calm and the turbulent state, in %^2; the first is smaller.
    """

    stay_calm: float
    calm_down: float
    means: tuple[float, float]
    variances: tuple[float, float]


def fit_two_state_model(returns: FloatArray, start: TwoStateModel | None = None) -> TwoStateModel | None:
    """Fit means, variances and transition probabilities by maximum likelihood; None without convergence.

    `returns` as fractions (0.01 is 1%), shape (days,); `start` initialises the optimiser.
    Source: J. D. Hamilton, Econometrica 57 (1989) 357-384; `statsmodels.tsa.MarkovRegression`.
    """
    first = None if start is None else [start.stay_calm, start.calm_down, *start.means, *start.variances]
    with warnings.catch_warnings():
        # The result None reports a failed fit; the optimiser tries extreme values on its way.
        warnings.simplefilter("ignore")
        try:
            fitted = _model(returns).fit(start_params=first, disp=False)
        except (np.linalg.LinAlgError, ValueError):
            return None
    if not (fitted.mle_retvals["converged"] and np.isfinite(fitted.params).all()):
        return None
    p00, p10, *moments = (float(value) for value in fitted.params)
    means, variances = (moments[0], moments[1]), (moments[2], moments[3])
    if variances[0] > variances[1]:
        return TwoStateModel(1 - p10, 1 - p00, means[::-1], variances[::-1])
    return TwoStateModel(p00, p10, means, variances)


def filtered_turbulence(returns: FloatArray, states: TwoStateModel) -> FloatArray:
    """Return the probability of the turbulent state on each day from returns up to it (Hamilton's filter)."""
    parameters = [states.stay_calm, states.calm_down, *states.means, *states.variances]
    return np.asarray(_model(returns).filter(parameters).filtered_marginal_probabilities[:, 1])


def turbulence(returns: FloatArray, first_fit: int = FIRST_FIT, refit: int = REFIT) -> FloatArray:
    """Return the probability of the turbulent state, 0 to 1, as known on each day; NaN before the first fit.

    The model is fitted on days 0 to `first_fit` - 1 and again every `refit` days on all earlier days; if a fit does not
    converge, the previous one stays in use.
    """
    result = np.full(len(returns), np.nan)
    states = None
    for begin in range(first_fit, len(returns), refit):
        states = fit_two_state_model(returns[:begin], states) or states
        if states:
            end = min(begin + refit, len(returns))
            result[begin:end] = filtered_turbulence(returns[:end], states)[begin:]
    return result


def _model(returns: FloatArray) -> Any:
    with needs_extra("trading"):
        from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression  # noqa: PLC0415  # a second

    return MarkovRegression(_PERCENT * returns, k_regimes=2, trend="c", switching_variance=True)
