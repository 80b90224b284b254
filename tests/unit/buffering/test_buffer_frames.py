import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.buffering.frames import DECISION, OUTCOME, Damage, Record, decode_records, frame

payloads = st.lists(st.binary(max_size=60), min_size=1, max_size=6)


def records_of(payloads):
    return [Record(7 + n, DECISION if n % 2 else OUTCOME, 1_000 + n, payload) for n, payload in enumerate(payloads)]


def decode(data, *, to_end=True):
    return [item for item, _ in decode_records(data, 7, to_end=to_end)]


@given(payloads)
def test_encoded_records_are_decoded(payloads):
    records = records_of(payloads)
    data = b"".join(map(frame, records))
    assert decode(data) == decode(data, to_end=False) == records
    assert [end for _, end in decode_records(data, 7, to_end=True)][-1] == len(data)


@given(payloads, st.data())
def test_an_incomplete_record_is_torn(payloads, data):
    records = records_of(payloads)
    last = frame(records[-1])
    kept = data.draw(st.integers(1, len(last) - 1))
    text = b"".join(map(frame, records[:-1])) + last[:kept]
    *valid, torn = decode(text)
    assert valid == records[:-1]
    assert torn == Damage(records[-1].sequence, last[:kept])
    assert torn.is_torn
    assert decode(text, to_end=False) == valid


@given(payloads, st.data())
def test_a_flipped_bit_damages_one_record(payloads, data):
    records = records_of(payloads)
    frames = [frame(record) for record in records]
    index = data.draw(st.integers(0, len(frames) - 1))
    bit = data.draw(st.integers(0, 8 * len(frames[index]) - 1))
    damaged = bytearray(frames[index])
    damaged[bit // 8] ^= 1 << bit % 8
    found = decode(b"".join(frames[:index]) + bytes(damaged) + b"".join(frames[index + 1 :]))
    assert found == [*records[:index], Damage(records[index].sequence, bytes(damaged)), *records[index + 1 :]]


@pytest.mark.parametrize("garbage", [b"\x00" * 64, b"no record", b"\xabAM\x02" + b"x" * 40])
def test_garbage_is_damaged_but_not_torn(garbage):
    (damage,) = decode(garbage)
    assert damage == Damage(7, garbage)
    assert not damage.is_torn
