"""Rows of digests and manifests are read as they were written."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.errors import Damaged
from agent_memory.memory.recalled_entries import decision_entry, digest_entry
from agent_memory.model import digests
from agent_memory.model.decisions import Decision, Outcome, SupersededOutcome
from agent_memory.model.digests import DayDigest, DigestManifest, DigestRow, Headline, digest_of, pack, unpack
from agent_memory.model.outcomes import known_at
from agent_memory.model.recalled_parts import tags_of

DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
TIMES = st.integers(0, 2_000_000_000_000)
TEXT = st.text(max_size=20)
ROWS = st.builds(
    DigestRow,
    decision_id=TEXT,
    decision_type=TEXT,
    timestamp_ms=TIMES,
    context=st.none() | TEXT,
    text=st.text(st.characters(codec=None), max_size=40),
    symbol=st.none() | TEXT,
    tags=st.lists(TEXT, max_size=3).map(tuple),
    headlines=st.lists(st.builds(Headline, TIMES, st.booleans(), st.floats(0, 1)), max_size=3).map(tuple),
    is_partial=st.booleans(),
)


@given(st.lists(ROWS, max_size=5))
def test_rows_are_read_as_they_were_written(rows):
    lines = [one.as_line() for one in rows]
    packed = pack(lines)
    assert unpack("day", packed.body) == (rows, packed.version)
    assert pack(lines) == packed
    assert pack([*lines, *lines[:1], "[]"]).version != packed.version


@given(
    st.dictionaries(DAYS, st.builds(DayDigest, TEXT, TIMES, TIMES, TIMES), max_size=4),
    st.none() | DAYS,
    st.frozensets(DAYS, max_size=3),
)
def test_a_manifest_is_read_as_it_was_written(days, through, waiting):
    manifest = DigestManifest(days, through, waiting)
    assert DigestManifest.from_body("manifest", manifest.as_body()) == manifest


@pytest.mark.parametrize("body", [b"", b"x", pack(["[1]"]).body, pack(["{}"]).body[:-9], b"\x1f\x8b\x08"])
def test_other_bytes_are_damaged(body):
    with pytest.raises(Damaged, match="day is damaged"):
        unpack("day", body)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"format":2,"through":null,"waiting":[],"days":{}}', b"\xff"])
def test_other_manifests_are_damaged(body):
    with pytest.raises(Damaged, match="manifest is damaged"):
        DigestManifest.from_body("manifest", body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT, lambda one: st.lists(one, max_size=3), max_leaves=5
)
DOCUMENTS = st.dictionaries(TEXT | st.sampled_from(["symbol", "tags", "market"]), JSON, max_size=4)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_a_row_ranks_as_its_decision(context, reasoning, metadata):
    decision = Decision("hunter", "id", "TRADE", 1_000, context, reasoning, metadata)
    expected, row = decision_entry("id", decision), digest_of(decision)
    entry = digest_entry(row)
    assert entry.text.split() == expected.text.split()
    for name in ("id", "kind", "importance", "timestamp", "symbol"):
        assert getattr(entry, name) == getattr(expected, name)
    assert set(row.tags) == tags_of(decision)
    assert not row.is_partial


OUTCOMES = st.lists(
    st.tuples(
        st.sampled_from([None, "1h", "exit"]), st.booleans(), st.sampled_from([0.0, 0.3, 1.0]), st.integers(1, 9)
    ),
    min_size=1,
    max_size=5,
)


@given(OUTCOMES)
def test_a_row_knows_what_was_known_when(changes):
    """Outcomes at several horizons; a later one of the same horizon is an amendment."""
    now, current, superseded = 0, {}, []
    for horizon, success, quality, wait in changes:
        now += wait
        if horizon in current:
            superseded.append(SupersededOutcome(current[horizon], now))
        current[horizon] = Outcome(success, {}, {"quality": quality}, now, horizon)
    headline, *others = current.values()
    decision = Decision(
        "hunter",
        "id",
        "TRADE",
        0,
        {},
        {},
        outcome=headline,
        other_outcomes=tuple(others),
        superseded=tuple(superseded),
    )
    row = digest_of(decision)
    for at_ms in range(now + 2):
        known, found = known_at(decision, at_ms).outcome, row.headline(at_ms)
        assert (found and found.success) == (known and known.success)
        assert (found and found.importance) == (known and known.metrics["quality"])
    assert row.headline(None).success is headline.success


@pytest.mark.parametrize(
    "fields",
    [
        {"context": {"a": "x" * 5_000}},
        {"context": {"symbol": "x" * 200}},
        {"metadata": {"tags": ["x" * 100 + str(n) for n in range(9)]}},
    ],
)
def test_what_is_too_long_is_left_out_and_said(fields):
    row = digest_of(Decision("hunter", "id", "TRADE", 0, **{"context": {}, "reasoning": {"why": "y" * 9_000}} | fields))
    assert row.is_partial
    assert len(row.as_line()) < 5 * digests.MAX_CONTEXT_CHARACTERS


def test_days_are_sorted_in_no_way_that_matters():
    days = {date(2026, 1, 1) + timedelta(days=n): DayDigest(str(n), n) for n in range(3)}
    shuffled = dict(reversed(days.items()))
    assert DigestManifest(days).as_body() == DigestManifest(shuffled).as_body()
