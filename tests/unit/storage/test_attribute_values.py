import math

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.errors import InvalidInput
from agent_memory.core.json_values import canonical_json
from agent_memory.storage.dynamodb.attribute_values import decode, encode

numbers = st.integers(-(10**38) + 1, 10**38 - 1) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda x: x == 0 or 1e-130 <= abs(x) <= 9e125
)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
)


@pytest.mark.slow
@given(values)
def test_any_json_value_round_trips_exactly(value):
    encoded, integral_floats = encode(value, "/context")
    decoded = decode(encoded, integral_floats, "/context")
    assert canonical_json(decoded) == canonical_json(value)


@pytest.mark.slow
@given(values)
def test_boto3_reads_encoded_values(value):
    TypeDeserializer().deserialize(encode(value)[0])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_keeps_its_sign_and_type_or_is_refused(value):
    try:
        encoded, integral_floats = encode(value)
    except InvalidInput:
        assert value != 0
        assert not 1e-130 <= abs(value) <= 9.99e125
        return
    decoded = decode(encoded, integral_floats)
    assert isinstance(decoded, float)
    assert (decoded, math.copysign(1, decoded)) == (value, math.copysign(1, value))


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        ({"a": [1, math.nan]}, "/a/1"),
        ({"a": {"b": math.inf}}, "/a/b"),
        ({"a/b": -math.inf}, "/a~1b"),
        ({"a": 1e300}, "/a"),
        ({"a": 1e-200}, "/a"),
        ({"a": 10**38 + 1}, "/a"),
        ({"a": {1: 2}}, "/a"),
        ({"a": {"": 2}}, "/a"),
        ({"a": {2}}, "/a"),
        ({"a": b"x"}, "/a"),
        ({"a": "\ud800"}, "/a"),
    ],
)
def test_the_error_names_the_path_of_a_value_that_cannot_be_stored(bad, path):
    with pytest.raises(InvalidInput) as caught:
        encode(bad)
    assert caught.value.field == path


def test_depth_is_limited():
    nested = 1
    for _ in range(31):
        nested = [nested]
    assert decode(encode(nested)[0]) == nested
    with pytest.raises(InvalidInput, match="deeper"):
        encode([nested])


def test_a_huge_round_integer_is_read_back():
    assert decode(encode(10**100)[0]) == 10**100
