"""Dealer positioning from option chains: gamma exposure and traded delta."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from trading_agents.core.arrays import BoolArray, FloatArray

CONTRACT_SIZE = 100
_ONE_PERCENT = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class OptionChain:
    """All options on one underlying as quoted at one time; columns have the shape (options,).

    Attributes:
        time: of the quotes (datetime64, the bars' zone).
        spot: price of the underlying, above 0.
        strike: in the spot's currency.
        years: to expiry.
        is_call: False for puts.
        volatility: implied, annual, 0.2 is 20%; options without one (0 or NaN) or at expiry are ignored.
        open_interest: open contracts.
        volume: contracts traded today.
    """

    time: np.datetime64
    spot: float
    strike: FloatArray
    years: FloatArray
    is_call: BoolArray
    volatility: FloatArray
    open_interest: FloatArray
    volume: FloatArray

    def __post_init__(self) -> None:
        if not (np.isfinite(self.spot) and self.spot > 0):
            raise ValueError(f"spot is {self.spot}, expected a number above 0")
        for name in ("years", "is_call", "volatility", "open_interest", "volume"):
            if getattr(self, name).shape != self.strike.shape:
                raise ValueError(f"{name} has the shape {getattr(self, name).shape}, expected {self.strike.shape}")

    @property
    def usable(self) -> BoolArray:
        """Which options have a volatility and time to expiry."""
        return np.asarray((self.volatility > 0) & (self.years > 0))


def black_scholes_d1(
    spot: float, strike: FloatArray, years: FloatArray, volatility: FloatArray, rate: float = 0.0
) -> FloatArray:
    """(ln(S/K) + (r + v^2/2) T) / (v sqrt(T)); F. Black, M. Scholes, Journal of Political Economy 81 (1973) 637-654."""
    return np.asarray((np.log(spot / strike) + (rate + volatility**2 / 2) * years) / (volatility * np.sqrt(years)))


def black_scholes_gamma(
    spot: float, strike: FloatArray, years: FloatArray, volatility: FloatArray, rate: float = 0.0
) -> FloatArray:
    """Return the change of delta per unit of the spot: phi(d1) / (S v sqrt(T)), the same for calls and puts.

    All inputs above 0; `rate` annual, continuous. No dividends.
    Source: Black and Scholes (1973); J. Hull, Options, Futures, and Other Derivatives, chapter on the Greek letters.
    """
    d1 = black_scholes_d1(spot, strike, years, volatility, rate)
    density = np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(density / (spot * volatility * np.sqrt(years)))


def net_gamma_exposure(chain: OptionChain, rate: float = 0.0) -> float:
    """Return the dollars that dealers must sell per 1% rise of the underlying (buy, if negative).

    Sum of gamma x open interest x 100 x S^2 x 1%, positive for calls, negative for puts: dealers are assumed to be long
    calls and short puts, since a chain does not say who holds them.
    Source: SqueezeMetrics, Gamma Exposure (white paper, 2017).
    """
    return float(_signed_gamma(chain, rate).sum() * chain.spot**2 * _ONE_PERCENT)


def gamma_balance(chain: OptionChain, rate: float = 0.0) -> float:
    """Return net over gross gamma exposure, -1 (all puts) to 1 (all calls); NaN without open interest.

    The sum of `net_gamma_exposure` over the sum of its absolute terms, comparable between symbols and years.
    """
    signed = _signed_gamma(chain, rate)
    gross = float(np.abs(signed).sum())
    return float(signed.sum()) / gross if gross > 0 else float("nan")


def _signed_gamma(chain: OptionChain, rate: float) -> FloatArray:
    """Return gamma x open interest x 100 of each usable option, negative for puts; shape (usable options,)."""
    use = chain.usable
    gamma = black_scholes_gamma(chain.spot, chain.strike[use], chain.years[use], chain.volatility[use], rate)
    side = np.where(chain.is_call[use], 1.0, -1.0)
    return np.asarray(side * gamma * chain.open_interest[use] * CONTRACT_SIZE)


def dealer_flow(chain: OptionChain, rate: float = 0.0) -> float:
    """Return the balance of the day's traded delta, -1 (all puts) to 1 (all calls); NaN without volume.

    Sum of volume x delta over sum of volume x |delta|. A proxy: all volume is assumed to be bought by customers, so
    that a positive balance makes dealers, who sold it, buy the underlying. A chain does not say who initiated a trade.
    Source: the signed put-call volumes of J. Pan, A. Poteshman, Review of Financial Studies 19 (2006) 871-908, weighted
    by Black-Scholes deltas, N(d1) and N(d1) - 1.
    """
    use = chain.usable
    d1 = black_scholes_d1(chain.spot, chain.strike[use], chain.years[use], chain.volatility[use], rate)
    delta = ndtr(d1) - np.where(chain.is_call[use], 0.0, 1.0)
    traded = float(chain.volume[use] @ np.abs(delta))
    return float(chain.volume[use] @ delta) / traded if traded > 0 else float("nan")
