"""New decisions are counted from the stream of their table, once each, whoever has written them."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.api.decision_counts import count_documents
from agent_memory.core.ids import new_decision_id
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.ports.decisions import Link
from agent_memory.storage.dynamodb.items import decision_item, outcome_attributes
from agent_memory.storage.dynamodb.links import link_items

NOW_MS = 1_795_176_030_000  # half past a minute
DAY_MS = 86_400_000


def decision(decision_type="QUERY", at_ms=NOW_MS, **fields):
    one = new_decision_id(decision_type, at_ms)
    return Decision("hunter", one, decision_type, at_ms, {"market": {"trend": "up"}}, {}, **fields)


def record(item, event="INSERT", at_ms=NOW_MS):
    """A record of the stream, as Lambda passes it on."""
    return {
        "eventName": event,
        "dynamodb": {"ApproximateCreationDateTime": at_ms // 1000, "NewImage": item} if item else {},
    }


def counted(records):
    return list(count_documents(records, "BTCAgent/Memory"))


def total(records):
    return sum(document["DecisionsLogged"] for document in counted(records))


def test_decisions_are_counted_with_their_types_and_the_minute_of_their_write():
    first = [record(decision_item(decision(kind))) for kind in ("QUERY", "QUERY", "LEARNING")]
    later = record(decision_item(decision(memory_ids=("pump",))), at_ms=NOW_MS + 60_000)
    one, other = counted([*first, later])
    assert one == {
        "level": "INFO",
        "message": "decisions",
        "decision_types": {"QUERY": 2, "LEARNING": 1},
        "influenced": 0,
        "_aws": {
            "Timestamp": NOW_MS - 30_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "BTCAgent/Memory",
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": "DecisionsLogged", "Unit": "Count"}],
                }
            ],
        },
        "service": "counter",
        "DecisionsLogged": 3,
    }
    assert (other["DecisionsLogged"], other["influenced"]) == (1, 1)
    assert other["_aws"]["Timestamp"] == NOW_MS + 30_000
    json.dumps([one, other])


def test_what_is_not_a_new_decision_is_not_counted():
    new = decision()
    outcome = Outcome(success=True, details={}, metrics={}, recorded_ms=NOW_MS)
    done = replace(new, outcome=outcome)
    (link,) = link_items([Link(decision().decision_id, 1, new.key)], NOW_MS)
    item = decision_item(new)
    ignored = [
        record({**item, **outcome_attributes(done)}, "MODIFY"),  # its outcome
        record({**item, "ttl": {"N": "1"}}, "MODIFY"),  # its expiry
        record(None, "REMOVE"),
        record({**item, **outcome_attributes(done)}),  # restored or imported with its outcome
        record(decision_item(decision(at_ms=NOW_MS - 31 * DAY_MS))),  # restored before it has one
        record(link),
    ]
    assert counted(ignored) == []
    assert total([*ignored, record(item)]) == 1


@given(st.lists(st.tuples(st.sampled_from(["QUERY", "LEARNING"]), st.integers(0, 3 * DAY_MS)), max_size=30), st.data())
def test_every_new_decision_is_counted_once_however_records_are_batched(decisions, data):
    records = [record(decision_item(decision(kind, NOW_MS - late)), at_ms=NOW_MS + late) for kind, late in decisions]
    cut = data.draw(st.integers(0, len(records)))
    assert total(records[:cut]) + total(records[cut:]) == total(records) == len(records)


@pytest.mark.parametrize("records", [[], [record(None, "REMOVE")]])
def test_nothing_new_is_no_line(records):
    assert counted(records) == []
