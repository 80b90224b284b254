"""Half-lives of every kind on bars: by what was known at each trade, with all else as on paper."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.trading_agents.price_samples import walk
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.backtest.engine.votes import collect_votes
from trading_agents.indicators import FeatureTable
from trading_agents.paper.voting_agents import memory_for
from trading_agents.tuning.half_lives import DAY, HOUR
from trading_agents.tuning.replay import KINDS, OUTCOMES, _Replay, tune_on_bars

BARS = walk(1_500)
CHANGED_FROM = 1_200


def replay(bars):
    table = FeatureTable(bars)
    votes = collect_votes(bars, table)
    return _Replay(bars, table, votes, simulate_trades(bars, agents=votes.signal_agents()))


@pytest.fixture(scope="module")
def one():
    return replay(BARS)


@pytest.fixture(scope="module")
def paper_half_lives(one):
    memory = memory_for(one._settings, lambda: 0.0)
    return lambda kind: memory.half_lives.get(kind, memory.decay_half_life)


def test_with_the_half_lives_of_paper_every_kind_of_an_agent_gives_the_same_sizes(one, paper_half_lives):
    sizes = [one._sizes("sentiment", kind, paper_half_lives(kind))[0] for kind in KINDS["sentiment"]]
    assert len(sizes[0]) > 30
    assert sizes[0].tolist() == sizes[1].tolist()
    assert (sizes[0] != 1).any()
    assert ((sizes[0] >= 0.7 - 1e-12) & (sizes[0] <= 1.3 + 1e-12)).all()


@pytest.mark.parametrize(("agent", "kind"), [("liquidity", "level:kyle_lambda"), ("wyckoff", "setup_outcome")])
def test_a_shorter_half_life_remembers_less(one, agent, kind):
    counts = [one._sizes(agent, kind, life)[1].mean() for life in (2 * HOUR, 8 * HOUR, 90 * DAY)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_later_bars_change_no_earlier_size(one):
    later = np.arange(len(BARS)) >= CHANGED_FROM
    names = ("open", "high", "low", "close")
    changed = replace(BARS, **{name: np.where(later, getattr(BARS, name) * 1.1, getattr(BARS, name)) for name in names})
    other = replay(changed)
    for agent, kind in (("sentiment", "level:volatility"), ("wyckoff", "setup_outcome")):
        before = one._trades.signal_bar[one.trades_of(agent)] < CHANGED_FROM
        known = one._sizes(agent, kind, DAY)[0][before]
        assert len(known) > 20
        assert other._sizes(agent, kind, DAY)[0][: len(known)].tolist() == known.tolist()


def test_every_kind_of_the_agents_that_trade_is_tuned():
    notes = []
    found = list(tune_on_bars(BARS, [8 * HOUR], notify=notes.append))
    # Hedge has no option chains, and Markov no vote in the first two years.
    kinds = [(kind, agent.capitalize()) for agent in ("liquidity", "sentiment", "wyckoff") for kind in KINDS[agent]]
    assert [(one.kind, one.agent) for one in found] == [(OUTCOMES, ""), *kinds]
    assert len(notes) == len(found)
    assert sum(one.tuning.trades for one in found if one.kind != "sentiment_extreme") == 2 * found[0].tuning.trades
    for one in found:
        assert [result.half_life for result in one.tuning.results] == [8 * HOUR, float("inf")]
        if one.tuning.chosen:
            assert one.tuning.interval.low <= one.tuning.walk_forward <= one.tuning.interval.high
        else:
            assert one.tuning.verdict.startswith("Nothing can be said from ")
