"""What chains say about dealers, relative to what is usual, and for which bars a chain counts."""

import numpy as np
import pytest

from trading_agents.indicators.dealer_positions import MIN_CHAINS, DealerPositions, chain_readings
from trading_agents.indicators.option_chain import OptionChain, gamma_balance

DAY = np.timedelta64(1, "D")


def chain(day, calls=1000.0, call_volume=50.0, *, at="T23:59:59", scale=1.0):
    return OptionChain(
        np.datetime64(f"{np.datetime64('2024-03-04') + day}{at}"),
        100.0,
        strike=np.array([100.0, 100.0]),
        years=np.array([0.1, 0.1]),
        is_call=np.array([True, False]),
        volatility=np.array([0.2, 0.2]),
        open_interest=scale * np.array([calls, 1000.0]),
        volume=scale * np.array([call_volume, 60.0]),
    )


def hours(days):
    """Seven hourly bars on each of some days."""
    return np.concatenate([np.datetime64("2024-03-04T09", "s") + day * DAY + np.arange(7) * 3600 for day in days])


def test_a_chain_counts_on_the_day_of_bars_after_it_and_no_longer():
    positions = DealerPositions([chain(0)], hours([0, 1, 2]))
    joined = [bool(positions.at(t)) for t in range(21)]
    assert joined == [False] * 7 + [True] * 7 + [False] * 7


def test_over_a_weekend_the_chain_of_friday_counts_on_monday():
    positions = DealerPositions([chain(4)], hours([4, 7, 8]))
    assert [bool(positions.at(t)) for t in (6, 7, 13, 14)] == [False, True, True, False]


def test_a_chain_within_the_day_counts_from_its_time_on():
    positions = DealerPositions([chain(0, at="T11:00:00"), chain(0, 500.0, at="T13:00:00")], hours([0]))
    found = [positions.at(t).get("quoted_at") for t in range(7)]
    assert found[:2] == [None, None]
    assert found[2] == found[3] != found[4] == found[6]


def test_relative_readings_do_not_depend_on_the_level_of_the_underlying():
    random = np.random.default_rng(1)
    calls, volumes = random.uniform(200, 2000, 12), random.uniform(10, 100, 12)
    small = chain_readings([chain(n, c, v) for n, (c, v) in enumerate(zip(calls, volumes, strict=True))])
    large = chain_readings([chain(n, c, v, scale=50) for n, (c, v) in enumerate(zip(calls, volumes, strict=True))])
    for one, other in zip(small, large, strict=True):
        assert one["gamma_relative" if "gamma_relative" in one else "net_gamma_exposure"] == pytest.approx(
            other["gamma_relative" if "gamma_relative" in one else "net_gamma_exposure"]
        )
    assert ["gamma_relative" in one for one in small] == [False] * MIN_CHAINS + [True] * (12 - MIN_CHAINS)


def test_relative_readings_are_those_of_their_definition():
    chains = [chain(n, 300.0 + 200 * n, 30.0 + 7 * (n % 3)) for n in range(8)]
    last = chain_readings(chains)[-1]
    earlier = np.array([gamma_balance(one) for one in chains[:-1]])
    flows = np.array([one["smart_flow_signal"] for one in chain_readings(chains)])
    assert last["gamma_relative"] == pytest.approx(gamma_balance(chains[-1]) / np.sqrt((earlier**2).mean()))
    assert last["flow_relative"] == pytest.approx((flows[-1] - flows[-2]) / flows[:-1].std(ddof=1))


def test_later_chains_change_no_earlier_reading():
    chains = [chain(n, 300.0 + 200 * n, 30.0 + 7 * n) for n in range(9)]
    assert chain_readings(chains)[:7] == chain_readings(chains[:7])


def test_chains_without_interest_or_all_alike_say_nothing():
    assert chain_readings([chain(0, 0.0, scale=0.0)]) == [{}]
    assert all("gamma_relative" not in one for one in chain_readings([chain(n) for n in range(9)]))
    with pytest.raises(ValueError, match="chains: are not in order of time"):
        DealerPositions([chain(1), chain(0)], hours([0]))
