from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from trading_agents.backtest.engine.memory_rules import MEMORIES
from trading_agents.backtest.study.assessment import Assessment
from trading_agents.backtest.study.claims import (
    CLAIMS,
    best_when_agents_break,
    beyond_chance,
    comparisons,
    says_enough,
    sentence,
    verdict,
)
from trading_agents.backtest.study.controls import Controls
from trading_agents.backtest.study.failing_agents import Breakdown
from trading_agents.backtest.study.inference import Interval
from trading_agents.backtest.study.track_record import Differences

WIN_RATE, SHARPE, DRAWDOWN, QUALITY = CLAIMS
NOTHING = dict.fromkeys(Differences._fields, 0.0)


def told(claim, value, low, high, p_shift=0.01, p_shuffle=0.01):
    """An assessment of one measure; all others changed by nothing."""
    flat = dict.fromkeys(Differences._fields, Interval(0.0, 0.0))
    return Assessment(
        memory=MEMORIES[1],
        multipliers=np.ones(1),
        skipped=0.0,
        skipped_win_rate=float("nan"),
        changes=Differences(**NOTHING | {claim.measure: value}),
        intervals=flat | {claim.measure: Interval(low, high)},
        p_shift=dict.fromkeys(Differences._fields, p_shift),
        p_shuffle=None if p_shuffle is None else dict.fromkeys(Differences._fields, p_shuffle),
    )


def study(*assessments, days=1000, trades=1000, controls=(5, 0, 0), name="spy", breakdowns=()):
    return SimpleNamespace(
        name=name,
        days=days,
        trades=trades,
        controls=Controls(5, *controls),
        assessments=assessments,
        breakdowns=breakdowns,
    )


@pytest.mark.parametrize(
    ("claim", "numbers", "expected"),
    [
        (SHARPE, (0.25, 0.05, 0.45), "holds"),
        (SHARPE, (0.15, 0.05, 0.45), "cannot be told"),
        (SHARPE, (0.25, -0.05, 0.45), "cannot be told"),
        (SHARPE, (0.10, 0.05, 0.19), "does not hold"),
        (SHARPE, (0.25, 0.05, 0.45, 0.2), "chance does as well"),
        (SHARPE, (0.25, 0.05, 0.45, 0.01, 0.2), "chance does as well"),
        (SHARPE, (0.25, 0.05, 0.45, 0.01, None), "holds"),
        (DRAWDOWN, (-0.12, -0.2, -0.02), "holds"),
        (DRAWDOWN, (-0.12, -0.2, 0.02), "cannot be told"),
        (DRAWDOWN, (0.02, -0.09, 0.3), "does not hold"),
        (DRAWDOWN, (0.2, 0.1, 0.3), "does not hold"),
        (DRAWDOWN, (-0.12, -0.2, -0.02, 0.2), "chance does as well"),
        (WIN_RATE, (0.06, 0.01, 0.1), "holds"),
        (WIN_RATE, (0.01, 0.0, 0.049), "does not hold"),
        (QUALITY, (float("nan"),) * 3, "cannot be told"),
    ],
)
def test_a_claim_is_judged_by_estimate_interval_and_nulls(claim, numbers, expected):
    one = told(claim, *numbers)
    assert verdict(claim, study(one), one) == expected


@pytest.mark.parametrize("lack", [{"days": 249}, {"trades": 99}, {"controls": (3, 0, 0)}])
def test_nothing_is_told_from_too_little(lack):
    one = told(SHARPE, 0.25, 0.05, 0.45)
    short = study(one, **lack)
    assert not says_enough(short)
    assert verdict(SHARPE, short, one) == "cannot be told"
    assert "cannot be told from this many trades. Of 0 pairs" in sentence(SHARPE, [short])


def test_a_sentence_names_who_holds_and_counts_the_rest():
    studies = [study(told(SHARPE, 0.25, 0.05, 0.45)), study(told(SHARPE, 0, -0.1, 0.1), name="btc")]
    assert sentence(SHARPE, studies) == (
        "Sharpe ratio, 0.2 to 0.3 higher: holds for retire, recent on spy. Of 2 pairs of memory and file: holds in 1, "
        "does not hold in 1, chance does as well in 0, cannot be told in 0."
    )
    assert "higher: does not hold. Of 2 pairs" in sentence(WIN_RATE, studies)
    undecided = [study(told(SHARPE, 0.1, -0.1, 0.4))]
    assert "higher: cannot be told from this many trades. Of 1 pairs" in sentence(SHARPE, undecided)


def test_what_chance_does_not_explain_is_named_with_its_files():
    better = told(DRAWDOWN, -0.05, -0.08, -0.02)
    studies = [study(better), study(better, name="btc"), study(told(SHARPE, 0.2, 0.1, 0.3, 0.06), name="eur")]
    assert beyond_chance(studies) == ["retire, recent: smaller drawdown on spy, btc"]
    assert comparisons([*studies, study(better, days=3)]) == 3 * 6


def test_the_memory_that_saves_most_when_agents_break():
    rows = (Breakdown("a", -0.01, 0.01, 0.5, 0.1, -0.3), Breakdown("b", 0.0, 0.01, 0.1, 0.1, -0.1))
    only_here = (Breakdown("c", 0.0, 0.0, 9.0, 0.1, -0.9),)
    studies = [study(breakdowns=rows + only_here), study(breakdowns=rows, name="btc")]
    assert best_when_agents_break(studies) == (
        "a: saves most when agents break, as planted below. Sharpe ratio +0.50 on spy (-0.01 for sound agents), "
        "+0.50 on btc (-0.01 for sound agents)"
    )
    assert best_when_agents_break([study(days=3, breakdowns=rows)]) is None


def test_assessments_are_not_changed_by_their_judges():
    one = told(SHARPE, 0.25, 0.05, 0.45)
    before = replace(one)
    verdict(SHARPE, study(one), one)
    assert (one.changes, one.intervals) == (before.changes, before.intervals)
