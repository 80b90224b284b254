from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from trading_agents.backtest.engine.memory_rules import MEMORY_RULES
from trading_agents.backtest.study.assessment import Assessment
from trading_agents.backtest.study.claims import (
    CLAIMS,
    best_for_failing_agents,
    comparison_count,
    exclusion,
    is_usable,
    ranking,
    significant_improvements,
    summary,
    verdict,
)
from trading_agents.backtest.study.controls import Controls
from trading_agents.backtest.study.failing_agents import FailureResult
from trading_agents.backtest.study.inference import Interval
from trading_agents.backtest.study.track_record import PerformanceChange

WIN_RATE, SHARPE, DRAWDOWN, TRADE_QUALITY = CLAIMS
NO_CHANGE = dict.fromkeys(PerformanceChange._fields, 0.0)


def assessment_of(claim, value, low, high, p_shift=0.01, p_shuffle=0.01):
    """An assessment with a change of one measure only."""
    flat = dict.fromkeys(PerformanceChange._fields, Interval(0.0, 0.0))
    return Assessment(
        rule=MEMORY_RULES[1],
        multipliers=np.ones(1),
        skipped=0.0,
        skipped_win_rate=float("nan"),
        change=PerformanceChange(**NO_CHANGE | {claim.measure: value}),
        intervals=flat | {claim.measure: Interval(low, high)},
        p_shift=dict.fromkeys(PerformanceChange._fields, p_shift),
        p_shuffle=None if p_shuffle is None else dict.fromkeys(PerformanceChange._fields, p_shuffle),
    )


def study(*assessments, days=1000, trades=1000, controls=(5, 0, 0), name="spy", failing_agents=()):
    return SimpleNamespace(
        name=name,
        days=days,
        trades=trades,
        controls=Controls(5, *controls),
        assessments=assessments,
        failing_agents=failing_agents,
        record=SimpleNamespace(bars=SimpleNamespace(bars_per_day=24.0)),
    )


@pytest.mark.parametrize(
    ("claim", "numbers", "expected"),
    [
        (SHARPE, (0.25, 0.05, 0.45), "supported"),
        (SHARPE, (0.15, 0.05, 0.45), "inconclusive"),
        (SHARPE, (0.25, -0.05, 0.45), "inconclusive"),
        (SHARPE, (0.10, 0.05, 0.19), "not supported"),
        (SHARPE, (0.25, 0.05, 0.45, 0.2), "explained by chance"),
        (SHARPE, (0.25, 0.05, 0.45, 0.01, 0.2), "explained by chance"),
        (SHARPE, (0.25, 0.05, 0.45, 0.01, None), "supported"),
        (DRAWDOWN, (-0.12, -0.2, -0.02), "supported"),
        (DRAWDOWN, (-0.12, -0.2, 0.02), "inconclusive"),
        (DRAWDOWN, (0.02, -0.09, 0.3), "not supported"),
        (DRAWDOWN, (0.2, 0.1, 0.3), "not supported"),
        (DRAWDOWN, (-0.12, -0.2, -0.02, 0.2), "explained by chance"),
        (WIN_RATE, (0.06, 0.01, 0.1), "supported"),
        (WIN_RATE, (0.01, 0.0, 0.049), "not supported"),
        (TRADE_QUALITY, (float("nan"),) * 3, "inconclusive"),
    ],
)
def test_a_claim_is_judged_by_estimate_interval_and_nulls(claim, numbers, expected):
    one = assessment_of(claim, *numbers)
    assert verdict(claim, study(one), one) == expected


@pytest.mark.parametrize("problem", [{"days": 249}, {"trades": 99}, {"controls": (3, 0, 0)}])
def test_unusable_files_are_not_assessed(problem):
    one = assessment_of(SHARPE, 0.25, 0.05, 0.45)
    short = study(one, **problem)
    assert not is_usable(short)
    assert verdict(SHARPE, short, one) == "inconclusive"
    assert summary(SHARPE, [short]) == "Sharpe ratio, 0.2 to 0.3 higher: not assessed, since no file can be used."


def test_a_summary_names_supporting_rules_and_counts_the_verdicts():
    studies = [study(assessment_of(SHARPE, 0.25, 0.05, 0.45)), study(assessment_of(SHARPE, 0, -0.1, 0.1), name="btc")]
    assert summary(SHARPE, studies) == (
        "Sharpe ratio, 0.2 to 0.3 higher: supported for retire, recent on spy. Of 2 pairs of memory and file: "
        "1 supported, 1 not supported, 0 explained by chance, 0 inconclusive; it held on 1 of 2 files."
    )
    assert "higher: not supported. Of 2 pairs" in summary(WIN_RATE, studies)
    assert summary(WIN_RATE, studies).endswith("; it held on 0 of 2 files.")
    undecided = [study(assessment_of(SHARPE, 0.1, -0.1, 0.4))]
    assert "higher: inconclusive with this number of trades. Of 1 pairs" in summary(SHARPE, undecided)


def test_significant_improvements_are_named_with_their_files():
    better = assessment_of(DRAWDOWN, -0.05, -0.08, -0.02)
    studies = [study(better), study(better, name="btc"), study(assessment_of(SHARPE, 0.2, 0.1, 0.3, 0.06), name="eur")]
    assert significant_improvements(studies) == ["retire, recent: smaller drawdown on 2 of 3 files: spy, btc"]
    assert comparison_count([*studies, study(better, days=3)]) == 3 * 6


def test_the_rule_that_gains_most_when_agents_fail():
    rows = (FailureResult("a", -0.01, 0.01, 0.5, 0.1, -0.3), FailureResult("b", 0.0, 0.01, 0.1, 0.1, -0.1))
    only_here = (FailureResult("c", 0.0, 0.0, 9.0, 0.1, -0.9),)
    studies = [study(failing_agents=rows + only_here), study(failing_agents=rows, name="btc")]
    assert best_for_failing_agents(studies) == (
        "`a` has the best sum of gain when agents fail and cost when they do not, in the "
        "Sharpe ratio: +0.50 on spy (-0.01 for steady agents), +0.50 on btc (-0.01 for steady agents)"
    )
    assert best_for_failing_agents([study(days=3, failing_agents=rows)]) is None


def test_rules_are_ranked_by_gain_and_cost_over_the_files_that_have_them():
    cheap, dear = FailureResult("cheap", -0.01, 0.0, 0.5, 0.1, 0), FailureResult("dear", -0.9, 0.0, 1.0, 0.1, 0)
    worse = FailureResult("dear", -1.3, 0.0, 1.0, 0.1, 0)
    unusable = study(days=3, failing_agents=(FailureResult("dear", 9.0, 0.0, 9.0, 0.1, 0),))
    studies = [study(failing_agents=(dear, cheap)), study(failing_agents=(worse,), name="btc"), unusable]
    assert ranking(studies) == [("cheap", 0.5, -0.01, 1, 1), ("dear", 1.0, pytest.approx(-1.1), 2, 1)]


def test_a_verdict_does_not_change_the_assessment():
    one = assessment_of(SHARPE, 0.25, 0.05, 0.45)
    before = replace(one)
    verdict(SHARPE, study(one), one)
    assert (one.change, one.intervals) == (before.change, before.intervals)


def test_an_excluded_file_is_named_with_all_reasons():
    assert exclusion(study(days=222, trades=99, controls=(3, 0, 0))) == (
        "spy (222 scored days of the 250 needed, which take about 9,000 bars like these, "
        "controls failed, with 3 of 5 planted effects found; it takes more bars, "
        "99 scored trades of the 100 needed)"
    )
