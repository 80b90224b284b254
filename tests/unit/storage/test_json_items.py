"""Memories and decisions that are read straight from JSON are those of their items; damage is reported as before."""

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_memory.core.ids import new_decision_id
from agent_memory.model.decisions import Decision, Outcome, SupersededOutcome
from agent_memory.model.memories import Memory
from agent_memory.storage.dynamodb import json_items
from agent_memory.storage.dynamodb.items import (
    decision_from,
    decision_item,
    history_item,
    memory_from,
    memory_item,
    outcome_attributes,
)
from agent_memory.storage.dynamodb.json_items import ReadDecision, items_and_rest, read_decision, read_memory
from tests.attribute_values import SCALARS, items
from tests.contract.samples import NOW, decision

AT_MS = 1_795_176_000_000
texts = st.text(max_size=8)
names = st.text(min_size=1, max_size=8)
numbers = (
    st.integers(-(10**38) + 1, 10**38 - 1)
    | st.sampled_from([0, -1, 1.0, -0.0, 0.5, 1e20, 1e-7, 2.5e15, 10**30])
    | st.floats(1e-100, 1e100)
)
documents = st.dictionaries(
    names,
    st.recursive(
        texts | numbers | st.booleans() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)
times = st.integers(1, 4_000_000_000_000)
memories = st.builds(
    Memory,
    st.just("hunter"),
    st.sampled_from(["PATTERN", "LESSON"]),
    st.text("abc", min_size=1, max_size=5),
    st.none() | st.floats(0.001, 1),
    documents,
    times,
    times,
    st.integers(1, 50),
    changed_by=st.none() | names,
    reason=st.none() | names,
    changed_as=st.none() | names,
    embedding=st.none() | names,
    words=st.none() | texts,
)
outcomes = st.builds(Outcome, st.booleans(), documents, documents, times, st.none() | st.sampled_from(["1h", "exit"]))


@st.composite
def decisions(draw):
    decision_type = draw(st.sampled_from(["QUERY", "OWN"]))
    at_ms = draw(times)
    decision = Decision(
        "hunter",
        new_decision_id(decision_type, at_ms),
        decision_type,
        at_ms,
        draw(documents | st.just({"market": {"trend": "up"}})),
        draw(documents),
        draw(documents),
        parent_ids=tuple(draw(st.lists(names, max_size=2))),
        memory_ids=tuple(draw(st.lists(names, max_size=2))),
        ancestors=draw(st.dictionaries(names, st.integers(1, 5), max_size=2)),
        policy=draw(st.none() | names),
        propensity=draw(st.none() | st.floats(0.01, 1)),
    )
    if draw(st.booleans()):
        others = tuple(draw(st.lists(outcomes, max_size=2)))
        earlier = tuple(SupersededOutcome(one, at_ms) for one in draw(st.lists(outcomes, max_size=1)))
        decision = replace(
            decision, outcome=draw(outcomes), other_outcomes=others, superseded=earlier, revision=len(others)
        )
    return decision


def as_json(item):
    return msgspec.Raw(json.dumps(item).encode())


def result_of(read, *arguments):
    """What a function returns, or the type and text of its error."""
    try:
        return read(*arguments)
    except Exception as error:
        return type(error), str(error)


@given(memory=memories, in_history=st.booleans())
def test_a_memory_is_that_of_its_item(memory, in_history):
    item = history_item(memory) if in_history else memory_item(memory)
    item |= {"access_count": {"N": "3"}, "last_accessed": {"N": "5.25"}, "accesses_through": {"S": "2026-01-01"}}
    read = read_memory(as_json(item))
    if in_history:
        assert read == item  # few are read
    else:
        assert repr(read) == repr(memory_from(item))  # tells 1 from 1.0, and has what equality leaves out


@given(decision=decisions(), expires=st.none() | st.integers(0, 10**10))
def test_a_decision_is_that_of_its_item(decision, expires):
    item = decision_item(decision) | (outcome_attributes(decision) if decision.outcome else {})
    if expires is not None:
        item["ttl"] = {"N": str(expires)}
    read = read_decision(as_json(item))
    assert isinstance(read, ReadDecision)
    assert (read.sort_key, read.expires) == (item["sk"]["S"], expires)
    assert repr(read.decision) == repr(decision_from(item))
    assert read.decision == decision


def example_items():
    memory = Memory("hunter", "LESSON", "p1", 0.5, {"n": 1.0, "m": {"a": [1, "b"]}}, 1, 2, 3, words="1.a|2", reason="r")
    decision = Decision("hunter", new_decision_id("QUERY", AT_MS), "QUERY", AT_MS, {"n": 2.0}, {"a": ["b"]}, policy="p")
    outcome = replace(decision, outcome=Outcome(True, {"a": 1}, {"quality": 0.5}, AT_MS + 5, "1h"))
    return [
        (memory_item(memory), read_memory, memory_from),
        (decision_item(decision) | outcome_attributes(outcome), read_decision, decision_from),
    ]


@given(data=st.data(), damage=st.none() | SCALARS | items(SCALARS, names) | st.just({"M": {"a": {}}}) | st.just({}))
@example(data=None, damage=None)
def test_what_is_damaged_is_read_or_reported_as_before(data, damage):
    """Every attribute in turn is missing, of another kind or has another value."""
    for item, read, expected_of in example_items():
        for name in item if data is None else [data.draw(st.sampled_from(sorted(item)))]:
            damaged = {one: value for one, value in item.items() if one != name}
            if damage is not None:
                damaged[name] = damage
            found = read(as_json(damaged))
            if isinstance(found, dict):
                assert found == damaged  # which is left to the functions that read items
            else:
                found = found.decision if isinstance(found, ReadDecision) else found
                assert repr(found) == repr(result_of(expected_of, damaged))


@pytest.mark.parametrize(
    "text",
    [
        '{"S":"\\ud800"}',
        '{"N":"NaN"}',
        '{"S":NaN}',
        '{"S":"a","S":"b"}',
        '{"S":null}',
        '{"SS":["a"]}',
        '{"N":"1E+2"}',
        '{"N":"-0"}',
        '{"N":"123456789012345678901234567890.5"}',
        '{"L":[{"L":[{"NULL":true}]},{"M":{}},{"BOOL":false},{"N":"007"}]}',
        '{"M":' * 40 + "{}" + "}" * 40,
        '{"M":{"a":' * 33 + '{"S":"x"}' + "}}" * 33,
    ],
)
def test_unusual_values_of_a_document_are_as_before(text):
    item, _, _ = example_items()[0]
    del item["whole_floats"]
    raw = json.dumps(item).replace(json.dumps(item["data"]), f'{{"M":{{"a":{text}}}}}')
    plain = json.loads(raw)
    found = read_memory(msgspec.Raw(raw.encode()))
    expected = result_of(memory_from, plain)
    assert repr(found) in {repr(plain), repr(expected)}
    assert isinstance(found, dict) or isinstance(expected, Memory)


def test_a_decision_with_a_large_part_is_left_to_those_who_load_it():
    item, read, _ = example_items()[1]
    item["context_at"] = {"S": "large/part"}
    del item["context"]
    assert read(as_json(item)) == item


@given(st.lists(items(SCALARS, names), max_size=3), items(SCALARS, names))
def test_a_page_has_its_items_as_json_and_the_rest(entries, last_key):
    answer = {
        "Items": entries,
        "Count": 3,
        "ScannedCount": 9,
        "LastEvaluatedKey": last_key,
        "ConsumedCapacity": {"a": 1},
    }
    found, rest = items_and_rest(json.dumps(answer).encode())
    assert [json.loads(bytes(one)) for one in found] == answer.pop("Items")
    assert json.loads(rest) == answer


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"Items":null}', b'{"Items":[{"a"', b'{"Items":[1', b"\xff"])
def test_what_is_no_page_is_left_to_botocore(body):
    assert items_and_rest(body) is None


def test_nearly_everything_is_read_straight_from_json(monkeypatch):
    """If this fails, a new attribute is read the slow way."""
    monkeypatch.setattr(json_items, "_plain", lambda _: pytest.fail("an item was left to others"))
    for item, read, _ in example_items():
        assert not isinstance(read(as_json(item)), dict)


def test_an_item_that_names_a_float_which_is_not_there_is_left_to_the_other_reader():
    pointer = {"whole_floats": {"L": [{"S": "/context/prices/9"}]}}
    item = decision_item(decision(NOW, prices=[1.0, 2.0])) | pointer
    assert read_decision(msgspec.Raw(json.dumps(item).encode())) == item
