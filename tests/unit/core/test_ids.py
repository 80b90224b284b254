import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import (
    MAX_SHARDS,
    IdParts,
    decision_id_for,
    new_decision_id,
    parse_decision_id,
    shard_of,
    timestamp_of,
    type_tag,
)

timestamps = st.integers(0, 253_402_300_799_999)
type_names = st.from_regex(r"[A-Z][A-Z0-9_]{0,30}", fullmatch=True)


@given(timestamps, type_names)
def test_an_id_is_a_uuid_that_contains_time_and_type(timestamp_ms, name):
    decision_id = new_decision_id(name, timestamp_ms)
    assert uuid.UUID(decision_id).version == 8
    assert uuid.UUID(decision_id).variant == uuid.RFC_4122
    parts = parse_decision_id(decision_id)
    assert (parts.timestamp_ms, parts.type_tag) == (timestamp_ms, type_tag(name))


@given(st.lists(timestamps, min_size=2, max_size=2, unique=True))
def test_ids_sort_by_time(pair):
    ids = [new_decision_id("QUERY", timestamp_ms) for timestamp_ms in sorted(pair)]
    assert ids == sorted(ids)


@given(timestamps, st.text(), st.text())
def test_equal_names_have_equal_ids_and_different_names_different_ones(timestamp_ms, name, other):
    at = to_iso(timestamp_ms)
    assert decision_id_for("QUERY", at, name) == decision_id_for("QUERY", at, name)
    assert (decision_id_for("QUERY", at, name) == decision_id_for("QUERY", at, other)) == (name == other)


UPPER = "019A9C2F-0000-8ABC-8DEF-0123456789AB"


@pytest.mark.parametrize("bad", ["", "x", "6f1c2a1e-7f5b-4c39-9d3c-0a4f8d2b1e55", UPPER, None, 7, "a#b"])
def test_an_invalid_decision_id_is_refused(bad):
    with pytest.raises(InvalidInput, match="decision_id"):
        parse_decision_id(bad)


@pytest.mark.parametrize("timestamp_ms", [-1, 1 << 48])
def test_timestamps_that_exceed_48_bits_are_rejected(timestamp_ms):
    with pytest.raises(ValueError, match=rf"\A\D+{timestamp_ms} ms; it has 48 bits for it\Z"):
        new_decision_id("QUERY", timestamp_ms)


def test_ten_thousand_new_ids_of_one_millisecond_differ():
    assert len({new_decision_id("QUERY", 1) for _ in range(10_000)}) == 10_000


@given(type_names, timestamps, st.integers(1, MAX_SHARDS), st.text())
def test_an_id_contains_its_shard(decision_type, timestamp_ms, shards, name):
    for decision_id in (
        new_decision_id(decision_type, timestamp_ms, write_shards=shards),
        decision_id_for(decision_type, to_iso(timestamp_ms), name, write_shards=shards),
    ):
        parts = parse_decision_id(decision_id)
        assert parts == IdParts(timestamp_ms, type_tag(decision_type), shard_of(decision_id))
        assert timestamp_of(decision_id) == timestamp_ms
        assert 0 <= parts.shard < shards


def test_ids_made_in_threads_differ():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: [new_decision_id("QUERY", 1) for _ in range(2_000)], range(8)))
    assert len({one for some in made for one in some}) == 16_000
