import pytest

from trading_agents.indicators import market_condition


@pytest.mark.parametrize(
    ("adx", "turbulent", "expected"),
    [
        (30.0, 0.9, "volatile"),
        (30.0, 0.2, "trending"),
        (20.0, 0.2, "ranging"),
        (20.0, None, "ranging"),
        (None, 0.9, None),
    ],
)
def test_the_condition_is_volatile_trending_or_ranging(adx, turbulent, expected):
    features = {
        "sentiment": {} if adx is None else {"trend_strength": adx},
        "markov": {} if turbulent is None else {"p_turbulent": turbulent},
    }
    assert market_condition(features) == expected
