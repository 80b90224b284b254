"""Times, JSON and context types as texts: the short ways give what the plain ones give."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import END_OF_TIME_MS, to_iso
from agent_memory.core.json_values import canonical_json, parsed_json
from agent_memory.model.decisions import context_type_of

SAFE = " ,.:;!?()[]<>*+-_/@$&'\""


@given(st.integers(0, END_OF_TIME_MS - 1))
def test_a_time_is_iso_8601_with_milliseconds(ms):
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    assert to_iso(ms) == f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_a_market_is_percent_encoded(text):
    assert context_type_of({"market": text}) == quote(text, safe=SAFE)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_canonical_json_is_read_back(value):
    assert parsed_json(canonical_json(value)) == json.loads(canonical_json(value))


@pytest.mark.parametrize("text", ["", " 1", "{", "1 2", "{} x", "nul"])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        parsed_json(text)
