from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core import ids, keys
from agent_memory.core.clock import date_of, day_start_ms, parse_instant, to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import new_decision_id
from agent_memory.model.decisions import context_type_of

timestamps = st.integers(0, 253_402_300_799_999)


@given(timestamps)
def test_a_time_is_read_back_from_its_text(timestamp_ms):
    assert parse_instant(to_iso(timestamp_ms)) == timestamp_ms
    assert len(to_iso(timestamp_ms)) == 24


@given(timestamps, timestamps)
def test_sort_keys_sort_by_time(one, other):
    first, second = (keys.decision_sk(ms, new_decision_id("QUERY", ms)) for ms in (one, other))
    assert (first < second) == (one < other) or one == other


@given(timestamps)
def test_a_time_is_within_its_day(timestamp_ms):
    start = day_start_ms(date_of(timestamp_ms))
    assert start <= timestamp_ms < start + 86_400_000


def test_an_offset_is_taken_into_account():
    noon = datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=2)))
    assert parse_instant(noon) == parse_instant("2026-11-20T10:00:00Z")


@pytest.mark.parametrize(
    "bad", ["yesterday", datetime(2026, 1, 1), "2026-01-01T00:00:00", True, None, "1969-12-31T23:59:59Z"]
)
def test_an_invalid_time_or_one_without_an_offset_is_refused(bad):
    with pytest.raises(InvalidInput, match="when"):
        parse_instant(bad, "when")


@pytest.mark.parametrize("bad", ["", "Hunter", "-x", "a#b", "a/b", "a{b", "a" * 64, "a\nb", "a\n", None, 3])
def test_invalid_agent_ids_are_refused(bad):
    with pytest.raises(InvalidInput, match="agent_id"):
        ids.check_agent_id(bad)


@pytest.mark.parametrize("bad", ["", "query", "A#B", "A" * 64, "A B", None])
def test_invalid_type_names_are_refused(bad):
    with pytest.raises(InvalidInput, match="decision_type"):
        ids.check_decision_type(bad)


def test_the_context_type_is_the_sorted_market():
    assert context_type_of({"market": {"volatility": "high", "trend": "bullish"}}) == "trend=bullish|volatility=high"
    assert context_type_of({"market": "bullish"}) == "bullish"
    assert context_type_of({"cycle": 1}) is None
    assert context_type_of({"market": {}}) is None


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), min_size=1))
def test_a_context_type_can_always_be_part_of_a_key(market):
    text = context_type_of({"market": market})
    assert "#" not in text
    assert len(text.encode()) <= 1024
    assert text.isprintable()


@given(st.dictionaries(st.text(), st.text(), min_size=1), st.dictionaries(st.text(), st.text(), min_size=1))
def test_different_markets_have_different_context_types(one, other):
    assert (context_type_of({"market": one}) == context_type_of({"market": other})) == (one == other)


def test_redis_keys_have_the_agent_as_hash_tag():
    assert keys.stm_key("market-hunter", "context:current") == "stm:{market-hunter}:context:current"


def test_the_prefix_of_an_archived_day():
    day = datetime(2026, 11, 20, tzinfo=UTC).date()
    expected = "decisions/agent_id=hunter/date=2026-11-20/"
    assert keys.archive_day_prefix("hunter", day) == expected


@given(st.floats(0, 99_999_999_999) | st.integers(0, 99_999_999_999))
def test_seconds_since_1970_are_the_time_that_python_reads(seconds):
    assert parse_instant(seconds) == parse_instant(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (1_795_176_000_000, "milliseconds"),
        (1_795_176_000_000.5, "milliseconds"),
        (1_795_176_000_000_000, "microseconds"),
        (1_795_176_000_000_000_000, "nanoseconds"),
        (np.int64(1_795_176_000_000), "milliseconds"),
        (-1, "before 1970"),
        (float("nan"), "number of seconds"),
        (float("inf"), "number of seconds"),
        (10**30, "nanoseconds"),
        (np.datetime64("2026-11-20"), "number of seconds"),
        (date(2026, 11, 20), "number of seconds"),
        (Decimal(5), "number of seconds"),
        (pd.NaT, "no offset"),
    ],
)
def test_a_number_that_is_not_in_seconds_is_refused_with_a_hint(number, hint):
    with pytest.raises(InvalidInput, match=f"when: .*{hint}"):
        parse_instant(number, "when")


def test_numpy_seconds_and_pandas_timestamps_are_times():
    assert parse_instant(np.float64(1_795_176_000.25)) == 1_795_176_000_250
    assert parse_instant(pd.Timestamp("2026-11-20T12:00:00.25Z")) == 1_795_176_000_250
