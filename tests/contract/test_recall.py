"""Recall on every store: the same ranking, nothing that is gone, nothing of others, nothing of later."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager
from agent_memory.core.clock import to_iso
from agent_memory.memory import memory_indexes
from agent_memory.ports.memories import Changes

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def logger(stores, clock):
    return DecisionLogger("hunter", stores=stores, clock=clock).sync


def names(found):
    return [one["memory"]["pattern_id"] if "memory" in one else one["decision"]["context"]["note"] for one in found]


def log(logger, note, ago, **more):
    return logger.log_decision("TRADE", {"note": note, **more}, {}, timestamp=NOON - ago)


def test_words_are_found_in_every_form_and_type(memory):
    memory.store_ltm("LESSON", "gaps", {"text": "Overnight gaps in BTC-USD were filled within 3.5% of the open"})
    memory.store_ltm("PATTERN", "whales", {"rule": "whale buying precedes pumps", "text": "unsure"})
    memory.store_ltm("STRATEGY", "other", {"text": "whale buying precedes pumps, maybe, in some of the longer texts"})
    for query, first in (
        ("filling the gap", "gaps"),
        ("BTCUSD", "gaps"),
        ("btc/usd", "gaps"),
        ("3.5%", "gaps"),
        ("pumped by whales", "whales"),
    ):
        assert names(memory.recall(query))[0] == first, query
    scores = [round(one["score"], 9) for one in memory.recall("longer texts, unsure, within")]
    assert scores == [1.670131855, 1.614360646, 1.600148205]  # the same on every store


def test_what_has_changed_since_the_last_recall_is_found(stores, clock, memory):
    memory.store_ltm("PATTERN", "first", {"text": "whales lead"})
    assert names(memory.recall("whales")) == ["first"]
    other = MemoryManager("hunter", stores=stores, clock=clock).sync
    other.store_ltm("OWN_TYPE", "second", {"text": "whales whales whales", "confidence": 0.9})
    other.store_ltm("PATTERN", "first", {"text": "minnows follow"})
    assert names(memory.recall("whales")) == ["second", "first"]
    assert names(memory.recall("minnow", top_k=1)) == ["first"]
    memory.quarantine("second", "wrong", memory_type="OWN_TYPE")
    assert names(memory.recall("whales")) == ["first"]
    memory.release("second", "right after all", memory_type="OWN_TYPE")
    assert names(memory.recall("whales")) == ["second", "first"]


def test_an_erased_agent_is_not_recalled_from_an_index(stores, clock, memory):
    memory.store_ltm("PATTERN", "gone", {"text": "whales lead"})
    assert names(memory.recall("whales")) == ["gone"]
    stores.memories.erase("hunter", dry_run=False)
    assert memory.recall("whales") == []
    memory.store_ltm("PATTERN", "new", {"text": "whales again"})
    assert names(memory.recall("whales")) == ["new"]


def test_nothing_of_another_agent_is_recalled(stores, clock):
    agents = ["hunter", "hunter-2", "hunter.2", "hunte", "hunter_"]
    managers = {name: MemoryManager(name, stores=stores, clock=clock).sync for name in agents}
    for name, manager in managers.items():
        manager.store_ltm("PATTERN", name, {"text": "whales"})
        DecisionLogger(name, stores=stores, clock=clock).sync.log_decision("TRADE", {"note": f"by {name}"}, {})
    for name, manager in managers.items():
        assert sorted(names(manager.recall("whales", top_k=50))) == sorted([name, f"by {name}"])


def test_decisions_of_every_age_are_recalled(memory, logger):
    for days in (0, 5, 80, 400):
        log(logger, f"{days} days", timedelta(days=days, minutes=1), symbol="SPY")
    assert names(memory.recall("days")) == ["0 days", "5 days", "80 days"]
    everything = memory.recall("days", time_range=("2020-01-01T00:00:00Z", None))
    assert (names(everything), everything.complete) == (["0 days", "5 days", "80 days", "400 days"], True)
    past = (NOON - timedelta(days=100), NOON - timedelta(days=2))
    assert names(memory.recall("days", time_range=past)) == ["5 days", "80 days"]


def test_filters_come_before_the_ranking(memory, logger):
    memory.store_ltm("PATTERN", "tagged", {"text": "whales", "tags": ["onchain", "btc"], "market": {"trend": "up"}})
    first = log(logger, "whales won", timedelta(hours=2), market={"trend": "up"}, tags=["btc"])
    log(logger, "whales wait", timedelta(hours=1), market={"trend": "down"})
    logger.log_outcome(first, {}, True)
    assert names(memory.recall("whales", tags=["btc"])) == ["tagged", "whales won"]
    assert names(memory.recall("whales", tags=["btc", "onchain"])) == ["tagged"]
    assert sorted(names(memory.recall("whales", context={"trend": "up"}))) == ["tagged", "whales won"]
    assert names(memory.recall("whales", success=True)) == ["whales won"]
    assert names(memory.recall("whales", success="pending")) == ["whales wait"]
    assert names(memory.recall("whales", kind="TRADE", context={"trend": "down"})) == ["whales wait"]


def test_a_recall_as_of_a_time_knows_nothing_later(memory, logger, clock):
    memory.store_ltm("PATTERN", "lesson", {"text": "whales lead", "confidence": 0.2})
    early = log(logger, "early", timedelta(minutes=1))
    before = memory.recall("whales", as_of=NOON)
    clock.advance(60_000)
    logger.log_outcome(early, {}, True, {"quality": 1.0})
    memory.store_ltm("PATTERN", "lesson", {"text": "whales whales whales", "confidence": 0.9})
    memory.store_ltm("PATTERN", "later", {"text": "whales"})
    log(logger, "late", timedelta(seconds=-30))
    after = memory.recall("whales", as_of=NOON)
    assert names(before) == names(after) == ["lesson", "early"]
    assert list(before) == list(after)
    assert after[1]["decision"]["success"] is None
    assert {"later", "late"} < set(names(memory.recall("whales")))


def test_a_cursor_leads_through_the_ranking(memory):
    for n in range(7):
        memory.store_ltm("PATTERN", f"p{n}", {"text": "whales " * (n % 3 + 1), "confidence": n / 10})
    expected, found, cursor = names(memory.recall("whale", top_k=7)), [], None
    for _ in itertools.count():
        page = memory.recall("whale", top_k=3, cursor=cursor)
        found, cursor = [*found, *names(page)], page.cursor
        assert page.complete
        if cursor is None:
            break
    assert found == expected
    with pytest.raises(InvalidInput, match="another query"):
        memory.recall("minnows", cursor=memory.recall("whale", top_k=1).cursor)
    with pytest.raises(InvalidInput, match="cursor"):
        memory.recall("whale", cursor="x")


def test_pools_are_ranked_with_own_memories(stores, clock, memory):
    pool = MemoryManager("shared", stores=stores, clock=clock).sync
    pool.store_ltm("PATTERN", "pooled", {"text": "whales lead pumps", "confidence": 0.4})
    memory.store_ltm("PATTERN", "own", {"text": "whales", "confidence": 0.4})
    both = MemoryManager("hunter", stores=stores, clock=clock, pools=["shared"]).sync
    assert names(both.recall("whales pump")) == ["pooled", "own"]


def test_an_index_is_read_again_after_a_while(memory, stores, monkeypatch):
    memory.store_ltm("PATTERN", "whales", {"text": "whales"})
    memory.recall("whales")
    monkeypatch.setattr(type(stores.memories), "changes", lambda *_: Changes([], "0"))
    memory.store_ltm("PATTERN", "minnows", {"text": "whales"})
    monkeypatch.setattr(memory_indexes, "_MAX_AGE_SECONDS", -1.0)
    assert sorted(names(memory.recall("whales"))) == ["minnows", "whales"]


def test_memories_whose_decisions_went_well_come_first(stores, clock, memory, logger):
    MemoryManager("shared", stores=stores, clock=clock).sync.store_ltm("PATTERN", "good", {"text": "whales lead"})
    for name in ("bad", "good", "unused"):
        memory.store_ltm("PATTERN", name, {"text": "whales lead"})
    decided = [
        (logger.log_decision("TRADE", {"note": "bought"}, {}, memory_ids=[name]), name == "good")
        for name in ("good", "bad") * 4
    ]
    clock.advance(600_000)
    for decision_id, success in decided[:6]:
        logger.log_outcome(decision_id, {}, success)
    both = MemoryManager("hunter", stores=stores, clock=clock, pools=["shared"]).sync
    found = [one for one in both.recall("whales", explain=True) if "memory" in one]
    outcomes = {(one["memory"]["agent_id"], one["memory"]["pattern_id"]): one["why"]["outcome"] for one in found}
    assert outcomes == {
        ("hunter", "good"): pytest.approx(3 / 7),
        ("hunter", "bad"): pytest.approx(-3 / 7),
        ("hunter", "unused"): 0.0,
        ("shared", "good"): 0.0,  # what an agent's decisions name are its own memories
    }
    assert (names(found)[0], names(found)[-1]) == ("good", "bad")
    for one in found:
        assert one["score"] == pytest.approx(one["why"]["faded_importance"] + one["why"]["similarity"])
    plain = [one["score"] for one in memory.recall("whales", weights={"outcome": 0}) if "memory" in one]
    assert plain == pytest.approx(plain[:1] * 3)
    before = to_iso(clock.now_ms() - 300_000)
    earlier = memory.recall("whales", as_of=before, explain=True)
    assert {one["why"]["outcome"] for one in earlier if "memory" in one} == {0.0}


def test_the_weights_of_a_deployment_apply_where_a_call_gives_none(stores, clock, memory):
    memory.store_ltm("PATTERN", "sure", {"text": "minnows", "confidence": 0.6})
    memory.store_ltm("PATTERN", "apt", {"text": "whales", "confidence": 0.4})
    plain = replace(stores, recall_weights={"text": 0.0})
    other = MemoryManager("hunter", stores=plain, clock=clock).sync
    assert names(memory.recall("whales")) == ["apt", "sure"]
    assert names(other.recall("whales")) == ["sure", "apt"]
    assert names(other.recall("whales", weights={"text": 1})) == ["apt", "sure"]
