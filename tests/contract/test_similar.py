"""Similar situations on every store."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def log(stores, clock):
    logger = DecisionLogger("hunter", stores=stores, clock=clock).sync

    def log(note, success, days=1.0, **context):
        at = NOON - timedelta(days=days)
        decision_id = logger.log_decision("TRADE", {"note": note, **context}, {}, timestamp=at)
        if success is not None:
            logger.log_outcome(decision_id, {}, success)
        return decision_id

    return log


def notes(answer):
    return [one["decision"]["context"]["note"] for one in answer["similar"]]


def test_decisions_in_a_like_market_come_with_what_came_of_them(memory, log):
    log("same", True, market={"trend": "up", "volatility": 0.2}, funding=0.01)
    log("near", True, market={"trend": "up", "volatility": 0.25}, funding=0.012)
    log("far", False, market={"trend": "down", "volatility": 0.9}, funding=-0.05)
    log("open", None, market={"trend": "up", "volatility": 0.2}, funding=0.01)
    log("bare", False)
    answer = memory.similar({"market": {"trend": "up", "volatility": 0.2}, "funding": 0.01})
    assert (set(notes(answer)), notes(answer)[2]) == ({"same", "open", "near"}, "near")
    assert answer["similar"][0]["similarity"] == 1.0
    assert (answer["decisions"], answer["with_outcome"], answer["success_rate"]) == (3, 2, 1.0)
    assert (answer["base_decisions"], answer["base_with_outcome"], answer["base_success_rate"]) == (5, 4, 0.5)
    assert answer["complete"]
    assert memory.similar({"market": {"trend": "sideways"}})["success_rate"] is None


def test_nothing_later_is_used(memory, log, clock, stores):
    log("past", None, days=2, trend="up", size=1.0)
    other = log("other", None, days=1.5, trend="down", size=3.0)
    before = memory.similar({"trend": "up", "size": 2.0}, as_of=NOON, min_similarity=0)
    clock.advance(60_000)
    DecisionLogger("hunter", stores=stores, clock=clock).sync.log_outcome(other, {}, True)
    log("later", True, days=-0.0005, trend="up", size=100.0)
    after = memory.similar({"trend": "up", "size": 2.0}, as_of=NOON, min_similarity=0)
    assert before == after
    assert notes(after) == ["past", "other"]
    assert (after["base_success_rate"], len(memory.similar({"trend": "up"})["similar"])) == (None, 2)


def test_numbers_may_be_as_far_apart_as_numbers_are(memory, log):
    log("small", True, size=1e-125)
    log("less small", True, size=2e-125)
    answer = memory.similar({"size": 9e124}, min_similarity=0)
    assert [one["similarity"] for one in answer["similar"]] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"context": {}}, "context"),
        ({"context": {"a": [1]}}, "context"),
        ({"context": {"a": 1}, "min_similarity": 2}, "min_similarity"),
        ({"context": {"a": 1}, "top_k": 0}, "top_k"),
        ({"context": {"a": 1}, "decision_type": "x"}, "decision_type"),
    ],
)
def test_invalid_arguments_are_refused(memory, arguments, field):
    with pytest.raises(InvalidInput) as caught:
        memory.similar(**arguments)
    assert caught.value.field == field
