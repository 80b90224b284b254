import pytest

from trading_agents.backtest.study.controls import Controls, run_controls


@pytest.mark.slow
def test_the_controls_detect_synthetic_regimes_and_nothing_else(record):
    controls = run_controls(record, repeats=2)
    assert (controls.detected, controls.false_with_shifts, controls.false_with_shuffles) == (2, 0, 0)
    assert controls.passed


@pytest.mark.parametrize(
    ("detections", "passed"),
    [((5, 0, 0), True), ((4, 1, 1), True), ((3, 0, 0), False), ((5, 2, 0), False), ((5, 0, 2), False)],
)
def test_each_control_may_fail_once(detections, passed):
    assert Controls(5, *detections).passed is passed
