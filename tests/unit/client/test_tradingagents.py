"""The log for TradingAgents: its methods, lessons at a trade date, and settlement after the holding period."""

from datetime import date

import pytest

from agent_memory import Conflict, DecisionLogger, InvalidInput, NotFound
from agent_memory.client.integrations.tradingagents import AgentMemoryLog, rating_of
from tests.conformance.examples import run_example

TODAY = date(2026, 11, 20)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/memory.db"


@pytest.fixture
def log(url):
    return AgentMemoryLog(DecisionLogger("graph", stores=url), today=lambda: TODAY)


def settle(log, ticker, day, *, alpha=0.02, days=5):
    log.update_with_outcome(ticker, day, 0.03, alpha, days, f"{ticker} of {day} taught")


def test_decisions_are_pending_until_their_outcome_is_logged(log):
    log.store_decision("NVDA", "2026-11-02", "FINAL TRANSACTION PROPOSAL: **BUY**")
    log.store_decision("AAPL", "2026-11-03", "Rating: Underweight. Do not sell everything.")
    assert [(one["date"], one["ticker"], one["rating"]) for one in log.get_pending_entries()] == [
        ("2026-11-02", "NVDA", "Buy"),
        ("2026-11-03", "AAPL", "Underweight"),
    ]
    settle(log, "NVDA", "2026-11-02")
    settle(log, "NVDA", "2026-11-02")
    nvda, aapl = log.load_entries()
    assert (nvda["pending"], nvda["raw"], nvda["alpha"], nvda["holding"]) == (False, "+3.0%", "+2.0%", "5d")
    assert (aapl["pending"], aapl["raw"], aapl["reflection"]) == (True, None, "")
    assert [one["ticker"] for one in log.get_pending_entries()] == ["AAPL"]


@pytest.mark.parametrize(
    ("text", "alpha", "success"),
    [("Buy", 0.01, True), ("Overweight", -0.01, False), ("Sell", -0.01, True), ("Hold", 0.01, False)],
)
def test_success_is_judged_against_the_benchmark_in_the_ratings_direction(url, log, text, alpha, success):
    log.store_decision("NVDA", "2026-11-02", text)
    settle(log, "NVDA", "2026-11-02", alpha=alpha)
    (decision,) = DecisionLogger("graph", stores=url).sync.query_decisions("TRADE_RATING")
    assert (decision["success"], decision["horizon"]) == (success, "5d")


def test_lessons_are_those_known_at_the_trade_date(log):
    for day in ("2026-11-02", "2026-11-04", "2026-11-09"):
        log.store_decision("NVDA", day, "Buy")
        settle(log, "NVDA", day)
    log.store_decision("AAPL", "2026-11-03", "Sell")
    settle(log, "AAPL", "2026-11-03")
    # Five trading days after Monday the second end on Monday the ninth.
    assert log.get_past_context("NVDA", as_of="2026-11-09") == ""
    assert "NVDA of 2026-11-02 taught" in log.get_past_context("NVDA", as_of="2026-11-10")
    context = log.get_past_context("NVDA", as_of="2026-11-12")
    assert context.index("NVDA of 2026-11-04") < context.index("NVDA of 2026-11-02") < context.index("AAPL of")
    assert "2026-11-09 taught" not in context
    assert log.get_past_context("NVDA", n_same=1, n_cross=0).count("Reflection:") == 1
    assert log.get_past_context("MSFT", n_cross=1).count("Reflection:") == 1


def test_an_outcome_before_the_end_of_the_holding_period_is_refused(log):
    log.store_decision("NVDA", "2026-11-13", "Buy")
    with pytest.raises(InvalidInput, match="ends on 2026-11-20"):
        settle(log, "NVDA", "2026-11-13")
    assert len(log.get_pending_entries()) == 1
    settle(log, "NVDA", "2026-11-13", days=4)


def test_a_run_within_the_holding_period_leaves_the_decision_pending(log, caplog):
    """The graph settles at the start of each run, with as many days as there are prices."""
    log.store_decision("NVDA", "2026-11-02", "Buy")
    log.store_decision("BTC-USD", "2026-11-17", "Buy")
    update = {"raw_return": 0.1, "alpha_return": 0.1, "reflection": "x"}
    log.batch_update_with_outcomes(
        [
            {**update, "ticker": "BTC-USD", "trade_date": "2026-11-17", "holding_days": 3},
            {**update, "ticker": "NVDA", "trade_date": "2026-11-02", "holding_days": 5},
        ]
    )
    assert [one["ticker"] for one in log.get_pending_entries()] == ["BTC-USD"]
    assert "BTC-USD of 2026-11-17 stays pending: its holding period ends on 2026-11-20" in caplog.text


def test_without_a_date_lessons_are_those_known_today(url, log):
    log.store_decision("NVDA", "2026-11-02", "Buy")
    settle(log, "NVDA", "2026-11-02")
    assert "taught" in log.get_past_context("NVDA")
    in_a_backtest = AgentMemoryLog(DecisionLogger("graph", stores=url), today=lambda: date(2026, 11, 9))
    assert in_a_backtest.get_past_context("NVDA") == ""


def test_another_decision_for_the_same_date_does_not_replace_the_first(log, caplog):
    log.store_decision("NVDA", "2026-11-02", "Buy")
    log.store_decision("NVDA", "2026-11-02", "Sell")
    assert [one["rating"] for one in log.load_entries()] == ["Buy"]
    assert "already has another decision" in caplog.text


def test_a_batch_that_was_interrupted_is_repeated(log):
    log.store_decision("NVDA", "2026-11-02", "Buy")
    update = {"raw_return": 0.1, "alpha_return": 0.1, "holding_days": 5, "reflection": "x", "trade_date": "2026-11-02"}
    updates = [{**update, "ticker": "NVDA"}, {**update, "ticker": "AAPL"}]
    with pytest.raises(NotFound):
        log.batch_update_with_outcomes(updates)
    log.store_decision("AAPL", "2026-11-02", "Buy")
    log.batch_update_with_outcomes(updates)
    assert log.get_pending_entries() == []
    with pytest.raises(Conflict):
        log.batch_update_with_outcomes([{**updates[0], "raw_return": 0.2}])


def test_the_example_asks_before_and_after(url, capsys):
    run_example("tradingagents_log", url)
    assert capsys.readouterr().out.splitlines() == ["lessons known on 2024-05-10: 0", "lessons known on 2024-05-14: 1"]


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("**Rating**: Overweight", "Overweight"),
        ("Some say sell. Final decision: HOLD", "Hold"),
        ("we would buy here", "Buy"),
        ("no opinion; holdings unchanged", "Hold"),
        ("", "Hold"),
    ],
)
def test_the_rating_is_read_from_the_text(text, rating):
    assert rating_of(text) == rating
