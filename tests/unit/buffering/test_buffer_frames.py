import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.buffering.frames import DECISION, OUTCOME, Damage, Record, frame, walk

payloads = st.lists(st.binary(max_size=60), min_size=1, max_size=6)


def records_of(payloads):
    return [Record(7 + n, DECISION if n % 2 else OUTCOME, 1_000 + n, payload) for n, payload in enumerate(payloads)]


def read(data, *, whole=True):
    return [item for item, _ in walk(data, 7, whole=whole)]


@given(payloads)
def test_what_is_framed_is_read(payloads):
    records = records_of(payloads)
    data = b"".join(map(frame, records))
    assert read(data) == read(data, whole=False) == records
    assert [end for _, end in walk(data, 7, whole=True)][-1] == len(data)


@given(payloads, st.data())
def test_a_cut_off_record_is_seen_as_torn(payloads, data):
    records = records_of(payloads)
    last = frame(records[-1])
    kept = data.draw(st.integers(1, len(last) - 1))
    text = b"".join(map(frame, records[:-1])) + last[:kept]
    *good, torn = read(text)
    assert good == records[:-1]
    assert torn == Damage(records[-1].sequence, last[:kept])
    assert torn.is_torn
    assert read(text, whole=False) == good


@given(payloads, st.data())
def test_a_flipped_bit_costs_one_record_and_is_seen(payloads, data):
    records = records_of(payloads)
    frames = [frame(record) for record in records]
    hit = data.draw(st.integers(0, len(frames) - 1))
    bit = data.draw(st.integers(0, 8 * len(frames[hit]) - 1))
    broken = bytearray(frames[hit])
    broken[bit // 8] ^= 1 << bit % 8
    found = read(b"".join(frames[:hit]) + bytes(broken) + b"".join(frames[hit + 1 :]))
    assert found == [*records[:hit], Damage(records[hit].sequence, bytes(broken)), *records[hit + 1 :]]


@pytest.mark.parametrize("garbage", [b"\x00" * 64, b"no record", b"\xabAM\x02" + b"x" * 40])
def test_garbage_is_damage_and_not_torn(garbage):
    (damage,) = read(garbage)
    assert damage == Damage(7, garbage)
    assert not damage.is_torn
