import numpy as np
import pytest

from trading_agents.bars import PriceBars


def bars_at(*times, opens=(9.0,)):
    """Bars at these times; the last open is that of the last bar, all other prices are 9."""
    count = len(times)
    flat = np.full(count, 9.0)
    opened = flat.copy()
    opened[-1] = opens[-1]
    return PriceBars("test", np.array(times, dtype="datetime64[s]"), opened, flat, np.minimum(flat, opened), flat)


def test_days_and_gaps():
    times = ("2026-01-02T20:00", "2026-01-02T21:00", "2026-01-05T09:00")
    bars = bars_at(*times)
    assert bars.days.tolist() == [0, 0, 1]
    assert bars.after_long_gap.tolist() == [False, False, True]
    assert bars.hides_gaps
    assert not bars_at(*times, opens=(8.0,)).hides_gaps
    assert not bars_at(*times[:2]).hides_gaps


def test_the_first_bars():
    bars = bars_at("2026-01-02T20:00", "2026-01-02T21:00")
    assert len(bars.first(1)) == 1
    assert bars.first(1).volume is None


def test_columns_of_another_length_are_refused():
    flat = np.full(2, 9.0)
    with pytest.raises(ValueError, match=r"high has the shape \(1,\), expected \(2,\)"):
        PriceBars("test", np.array(["2026-01-02", "2026-01-03"], dtype="datetime64[s]"), flat, flat[:1], flat, flat)
