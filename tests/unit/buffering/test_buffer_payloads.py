"""Inputs are validated when they are logged, and read back from disk unchanged."""

import json
import math
from types import MappingProxyType

import numpy as np
import pytest
from buffer_fakes import CONTEXT, REASONING
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.buffering.payloads import decision_payload, outcome_payload
from agent_memory.core import json_values
from agent_memory.core.errors import InvalidInput, TooLarge
from agent_memory.core.ids import new_decision_id
from agent_memory.core.json_values import canonical_json, check_json
from agent_memory.decisions import inputs
from agent_memory.decisions.inputs import parse_decision
from agent_memory.decisions.log import DecisionLog
from agent_memory.storage.dynamodb.attribute_values import encode
from agent_memory.storage.factory import in_memory_stores

DECISION_ID = new_decision_id("QUERY", 1_763_640_000_000)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**37, 10**41) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
)


def error_of(call):
    try:
        call()
    except InvalidInput as error:
        return error.field, error.message
    return None


@given(anything, st.integers(0, 33))
def test_check_json_raises_the_errors_of_the_dynamodb_encoder(value, depth):
    for _ in range(depth):
        value = [value]
    assert error_of(lambda: check_json(value, "/context")) == error_of(lambda: encode(value, "/context"))


@pytest.mark.slow
@given(anything)
def test_documents_are_read_back_unchanged(value):
    document = {"a": value}
    if error_of(lambda: encode(document)) is None:
        _, payload = decision_payload(
            {"decision_type": "QUERY", "context": document, "reasoning": {}}, agent_id="hunter", now_ms=10**12
        )
        assert canonical_json(json.loads(payload)["context"]) == canonical_json(document)


def test_numpy_floats_and_other_mappings_are_serialized():
    document = MappingProxyType({"score": np.float64(0.1), "inner": MappingProxyType({"n": 1})})
    data = {"decision_type": "QUERY", "context": document, "reasoning": {}}
    _, payload = decision_payload(data, agent_id="hunter", now_ms=10**12)
    assert json.loads(payload)["context"] == {"score": 0.1, "inner": {"n": 1}}


@pytest.mark.parametrize(
    "change",
    [
        {"decision_type": "query"},
        {"context": None},
        {"context": [1]},
        {"context": {"a": math.nan}},
        {"reasoning": {"a": {"b/c": {1}}}},
        {"metadata": {"": 1}},
        {"metadata": "text"},
        {"decision_id": "nonsense"},
        {"decision_id": ""},
        {"decision_id": DECISION_ID, "decision_type": "LEARNING"},
        {"timestamp": "2026-11-20"},
        {"timestamp": "2999-01-01T00:00:00Z"},
        {"timestamp": "2001-01-01T00:00:00Z"},
        {"parent_ids": ["nonsense"]},
        {"parent_ids": [new_decision_id("QUERY", 1_900_000_000_000)]},
        {"memory_ids": ["a#b"]},
        {"context": {"text": "x" * 10_000_001}},
    ],
)
def test_an_invalid_decision_raises_the_error_of_the_direct_logger(change, clock):
    data = {"decision_type": "QUERY", "context": CONTEXT, "reasoning": REASONING} | change
    direct = error_of(lambda: DecisionLog("hunter", in_memory_stores(clock), clock).log_one(data))
    assert direct
    assert error_of(lambda: decision_payload(data, agent_id="hunter", now_ms=clock.now_ms())) == direct


@pytest.mark.parametrize(
    "change",
    [
        {"decision_id": "nonsense"},
        {"decision_id": None},
        {"outcome": "text"},
        {"outcome": {"a": [math.inf]}},
        {"success": 1},
        {"horizon": "1 h"},
        {"amend": 1},
        {"timestamp": "2999-01-01T00:00:00Z"},
        {"metrics": {"a": object()}},
    ],
)
def test_an_invalid_outcome_raises_the_error_of_the_direct_logger(change, clock):
    log = DecisionLog("hunter", in_memory_stores(clock), clock)
    decision_id = str(log.log_one({"decision_type": "QUERY", "context": {}, "reasoning": {}}).decision_id)
    data = {"decision_id": decision_id, "outcome": {"rows": 1}, "success": True} | change
    direct = error_of(lambda: log.record_outcome(data))
    assert direct
    assert error_of(lambda: outcome_payload(data, now_ms=clock.now_ms())) == direct


@given(anything)
def test_the_content_of_a_large_decision_is_never_longer_than_its_payload(document):
    numbers = [1e16, 1e-5, 1e300] * 7_000  # shorter as msgspec writes them
    data = {"decision_type": "QUERY", "context": {"a": document, "numbers": numbers}, "reasoning": {}}
    if error_of(lambda: check_json(data)) is None:
        decision = parse_decision(data, agent_id="hunter", now_ms=10**12, path="")
        _, payload = decision_payload(data, agent_id="hunter", now_ms=10**12)
        assert len(decision.content().encode()) <= len(payload)


def test_more_than_ten_megabytes_are_rejected_at_the_call():
    data = {"decision_type": "QUERY", "context": {"text": "x" * 10_000_000}, "reasoning": {}}
    with pytest.raises(TooLarge, match="10,000,000 bytes"):
        decision_payload(data, agent_id="hunter", now_ms=10**12)
    data = {"decision_id": DECISION_ID, "outcome": {"text": "x" * 10_000_000}, "success": True}
    with pytest.raises(TooLarge, match="10,000,000 bytes"):
        outcome_payload(data, now_ms=1_763_650_000_000)


def test_a_document_that_another_thread_changes_meanwhile_is_refused(monkeypatch):
    def change(*_):
        raise RuntimeError("dictionary changed size during iteration")

    for module in (inputs, json_values):
        monkeypatch.setattr(module, "is_plain", change)
    data = {"decision_type": "QUERY", "context": {"a": 1}, "reasoning": {}}
    error = error_of(lambda: decision_payload(data, agent_id="hunter", now_ms=10**12))
    assert error == (
        "/context",
        "cannot be read: dictionary changed size during iteration; pass a copy of what other threads change",
    )
