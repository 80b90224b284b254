"""What the estimates say of worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.estimate_rows import result_rows
from agent_memory.learning.estimates import ResultRows, best_half_life, fit_estimates
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.expected_results import expected_result
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.model.evidence import Evidence

OPTIONS = ("breakout", "momentum", "reversion")
FACTS = (
    ("context.market.trend=down", "context.market.trend=up"),
    ("context.market.vol=high", "context.market.vol=low"),
)


def rows(seed, days=60, per_day=24, effect=0.0, base=0.5, shared_luck=0.0):
    chance = np.random.default_rng(seed)
    count = days * per_day
    options, facts = chance.integers(0, 3, count), chance.integers(0, 2, (count, 2))
    rates = base + effect * ((options == 1) & (facts[:, 0] == 1))
    day = np.arange(count) // per_day
    rates = rates + shared_luck * chance.choice([-1, 1], (days, 3))[day, options]
    return ResultRows(
        OPTIONS,
        FACTS,
        options,
        facts,
        np.ones(count),
        np.zeros(count),
        (chance.random(count) < rates).astype(float),
        day,
    )


def as_estimate(model, facts=FACTS):
    return {"facts": [list(one) for one in facts], "success": model.as_data()}


def test_an_effect_in_one_context_is_found_there_and_not_elsewhere():
    estimate = as_estimate(fit_estimates(rows(1, effect=0.3)))
    up = expected_result(estimate, "success", "momentum", {"context.market.trend=up", "context.market.vol=low"})
    down = expected_result(estimate, "success", "momentum", {"context.market.trend=down", "context.market.vol=low"})
    assert up.low < 0.8 < up.high or up.mean == pytest.approx(0.8, abs=0.07)
    assert down.mean == pytest.approx(0.5, abs=0.07)
    assert up.mean - down.mean > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("shared_luck", [0.0, 0.25])
def test_intervals_cover_the_truth_as_often_as_they_say(shared_luck):
    covered = total = 0
    for seed in range(20):
        estimate = as_estimate(fit_estimates(rows(seed, days=40, shared_luck=shared_luck)))
        for option in OPTIONS:
            for trend in FACTS[0]:
                one = expected_result(estimate, "success", option, {trend, FACTS[1][0]})
                covered += one.low <= 0.5 <= one.high
                total += 1
    assert covered / total >= 0.93


def test_without_effects_the_estimates_of_all_options_are_nearly_equal():
    for seed in range(5):
        estimate = as_estimate(fit_estimates(rows(seed)))
        means = [
            expected_result(estimate, "success", option, {trend, vol}).mean
            for option in OPTIONS for trend in FACTS[0] for vol in FACTS[1]
        ]  # fmt: skip
        assert max(means) - min(means) < 0.12


def test_the_order_of_the_rows_does_not_matter():
    one = rows(3, effect=0.2)
    order = np.random.default_rng(1).permutation(len(one.results))
    other = ResultRows(
        one.options, one.facts, one.option_codes[order], one.fact_codes[order], one.shares[order], one.ages[order],
        one.results[order], one.days[order],
    )  # fmt: skip
    assert fit_estimates(one).as_data() == fit_estimates(other).as_data()


def test_one_result_is_not_certainty_and_no_estimate_is_anything():
    none, one_row = np.zeros(1, np.int64), np.ones(1)
    single = ResultRows(("long",), (), none, np.empty((1, 0), np.int64), one_row, np.zeros(1), one_row, none)
    one = expected_result(as_estimate(fit_estimates(single), ()), "success", "long", set())
    assert one.low < 0.5 < one.mean < 1
    nothing = expected_result(None, "success", "long", set())
    assert (nothing.mean, nothing.low, nothing.high, nothing.is_prior) == (0.5, 0.0, 1.0, True)


def test_an_option_without_decisions_and_a_fact_that_was_never_seen_widen_the_interval():
    estimate = as_estimate(fit_estimates(rows(2, effect=0.2)))
    known = expected_result(estimate, "success", "momentum", {FACTS[0][0], FACTS[1][0]})
    unseen = expected_result(estimate, "success", "momentum", {"context.market.trend=flat", FACTS[1][0]})
    other = expected_result(estimate, "success", "arbitrage", {FACTS[0][0], FACTS[1][0]})
    assert unseen.deviation > known.deviation
    assert other.is_prior
    assert other.high - other.low > 0.8


def test_rewards_keep_their_unit():
    one = rows(4)
    rewards = 100 * (one.option_codes == 2) + np.random.default_rng(5).normal(0, 50, len(one.results))
    model = fit_estimates(
        ResultRows(one.options, one.facts, one.option_codes, one.fact_codes, one.shares, one.ages, rewards, one.days)
    )
    estimate = {"facts": [list(facts) for facts in FACTS], "reward": model.as_data()}
    best = expected_result(estimate, "reward", "reversion", {FACTS[0][0], FACTS[1][0]})
    assert best.low < 100 < best.high
    assert best.deviation < 15


def evidence(n, features, *, success=True, cluster="", at_ms=0):
    return Evidence(f"d-{n}", "TRADE", at_ms, success, tuple(sorted(features)), cluster=cluster)


def test_copies_of_one_position_count_once_and_several_options_share_a_decision():
    copies = [evidence(n, ["reasoning.strategy=trend"], cluster="position_id=1") for n in range(30)]
    others = [evidence(100 + n, ["reasoning.strategy=trend"], success=n % 2 == 0) for n in range(10)]
    (table,) = build_tables([*copies, *others])
    found = result_rows(table, "reasoning.strategy", PatternThresholds(), 0)
    assert float(np.sum(found.shares)) == pytest.approx(11)
    (table,) = build_tables([evidence(n, ["source=a", "source=b"]) for n in range(4)])
    found = result_rows(table, "reasoning.selected", PatternThresholds(), 0)
    assert (found.options, len(found.shares), float(np.sum(found.shares))) == (("a", "b"), 8, pytest.approx(4))


def test_results_fade_with_the_half_life():
    before, after = rows(6, days=60, base=0.2), rows(7, days=60, base=0.8)
    both = ResultRows(
        OPTIONS,
        FACTS,
        *(np.concatenate([getattr(before, name), getattr(after, name)]) for name in ("option_codes", "fact_codes")),
        np.ones(2 * len(before.shares)),
        np.repeat(np.arange(120.0)[::-1], 24),
        np.concatenate([before.results, after.results]),
        np.repeat(np.arange(120), 24),
    )
    in_context = {FACTS[0][0], FACTS[1][0]}
    means = [
        expected_result(as_estimate(fit_estimates(both, days)), "success", "momentum", in_context).mean
        for days in (1_000, 30, 5)
    ]
    assert means == sorted(means)
    assert means[0] < 0.6
    assert means[2] > 0.75


@pytest.mark.parametrize(("turned", "expected"), [(False, {30.0, 90.0}), (True, {10.0})])
def test_a_short_half_life_is_taken_after_rules_have_turned(turned, expected):
    chosen = []
    for seed in range(4):
        one, other = rows(seed, days=46, base=0.3), rows(50 + seed, days=14, base=0.7 if turned else 0.3)
        joined = ResultRows(
            OPTIONS,
            FACTS,
            *(
                np.concatenate([getattr(one, name), getattr(other, name)])
                for name in ("option_codes", "fact_codes", "shares")
            ),
            np.repeat(np.arange(60.0)[::-1], 24),
            np.concatenate([one.results, other.results]),
            np.repeat(np.arange(60), 24),
        )
        chosen.append(best_half_life(joined))
    assert set(chosen) <= expected


def test_a_choice_that_no_decision_names_has_no_rows():
    (table,) = build_tables([evidence(1, ["reasoning.action=buy"], at_ms=0)])
    found = result_rows(table, "reasoning.action", PatternThresholds(), 60 * DAY_MS)
    assert found.ages.tolist() == [60]
    assert result_rows(table, "reasoning.strategy", PatternThresholds(), 0) is None


@pytest.mark.parametrize("result", [0.4, 5, -0.0004, 1e6, 0])
def test_equal_rewards_are_expected_again_ever_more_certainly(result):
    """The mean of equal numbers differs from them by rounding, which is no deviation to measure by."""
    few, many = (rewards_of(with_results(days, lambda _: result))[0] for days in (2, 60))
    size = abs(result) or 1
    for one in (few, many):
        assert one.mean == pytest.approx(result, abs=1e-3 * size)
    assert many.deviation < few.deviation / 3
    assert many.deviation < 0.05 * size


@pytest.mark.parametrize("level", [1e5, -3e9])
def test_the_level_of_rewards_does_not_change_the_estimate(level):
    around, far = (
        rewards_of(with_results(60, lambda one: at + 10 * one.results + one.option_codes))  # noqa: B023  called here
        for at in (0, level)
    )
    for one, other in zip(around, far, strict=True):
        assert other.mean - level == pytest.approx(one.mean, abs=0.001)
        assert other.deviation == pytest.approx(one.deviation, rel=0.01)


def with_results(days, result_of):
    """Rows of days with other results."""
    plain = rows(8, days)
    return replace(plain, results=np.broadcast_to(np.asarray(result_of(plain), float), plain.results.shape))


def rewards_of(some):
    """What to expect of each option where the first facts hold."""
    estimate = {"facts": [list(one) for one in FACTS], "reward": fit_estimates(some).as_data()}
    return [expected_result(estimate, "reward", option, {one[0] for one in FACTS}) for option in OPTIONS]
