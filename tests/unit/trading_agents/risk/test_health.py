"""Agents that fail are retired and reinstated; profitable agents are not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import InvalidInput
from trading_agents import AgentHealth


def observe_all(results, **settings):
    health = AgentHealth(**settings)
    return health, [health.observe("a", result) for result in results]


@given(st.lists(st.floats(-3, 3).map(lambda value: round(value, 2)), min_size=2, max_size=150))
def test_both_statistics_are_those_of_the_formulas(results):
    values = np.array(results)
    weights = 0.5 ** (np.arange(len(values))[::-1] / 100)
    weights /= weights.sum()
    mean = (weights * values).sum()
    variance = (weights * (values - mean) ** 2).sum()
    rate = 1 - 0.5 ** (1 / 100)
    last = observe_all(results)[1][-1]
    if values.std() > 1e-6:
        assert last.recent_t == pytest.approx(mean / math.sqrt(variance * rate / (2 - rate)), rel=1e-6, abs=1e-6)
        lifetime = values.mean() / (values.std(ddof=1) / math.sqrt(len(values)))
        assert last.lifetime_t == pytest.approx(lifetime, rel=1e-6, abs=1e-6)


def test_an_agent_that_fails_is_retired_and_reinstated_when_it_recovers():
    chance = np.random.default_rng(5)
    phases = np.repeat([0.3, -0.3, 0.3], 400)
    health, healths = observe_all(chance.normal(phases, 1.0), with_lifetime=False)
    retired = np.array([one.is_retired for one in healths])
    assert not retired[:400].any()
    assert retired[550:800].mean() > 0.9
    assert not retired[1_000:].any()
    assert health.multiplier("a") == 1.0


def test_no_agent_is_retired_before_a_hundred_trades():
    _, healths = observe_all([-1.0, -1.1] * 60)
    assert [one.is_retired for one in healths] == [False] * 99 + [True] * 21


def test_the_lifetime_t_retires_a_loser_despite_recent_luck():
    results = list(np.random.default_rng(1).normal(-0.4, 1.0, 2_000)) + [0.5, 0.4] * 60
    assert observe_all(results)[1][-1].is_retired
    assert not observe_all(results, with_lifetime=False)[1][-1].is_retired


def test_the_lifetime_t_alone_keeps_an_agent_that_failed_recently():
    chance = np.random.default_rng(2)
    results = [*chance.normal(0.5, 1.0, 1_000), *chance.normal(-0.5, 1.0, 250)]
    assert observe_all(results, with_lifetime=False)[1][-1].is_retired
    assert not observe_all(results, with_recent=False)[1][-1].is_retired
    with pytest.raises(InvalidInput, match="with_recent"):
        AgentHealth(with_recent=False, with_lifetime=False)


def test_competent_agents_are_rarely_retired():
    chance = np.random.default_rng(11)
    retired = [one.is_retired for _ in range(10) for one in observe_all(chance.normal(0.12, 1.0, 1_000))[1]]
    assert np.mean(retired) < 0.03


def test_the_report_gives_status_and_statistics():
    health = AgentHealth()
    for result in [-1.0, -1.2] * 60:
        health.observe("bad", result)
    health.observe("new", 1.0)
    report = health.report()
    assert {name: entry["status"] for name, entry in report.items()} == {"bad": "retired", "new": "active"}
    assert (health.multiplier("bad"), health.multiplier("new"), health.multiplier("unknown")) == (0.0, 1.0, 1.0)
    assert report["new"] == {"status": "active", "trades": 1, "recent_t": math.inf, "lifetime_t": None}
    with pytest.raises(InvalidInput, match="result"):
        health.observe("a", math.nan)
