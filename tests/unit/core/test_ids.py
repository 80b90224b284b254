import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import (
    MAX_SHARDS,
    decision_id_for,
    new_decision_id,
    parse_decision_id,
    shard_of,
    timestamp_of,
    type_tag,
)

moments = st.integers(0, 253_402_300_799_999)
type_names = st.from_regex(r"[A-Z][A-Z0-9_]{0,30}", fullmatch=True)


@given(moments, type_names)
def test_an_id_is_a_uuid_that_tells_its_time_and_type(moment, name):
    made = new_decision_id(name, moment)
    assert uuid.UUID(made).version == 8
    assert uuid.UUID(made).variant == uuid.RFC_4122
    parts = parse_decision_id(made)
    assert (parts.timestamp_ms, parts.type_tag) == (moment, type_tag(name))


@given(st.lists(moments, min_size=2, max_size=2, unique=True))
def test_order_of_ids_is_order_of_time(pair):
    ids = [new_decision_id("QUERY", moment) for moment in sorted(pair)]
    assert ids == sorted(ids)


@given(moments, st.text(), st.text())
def test_the_same_name_gives_the_same_id_and_another_name_another(moment, name, other):
    at = to_iso(moment)
    assert decision_id_for("QUERY", at, name) == decision_id_for("QUERY", at, name)
    assert (decision_id_for("QUERY", at, name) == decision_id_for("QUERY", at, other)) == (name == other)


UPPER = "019A9C2F-0000-8ABC-8DEF-0123456789AB"


@pytest.mark.parametrize("bad", ["", "x", "6f1c2a1e-7f5b-4c39-9d3c-0a4f8d2b1e55", UPPER, None, 7, "a#b"])
def test_what_is_no_decision_id_is_refused(bad):
    with pytest.raises(InvalidInput, match="decision_id"):
        parse_decision_id(bad)


def test_ten_thousand_fresh_ids_of_one_millisecond_differ():
    assert len({new_decision_id("QUERY", 1) for _ in range(10_000)}) == 10_000


@given(type_names, moments, st.integers(1, MAX_SHARDS), st.text())
def test_an_id_carries_its_shard(kind, moment, shards, name):
    for decision_id in (
        new_decision_id(kind, moment, write_shards=shards),
        decision_id_for(kind, to_iso(moment), name, write_shards=shards),
    ):
        parts = parse_decision_id(decision_id)
        assert (parts.timestamp_ms, parts.type_tag, parts.shard) == (moment, type_tag(kind), shard_of(decision_id))
        assert timestamp_of(decision_id) == moment
        assert 0 <= parts.shard < shards
