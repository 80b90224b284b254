"""Sizes of items by DynamoDB's rules, and the quick check that avoids measuring most of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.storage.dynamodb.attribute_values import encode
from agent_memory.storage.dynamodb.items import fits, item_size, value_size

floats = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-9)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | floats | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("abc", 3),
        ("é", 2),
        (None, 1),
        (True, 1),
        (0, 1),
        (27, 2),
        (-27, 3),
        (1234567, 5),
        (1.5, 3),
        (123.4, 4),
        (0.01, 2),
        (12.34, 3),
        ({}, 3),
        ([], 3),
        ([1, "ab"], 3 + 2 + 2 + 2),
        ({"ab": "c", "d": {}}, 3 + 2 + 2 + 1 + 1 + 3),
    ],
)
def test_values_have_the_size_that_dynamodb_documents(value, size):
    encoded, _ = encode(value)
    assert value_size(encoded) == size


@given(st.integers(1, 10**37))
def test_an_integer_has_the_same_size_in_every_notation(number):
    assert value_size({"N": str(number)}) == value_size({"N": f"{number}.0"}) == value_size({"N": f"{number}E+0"})


@pytest.mark.slow
def test_empty_objects_in_a_list_count_with_their_overhead():
    encoded, _ = encode([{} for _ in range(110_000)])
    assert value_size(encoded) == 3 + 110_000 * (3 + 1)


@pytest.mark.slow
@given(st.dictionaries(st.text(min_size=1), json_values))
def test_json_text_is_never_shorter_than_the_size(document):
    item = {name: encode(value)[0] for name, value in document.items()}
    assert item_size(item) <= len(json.dumps(item, separators=(",", ":")))
    assert not fits(item, item_size(item) - 1)
