"""Sources use what was known at the time, and nothing later."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent_memory import InvalidInput
from trading_agents.market_hunter import PRICE_SOURCES, CsvSeries
from trading_agents.market_hunter.sources import breakout, mean_reversion, momentum

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def walk(drift):
    steps = np.random.default_rng(2).normal(drift, 0.01, 80)
    return list(100 * np.exp(np.cumsum(steps)))


def test_price_sources_have_the_sign_of_their_name():
    rising = [100.0] * 50 + [101.0, 102.0, 103.0, 104.0, 105.0]
    assert momentum(5)({"close": rising}) > 0.5
    assert mean_reversion(5)({"close": rising}) < -0.3
    assert [breakout(3)({"close": prices}) for prices in ([1, 2, 3, 4], [4, 3, 2, 1], [1, 3, 2, 2])] == [1, -1, 0]
    assert momentum(5)({"close": [100.0] * 60}) == 0.0


@pytest.mark.parametrize("name", PRICE_SOURCES)
def test_price_sources_stay_in_range_and_have_no_reading_without_enough_prices(name):
    source = PRICE_SOURCES[name]
    prices = walk(0.001)
    readings = [source({"close": prices[:n]}) for n in range(len(prices))]
    assert readings[0] is readings[3] is None
    assert all(-1 <= one <= 1 for one in readings if one is not None)
    assert len({one for one in readings if one is not None}) > 1


def series(tmp_path, rows, header="timestamp,value"):
    path = tmp_path / "fear.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_series_from_a_file_uses_values_up_to_the_time_only(tmp_path):
    values = [50, 51, 49, 50, 90, 10]
    path = series(tmp_path, [f"{(START + n * HOUR).isoformat()},{value}" for n, value in enumerate(values)])
    source = CsvSeries(path, "value", window=4)

    def at(hours):
        return source({"timestamp": START + hours * HOUR})

    assert at(2.9) is None
    assert at(3) == pytest.approx(0.0)
    assert at(4) == at(4.9) == pytest.approx((90 - 60) / (3 * np.std([51, 49, 50, 90])))
    assert at(5) < 0
    contrarian = CsvSeries(path, "value", window=4, contrarian=True, delay_seconds=3_600)
    assert contrarian({"timestamp": START + 5 * HOUR}) == pytest.approx(-at(4))
    assert contrarian({}) is not None  # now


@pytest.mark.parametrize(
    ("rows", "header", "field"),
    [
        (["2026-01-01,x"], "timestamp,value", "value"),
        (["2026-01-01,1"], "timestamp,price", "value"),
        (["yesterday,1"], "timestamp,value", "value"),
        (["2026-01-02,1", "2026-01-01,1"], "timestamp,value", "timestamp"),
    ],
)
def test_invalid_files_are_named_with_the_line(tmp_path, rows, header, field):
    with pytest.raises(InvalidInput, match="line") as caught:
        CsvSeries(series(tmp_path, rows, header), "value")
    assert caught.value.field == field


def test_times_without_offset_and_small_windows_are_refused(tmp_path):
    source = CsvSeries(series(tmp_path, ["2026-01-01,1"]), "value", window=2)
    with pytest.raises(InvalidInput, match="timestamp"):
        source({"timestamp": datetime(2026, 1, 1)})
    with pytest.raises(InvalidInput, match="window"):
        CsvSeries(tmp_path / "fear.csv", "value", window=1)
