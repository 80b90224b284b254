"""`DealerPositions`: dealers' gamma and flow on each chain, also relative to what is usual for the underlying.

What a chain says has a level of its own: on an index puts outweigh calls for years, on a stock the reverse. The
relative readings do not depend on it, and are about -1 to 1 on ordinary days, as the Hedge agent expects:

    gamma_relative = balance / root mean square of earlier balances        keeps its sign: short gamma is below 0
    flow_relative  = (flow - flow of the last chain of an earlier day) / standard deviation of earlier flows
"""

from collections.abc import Sequence

import numpy as np

from trading_agents.core.arrays import FloatArray, IntArray
from trading_agents.indicators.option_chain import OptionChain, dealer_flow, gamma_balance, net_gamma_exposure

EARLIER_CHAINS = 60
"""The usual readings are those of so many chains before."""

MIN_CHAINS = 5
"""Fewer earlier chains give no relative readings."""

Group = dict[str, float]


class DealerPositions:
    """Readings of chains by bar.

    Args:
        chains: in order of time.
        time: start of each bar (datetime64[s]), oldest first.

    Raises:
        ValueError: the chains are not in order of time.
    """

    def __init__(self, chains: Sequence[OptionChain], time: np.ndarray) -> None:
        self._times = np.array([chain.time for chain in chains], dtype="datetime64[s]")
        if (np.diff(self._times) < np.timedelta64(0, "s")).any():
            raise ValueError("chains: are not in order of time")
        days = np.unique(time.astype("datetime64[D]"))
        self._bar_day = np.searchsorted(days, time.astype("datetime64[D]"))
        # A quote of a day without bars counts as one of the day with bars before it.
        self._chain_day: IntArray = np.searchsorted(days, self._times.astype("datetime64[D]"), side="right") - 1
        self._time = time
        self._readings = chain_readings(chains)

    def at(self, t: int) -> Group:
        """Return the readings for bar t: of the newest chain quoted by its start, on its day or the day before it.

        Days are those with bars. Empty without such a chain, or if it has no open interest or no volume.
        """
        newest = int(np.searchsorted(self._times, self._time[t], side="right")) - 1
        if newest < 0 or self._bar_day[t] - self._chain_day[newest] > 1:
            return {}
        return self._readings[newest]


def chain_readings(chains: Sequence[OptionChain]) -> list[Group]:
    """Return the readings of each chain, empty where it has no open interest or no volume.

    `net_gamma_exposure` (fraction of gross exposure) and `smart_flow_signal`, both -1 to 1; `net_gamma_usd`, the same
    exposure in $ per 1% move; `quoted_at`, seconds since the epoch; from six chains on, `gamma_relative` and
    `flow_relative` as above.
    """
    gammas = np.array([gamma_balance(chain) for chain in chains])
    flows = np.array([dealer_flow(chain) for chain in chains])
    days = np.array([chain.time for chain in chains], dtype="datetime64[D]")
    readings: list[Group] = []
    for number, chain in enumerate(chains):
        if not (np.isfinite(gammas[number]) and np.isfinite(flows[number])):
            readings.append({})
            continue
        readings.append(
            {
                "net_gamma_exposure": float(gammas[number]),
                "net_gamma_usd": net_gamma_exposure(chain),
                "smart_flow_signal": float(flows[number]),
                "quoted_at": float(chain.time.astype("datetime64[s]").astype(np.int64)),
                **_relative(gammas, flows, days, number),
            }
        )
    return readings


def _relative(gammas: FloatArray, flows: FloatArray, days: np.ndarray, number: int) -> Group:
    """Return the relative readings of a chain; empty with too few earlier ones, or if those were all equal."""
    known = np.flatnonzero(np.isfinite(gammas[:number]) & np.isfinite(flows[:number]))[-EARLIER_CHAINS:]
    of_earlier_days = known[days[known] < days[number]]
    if len(known) < MIN_CHAINS or not len(of_earlier_days):
        return {}
    usual_gamma, spread = float(np.sqrt((gammas[known] ** 2).mean())), float(flows[known].std(ddof=1))
    if usual_gamma == 0 or spread == 0:
        return {}
    turn = float(flows[number] - flows[of_earlier_days[-1]])
    return {"gamma_relative": float(gammas[number]) / usual_gamma, "flow_relative": turn / spread}
