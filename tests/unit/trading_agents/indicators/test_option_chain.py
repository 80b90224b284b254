import duckdb
import numpy as np
import pytest
from scipy.stats import norm

from tests.unit.trading_agents.price_samples import DATA
from trading_agents.indicators.option_chain import (
    OptionChain,
    black_scholes_gamma,
    dealer_flow,
    gamma_balance,
    net_gamma_exposure,
)

SPX = DATA / "spx_options_2019-04-25_2019-06-19.parquet"
NOW = np.datetime64("2026-01-02T21:00:00")


def chain(**changed):
    """A call and a put at the money with a month to go, alike in everything else."""
    columns = {
        "strike": [100.0, 100.0],
        "years": [1 / 12, 1 / 12],
        "is_call": [True, False],
        "volatility": [0.2, 0.2],
        "open_interest": [10.0, 10.0],
        "volume": [5.0, 5.0],
    } | changed
    return OptionChain(NOW, 100.0, **{name: np.array(column) for name, column in columns.items()})


def test_gamma_is_the_slope_of_delta():
    strike, years, volatility = np.array([90.0, 100, 120]), np.full(3, 0.5), np.array([0.3, 0.2, 0.25])

    def delta(spot):
        d1 = (np.log(spot / strike) + (0.03 + volatility**2 / 2) * years) / (volatility * np.sqrt(years))
        return norm.cdf(d1)

    slope = (delta(100.01) - delta(99.99)) / 0.02
    np.testing.assert_allclose(black_scholes_gamma(100.0, strike, years, volatility, 0.03), slope, rtol=1e-6)


def test_gamma_of_a_textbook_example():
    """J. Hull, Options, Futures, and Other Derivatives: S 49, K 50, r 5%, volatility 20%, 20 weeks: 0.066."""
    gamma = black_scholes_gamma(49.0, np.array([50.0]), np.array([20 / 52]), np.array([0.2]), 0.05)
    assert gamma[0] == pytest.approx(0.066, abs=0.0005)


def test_calls_and_puts_of_the_same_open_interest_cancel():
    assert net_gamma_exposure(chain()) == 0
    calls = net_gamma_exposure(chain(open_interest=[10.0, 0.0]))
    gamma = black_scholes_gamma(100.0, np.array([100.0]), np.array([1 / 12]), np.array([0.2]))[0]
    assert calls == pytest.approx(10 * 100 * gamma * 100 * 100 * 0.01)
    assert net_gamma_exposure(chain(open_interest=[0.0, 10.0])) == pytest.approx(-calls)


def test_options_without_volatility_or_time_are_ignored():
    empty = chain(volatility=[np.nan, 0.2], years=[1 / 12, 0.0])
    assert net_gamma_exposure(empty) == 0
    assert np.isnan(gamma_balance(empty))
    assert np.isnan(dealer_flow(empty))


def test_gamma_balance_is_net_over_gross_exposure():
    assert gamma_balance(chain(open_interest=[10.0, 0.0])) == 1
    assert gamma_balance(chain(open_interest=[0.0, 10.0])) == -1
    assert gamma_balance(chain(open_interest=[30.0, 10.0])) == pytest.approx(0.5)


def test_dealer_flow_is_the_balance_of_traded_delta():
    assert dealer_flow(chain(volume=[5.0, 0.0])) == pytest.approx(1)
    assert dealer_flow(chain(volume=[0.0, 5.0])) == pytest.approx(-1)
    assert dealer_flow(chain()) == pytest.approx(2 * norm.cdf(0.1 * np.sqrt(1 / 12)) - 1, abs=1e-9)
    assert np.isnan(dealer_flow(chain(volume=[0.0, 0.0])))


def test_invalid_chains_are_refused():
    with pytest.raises(ValueError, match="spot is 0"):
        OptionChain(NOW, 0.0, *[np.ones(1)] * 6)
    with pytest.raises(ValueError, match=r"volume has the shape \(3,\), expected \(2,\)"):
        chain(volume=[1.0, 2, 3])


def test_gamma_agrees_with_the_vendor_of_real_chains():
    if not SPX.exists():
        pytest.skip(f"{SPX} is not on this machine")
    rows = duckdb.sql(
        """select underlying_last, strike, date_diff('day', quotedate::date, expiration::date) / 365 as years,
                   impliedvol, gamma from read_parquet($path)
            where impliedvol > 0 and gamma > 0.0001 and bid > 0 and expiration::date > quotedate::date""",
        params={"path": str(SPX)},
    ).fetchnumpy()
    spot, strike, years, volatility, vendor = (np.asarray(column, dtype=float) for column in rows.values())
    ours = black_scholes_gamma(spot, strike, years, volatility)
    assert len(ours) > 250_000
    assert 0.99 < np.median(ours / vendor) < 1.01
