"""What SQLite reads faster for a listing or for statistics equals the decisions, and damaged rows are named."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory import DecisionLogger
from agent_memory.core.clock import FixedClock
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.decisions.rollups import MEASUREMENTS
from agent_memory.model.listings import AnswerSize, raise_error
from agent_memory.ports.decisions import DecisionStore, Order
from agent_memory.storage.factory import sqlite_stores
from tests.contract.samples import NOW

AGENT = "hunter"
EVERYTHING = DecisionFilter("QUERY")

names = st.sampled_from(["latency_ms", "quality", "quality_score", "note", "größe", '"'])
numbers = st.sampled_from([-1.5, 0.0, 1.0, 0.1])
values = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), numbers, st.text(max_size=5), st.just("\x01"))
documents = st.dictionaries(names, st.one_of(values, st.lists(values, max_size=3)), max_size=3)
outcomes = st.fixed_dictionaries(
    {"outcome": documents, "success": st.booleans(), "metrics": documents},
    optional={"horizon": st.sampled_from(["1h", "exit"]), "amend": st.just(True)},
)
decisions = st.fixed_dictionaries(
    {"context": st.one_of(documents, st.fixed_dictionaries({"market": documents})), "reasoning": documents},
    optional={
        "metadata": documents,
        "policy": st.just("p"),
        "propensity": st.floats(0.1, 1),
        "memory_ids": st.just(["m"]),
    },
)


def filled(logged):
    stores = sqlite_stores(None, FixedClock(NOW))
    log = DecisionLog(AGENT, stores, FixedClock(NOW))
    for number, (decision, its_outcomes) in enumerate(logged):
        own = decision_id_for("QUERY", (NOW - number) / 1000, str(number))
        log.log_one({"decision_type": "QUERY", "decision_id": own, **decision})
        for one in its_outcomes:
            log.record_outcomes([{"decision_id": own, **one}])
    return stores, log


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logged=st.lists(st.tuples(decisions, st.lists(outcomes, max_size=4)), max_size=6))
def test_entries_and_counts_are_those_of_the_decisions(logged):
    stores, log = filled(logged)
    selection, span = EVERYTHING.selection(AGENT, 1), EVERYTHING.span()
    stored = list(stores.decisions.scan(selection, span))
    entries = list(log.page(EVERYTHING).listing)
    assert [json.dumps(one) for one in entries] == [json.dumps(one.as_dict()) for one in stored]

    found = [
        one for one in stores.decisions.scan_entries(selection, span, Order(), raise_error) if hasattr(one, "content")
    ]
    for one in found:
        assert AnswerSize(one.max_bytes)._fits(one.as_dict())

    counted = log.statistics(EVERYTHING)
    stores.decisions.count = lambda *arguments: DecisionStore.count(stores.decisions, *arguments)
    assert log.statistics(EVERYTHING) == counted
    assert sum(one.number for one in stores.decisions.count(selection, span, MEASUREMENTS, raise_error)) == len(stored)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("content", "{"),
        ("content", "[]"),
        ("content", "{}],[{}"),
        ("content", '{"context":[],"reasoning":{}}'),
        ("content", ""),
        ("outcomes", "{"),
        ("outcomes", '{"success":true}'),
        ("outcomes", "null],[null"),
        ("outcomes", "7"),
    ],
)
def test_a_damaged_row_is_named_and_the_others_are_read(column, text):
    outcome = {"outcome": {}, "success": True}
    stores, log = filled([({"context": {"n": n}, "reasoning": {}}, [outcome]) for n in range(4)])
    ids = [one["decision_id"] for one in log.page(EVERYTHING).listing]
    with stores.decisions._database.writing() as connection:
        statement = "UPDATE decisions SET content = ? WHERE decision_id = ?"
        connection.execute(statement.replace("content", column), (text, ids[2]))
    listing = log.page(EVERYTHING).listing
    assert [one["decision_id"] for one in listing] == [*ids[:2], ids[3]]
    assert [one["id"] for one in listing.missing] == [ids[2]]
    statistics = log.statistics(EVERYTHING)
    assert (statistics["total"]["count"], [one["id"] for one in statistics["missing"]]) == (3, [ids[2]])


def test_rows_that_are_too_large_together_are_read_one_by_one(monkeypatch):
    monkeypatch.setattr("agent_memory.storage.sqlite.decisions._MAX_TOGETHER", 100)
    log = DecisionLogger(AGENT, stores="sqlite://").sync
    ids = [log.log_decision("QUERY", {"n": n}, {}) for n in range(3)]
    assert sorted(one["decision_id"] for one in log.query_decisions("QUERY")) == sorted(ids)
