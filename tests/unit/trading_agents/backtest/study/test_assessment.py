import numpy as np
import pytest

from tests.unit.trading_agents.backtest.study.record_samples import RULES
from trading_agents.backtest.engine.memory_rules import REGIME_POSTERIOR, MemoryRule
from trading_agents.backtest.study.assessment import assess, deflated_sharpes


@pytest.mark.slow
def test_an_assessment_says_what_was_skipped(record):
    skips = np.where(record.trades.net > 0, 1.0, 0.0)
    oracle = assess(record, MemoryRule("oracle", "", "bars", lambda *_: skips))
    assert oracle.skipped == pytest.approx(1 - (record.trades.net[record.scored] > 0).mean())
    assert oracle.skipped_win_rate == 0
    assert oracle.p_shuffle is None
    assert oracle.beats_chance("sharpe")
    assert not assess(record, REGIME_POSTERIOR, np.ones(len(skips))).beats_chance("sharpe")
    ratios = deflated_sharpes(record, [oracle, assess(record, RULES["volatility"])])
    assert ratios[0] > ratios[1]


def test_the_timing_of_skips_must_matter(record):
    """Skipping one agent altogether helps just as much at any other time."""
    loser = np.argmin(np.bincount(record.trades.agent, record.trades.net))
    sizes = np.where(record.trades.agent == loser, 0.0, 1.0)
    assessment = assess(record, MemoryRule("no loser", "", "bars", lambda *_: sizes))
    assert assessment.p_shift["sharpe"] == 1
    assert not assessment.beats_chance("sharpe")
