import numpy as np

from trading_agents.indicators.wyckoff import PHASES, wyckoff_signs


def flat(*last, window=40):
    """A range of 9 to 11 for `window` bars, then bars as (high, low, close)."""
    rows = np.array([(11.0, 9.0, 10.0)] * window + list(last))
    signs = wyckoff_signs(*rows.T, window=window)
    return [(bool(s), bool(u), PHASES[p] if p >= 0 else None) for s, u, p in zip(*signs, strict=True)]


def test_there_is_no_phase_before_there_is_a_range():
    assert flat() == [(False, False, None)] * 40
    assert flat((11, 9, 10))[-1] == (False, False, "range")


def test_a_spring_falls_below_the_range_and_closes_in_it():
    assert flat((11, 8, 9.5))[-1] == (True, False, "accumulation")


def test_an_upthrust_rises_above_the_range_and_closes_in_it():
    assert flat((12, 9, 10))[-1] == (False, True, "distribution")


def test_a_close_outside_the_range_is_markup_or_markdown():
    assert flat((12, 9, 11.5))[-1] == (False, False, "markup")
    assert flat((11, 8, 8.5))[-1] == (False, False, "markdown")


def test_a_sign_counts_for_one_window():
    calm = (11, 9, 10)
    assert flat((11, 8, 9.5), (12, 9, 10), calm)[-1][2] == "distribution"
    assert flat((11, 8, 9.5), *[calm] * 39)[-1][2] == "accumulation"
    assert flat((11, 8, 9.5), *[calm] * 40)[-1][2] == "range"


def test_too_few_bars_have_no_signs():
    assert flat((11, 9, 10), window=3)[:3] == [(False, False, None)] * 3
    assert wyckoff_signs(*np.ones((3, 5))).phase.tolist() == [-1] * 5
