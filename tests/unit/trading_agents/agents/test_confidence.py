"""The confidence rules and their limit."""

import pytest

from agent_memory import InvalidInput
from trading_agents import (
    MemoryAwareAgent,
    PosteriorRule,
    TradingMemoryItem,
    TradingMemoryStore,
    Unchanged,
    WinRateRule,
)

NOW = 1_795_176_000.0


def add_outcomes(memory, *profits, symbol="SPY"):
    for pnl in profits:
        memory.append(TradingMemoryItem("outcome", "x", 1.0, symbol, {"pnl": pnl}, timestamp=NOW))


class ConfidentAgent(MemoryAwareAgent):
    def _base_decision(self, symbol, features):  # noqa: ARG002
        return "long", 0.9


def confidence_after(rule, *profits, others=()):
    memory = TradingMemoryStore(clock=lambda: NOW)
    add_outcomes(memory, *profits)
    add_outcomes(memory, *others, symbol="BTC")
    return ConfidentAgent("A", memory, confidence_rule=rule).act_with_memory("SPY", 0, {})[1]


@pytest.mark.parametrize(
    ("rule", "profits", "expected"),
    [
        (None, [], 0.9),
        (None, [-1] * 9, 0.9),
        (None, [-1] * 10, 0.9 * 0.7),
        (None, [1, 1, -1] * 4, 1.0),
        (None, [1, -1] * 5, 0.9),
        (WinRateRule(min_outcomes=0), [-1], 0.9 * 0.7),
        (WinRateRule(min_outcomes=4), [-1, -1, -1], 0.9),
        (WinRateRule(min_outcomes=4), [-1, -1, -1, -1], 0.9 * 0.7),
        (WinRateRule(boost=1.05), [1] * 10, 0.9 * 1.05),
        (Unchanged(), [-1] * 10, 0.9),
        (PosteriorRule(), [-1] * 29, 0.9),
        (PosteriorRule(), [-1] * 30, 0.9 * 0.7),
        (PosteriorRule(), [1, 1, -1] * 10, 0.9),
    ],
)
def test_each_rule_changes_the_confidence_by_its_factor(rule, profits, expected):
    assert confidence_after(rule, *profits) == pytest.approx(expected, rel=1e-12)


def test_a_posterior_is_shrunk_to_the_pooled_rate():
    rule = PosteriorRule()
    # 6 of 30 won here, 66 of 132 in all: p0 = 67/134 = 0.5, p = (30 * 0.5 + 6) / 60 = 0.35; wins and losses of 1.
    here, everywhere = [1] * 6 + [-1] * 24, [1] * 66 + [-1] * 66
    assert rule.expected_profit(here, everywhere) == pytest.approx(0.35 - 0.65)
    # Few wins that are large do not make a loser.
    assert rule.expected_profit(here, [4] * 66 + [-1] * 66) == pytest.approx(0.35 * 4 - 0.65)


def test_no_rule_changes_confidence_by_more_than_thirty_percent():
    class UnlimitedRule:
        def factor(self, record):
            return 0.0 if record.win_rate < 0.5 else 9.0

    assert confidence_after(UnlimitedRule(), -1) == pytest.approx(0.9 * 0.7)
    assert confidence_after(UnlimitedRule(), 1) == 1.0
    for make, field in ((lambda: WinRateRule(cut=0.6), "cut"), (lambda: WinRateRule(boost=1.4), "boost")):
        with pytest.raises(InvalidInput) as caught:
            make()
        assert caught.value.field == field
