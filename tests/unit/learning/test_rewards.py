"""The mean reward of each option: what outcomes say they earned, known when it was, and estimated like success."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import MemoryManager
from agent_memory.core.clock import DAY_MS, FixedClock, Span, day_start_ms
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.learning.evidence import evidence_row
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.numbers import MAX_RESULT, rewards_of
from agent_memory.learning.partial_evidence import PartialEvidence
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.evidence import Evidence
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.evidence import merged
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.parquet.evidence_rows import COLUMNS, evidence_rows, merge_rows
from agent_memory.storage.parquet.files import to_parquet
from tests.outcomes import known_at_once

FIRST = date(2026, 7, 1)
DAYS = 12
UP, DOWN = {"market": {"trend": "up"}}, {"market": {"trend": "down"}}
ALL_TIME = Span(0, 10**14)


def trades(stores, days=DAYS, *, scale=1.0, name="pnl", change=float):
    """Trades of two strategies that win alike; where prices rise, one wins 30 and loses 10; the other is even."""
    chance = random.Random(3)
    log = DecisionLog("trader", stores, stores.clock)
    for n in range(days):
        made = []
        for k in range(40):
            at_ms, strategy = day_start_ms(FIRST) + n * DAY_MS + k * 1_800_000, ("breakout", "fade")[k % 2]
            context, won = (UP, DOWN)[chance.random() < 0.5], chance.random() < 0.5
            win = 30 if strategy == "breakout" and context is UP else 10
            decision = {
                "decision_id": decision_id_for("TRADE", at_ms / 1000, f"{n} {k}"),
                "decision_type": "TRADE",
                "context": context,
                "reasoning": {"strategy": strategy},
            }
            earned = change(scale * ((win if won else -10) + chance.gauss(0, 5)))
            made.append((decision, {"decision_id": decision["decision_id"], "outcome": {name: earned}, "success": won}))
        log.log([decision for decision, _ in made])
        log.record_outcomes(known_at_once(outcome for _, outcome in made))


def learned(days=DAYS, **planted):
    stores = in_memory_stores(FixedClock(day_start_ms(FIRST) + days * DAY_MS + 60_000))
    settings = planted.pop("settings", None)
    if settings:
        early = FixedClock(day_start_ms(FIRST))
        LongTermMemory("trader", stores.memories, early).put("CONFIGURATION", "estimates", settings)
    trades(stores, days, **planted)
    consolidate("trader", date.fromordinal(FIRST.toordinal() + days - 1), stores)
    return MemoryManager("trader", stores=stores, clock=stores.clock).sync


def advised(memory, context, **asked):
    advice = memory.advise("TRADE", context, ["breakout", "fade"], **asked)
    return {one["option"]: one for one in advice["options"]}, advice


def test_advice_tells_options_apart_that_win_alike_and_earn_differently():
    options, advice = advised(learned(), UP)
    assert advice["estimated_from"]["reward"] == "outcome.pnl"
    assert abs(options["breakout"]["expected"] - options["fade"]["expected"]) < 0.15
    low, high = options["breakout"]["reward"]["interval"]
    assert low > 2
    assert high < 15
    assert options["fade"]["reward"]["interval"][0] < 0 < options["fade"]["reward"]["interval"][1]


def test_a_choice_by_reward_takes_what_earns_more():
    memory = learned()
    options, advice = advised(memory, UP, result="reward", choose="greedy", exploration=0.0)
    assert (advice["result"], advice["choice"]["chosen"]) == ("reward", ["breakout"])
    assert options["breakout"]["expected"] == options["breakout"]["reward"]["expected"]
    chosen = [
        memory.advise("TRADE", UP, ["breakout", "fade"], choose="thompson", seed=str(n), result="reward")["choice"][
            "chosen"
        ]
        for n in range(20)
    ]
    assert chosen.count(["breakout"]) >= 19


@pytest.mark.parametrize("scale", [0.001, 1000.0])
def test_the_unit_of_the_reward_makes_no_difference(scale):
    (one, _), (other, _) = advised(learned(), UP), advised(learned(scale=scale), UP)
    assert other["breakout"]["reward"]["expected"] == pytest.approx(
        scale * one["breakout"]["reward"]["expected"], rel=0.01
    )
    assert other["breakout"]["reward"]["deviation"] == pytest.approx(
        scale * one["breakout"]["reward"]["deviation"], rel=0.01
    )


@pytest.mark.parametrize("pnl", [0.4, -7, 1e100, -1e125, 1e-100])
def test_learning_accepts_equal_and_extreme_rewards(pnl):
    """Fitted are squares, which are numbers that can be stored for numbers up to 1e40."""
    options, _ = advised(learned(days=2, change=lambda _: pnl), UP)
    assert not options["fade"]["is_prior"]
    if abs(pnl) > MAX_RESULT:
        assert options["fade"]["reward"] is None
    else:
        assert options["fade"]["reward"]["expected"] == pytest.approx(pnl, abs=1e-3)


def test_one_reward_of_extreme_size_is_left_out():
    def one_huge(earned):
        return 1e90 if earned < -20 else earned

    options, _ = advised(learned(change=one_huge), UP)
    assert 2 < options["breakout"]["reward"]["expected"] < 15


def test_a_reward_of_another_name_is_used_once_it_is_configured():
    options, advice = advised(learned(name="r_multiple"), UP)
    assert (options["breakout"]["reward"], advice["estimated_from"]["reward"]) == (None, None)
    options, advice = advised(learned(name="r_multiple", settings={"rewards": ["outcome.r_multiple"]}), UP)
    assert advice["estimated_from"]["reward"] == "outcome.r_multiple"
    assert options["breakout"]["reward"]["expected"] > 5


def test_without_rewards_advice_by_reward_is_the_prior():
    memory = learned(name="note", days=2)
    options, advice = advised(memory, UP, result="reward")
    assert advice["estimated_from"] is None
    assert all(one["is_prior"] and one["reward"] is None for one in options.values())


def test_numbers_of_an_outcome_are_rewards():
    details = {"pnl": 3, "options": {"a": 1.0}, "note": "x", "won": True, "nan": float("nan")}
    assert rewards_of(details, {"quality": 0.5}) == (("metrics.quality", 0.5), ("outcome.pnl", 3.0))
    assert rewards_of(None, None) == ()


def test_of_many_numbers_the_rewards_are_kept():
    many = {f"a{n:02}": n for n in range(20)}
    kept = dict(rewards_of({**many, "pnl": 3}, {**many, "quality": 0.5}))
    assert len(kept) == 16
    assert (kept["outcome.pnl"], kept["metrics.quality"]) == (3.0, 0.5)
    assert [one for one in kept if one.startswith("metrics.")] == ["metrics.quality"]
    assert list(kept) == sorted(kept)


def row(decision_id="d", known_ms=10, success=True, rewards=(("outcome.pnl", 2.0),), rewards_ms=-1):
    return Evidence(decision_id, "TRADE", 5, success, ("a=b",), known_ms, rewards=rewards, rewards_ms=rewards_ms)


def test_rewards_are_kept_in_the_file_and_a_file_of_an_earlier_version_has_none():
    rows = [row(), row("e", rewards=())]
    assert list(evidence_rows(merge_rows(None, rows, ALL_TIME), ALL_TIME)) == rows
    earlier = {name: kind for name, kind in COLUMNS.items() if not name.startswith("reward")}
    body = to_parquet(
        [{**dict.fromkeys(earlier), "decision_id": "d", "decision_type": "TRADE", "timestamp_ms": 5, "features": []}],
        earlier,
    )
    assert [one.rewards for one in evidence_rows(body, ALL_TIME)] == [()]


def test_rewards_are_unknown_before_they_were_recorded():
    assert row().rewards_ms == 10
    assert row().known_before(10).rewards == ()
    assert row().known_before(11).rewards == (("outcome.pnl", 2.0),)


def test_before_an_amendment_rewards_are_what_they_were():
    first, second = (("outcome.pnl", 2.0),), (("outcome.pnl", -3.0),)
    amended = row().with_rewards([(10, first), (40, second), (60, ())])
    assert amended.known_before(10).rewards_history == ()
    assert (amended.known_before(40).rewards, amended.known_before(41).rewards) == (first, second)
    assert amended.known_before(60).rewards_history == ((10, first), (40, second))
    assert amended.known_before(61) == amended
    assert amended.rewards == ()
    assert list(evidence_rows(merge_rows(None, [amended], ALL_TIME), ALL_TIME)) == [amended]


def test_rewards_that_change_nothing_or_were_replaced_at_once_are_not_kept():
    one, other = (("outcome.pnl", 2.0),), (("outcome.pnl", 3.0),)
    assert row().with_rewards([(5, ()), (10, one), (20, one), (30, other), (30, one)]) == row(rewards_ms=10)


def test_an_amended_decision_has_the_rewards_of_each_outcome():
    stores = in_memory_stores(FixedClock(day_start_ms(FIRST) + 1_000))
    log = DecisionLog("trader", stores, stores.clock)
    decision_id = log.log_one({"decision_type": "TRADE", "context": UP, "reasoning": {}}).decision_id
    stores.clock.advance(1_000)
    log.record_outcome({"decision_id": decision_id, "outcome": {"pnl": 2.0}, "success": True})
    stores.clock.advance(5_000)
    log.record_outcome({"decision_id": decision_id, "outcome": {"pnl": -3.0}, "success": False, "amend": True})
    start_ms = day_start_ms(FIRST)
    found = evidence_row(log.get(decision_id))
    assert found.rewards_history == (
        (start_ms + 2_000, (("outcome.pnl", 2.0),)),
        (start_ms + 7_000, (("outcome.pnl", -3.0),)),
    )


def test_a_reward_that_no_job_has_seen_counts_from_the_end_of_the_last_one():
    before, after = row(rewards=()), row()
    assert merged(before, after, seen_ms=100).rewards_ms == 100
    assert merged(after, after, seen_ms=100) == after
    assert merged(None, row(known_ms=300), seen_ms=100).rewards_ms == 300


def test_rewards_that_a_job_has_seen_stay_what_they_were_at_that_time():
    first, second = (("outcome.pnl", 2.0),), (("outcome.pnl", -3.0),)
    amended = row().with_rewards([(10, first), (40, second)])
    assert merged(row(), amended, seen_ms=100).rewards_history == ((10, first), (100, second))
    assert merged(row(), amended, seen_ms=30).rewards_history == ((10, first), (40, second))


REWARDS = st.lists(
    st.tuples(st.sampled_from(["outcome.pnl", "metrics.quality", "outcome.other"]), st.floats(-9, 9)), max_size=3
)


@given(st.lists(st.tuples(st.booleans(), REWARDS), min_size=1, max_size=12), st.integers(0, 12))
def test_rewards_read_in_parts_equal_those_read_at_once(made, cut):
    rows = [
        Evidence(f"{n}", "TRADE", n, success, ("a=b",), rewards=tuple(sorted(dict(found).items())))
        for n, (success, found) in enumerate(made)
    ]
    (whole,) = build_tables(rows)
    parts = PartialEvidence.merged([PartialEvidence.of(rows[:cut]), PartialEvidence.of(rows[cut:])])
    columns = parts.types["TRADE"].resolved
    assert set(whole.rewards) == {path for one in rows for path, _ in one.rewards} - {"outcome.other"}
    for number, path in enumerate(parts.types["TRADE"].rewards):
        expected = [dict(one.rewards).get(path) for one in rows]
        assert [None if value != value else value for value in whole.rewards[path].tolist()] == expected  # noqa: PLR0124  NaN
        assert [None if value != value else value for value in columns.rewards[:, number].tolist()] == expected  # noqa: PLR0124
