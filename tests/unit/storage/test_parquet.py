"""Parquet files: what is read of them, what a part of them gives, and what damaged ones end in."""

import json
import random

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.storage.parquet.files import to_parquet
from agent_memory.storage.parquet.footer import TRAILER_BYTES, NotParquet, footer_length, parse_footer
from agent_memory.storage.parquet.reader import read_rows
from agent_memory.storage.parquet.row_groups import row_groups
from agent_memory.storage.parquet.writer import ROWS_PER_GROUP, write_rows

COLUMNS = {"kind": "VARCHAR", "ts": "BIGINT", "good": "BOOLEAN", "names": "VARCHAR[]"}

rows = st.lists(
    st.tuples(
        st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.booleans(),
        st.none() | st.lists(st.text(alphabet="abcé", max_size=3), max_size=3),
    ),
    max_size=20,
)


def written(values, columns=COLUMNS):
    return to_parquet((dict(zip(columns, row, strict=True)) for row in values), columns)


def small(values, columns=COLUMNS, statistics_of=("kind", "ts")):
    return write_rows([dict(zip(columns, row, strict=True)) for row in values], columns, statistics_of=statistics_of)


def in_sql(body, tmp_path, query):
    """What DuckDB, a reader of others, answers to a query of the table `file`."""
    file = tmp_path / "rows.parquet"
    file.write_bytes(body)
    return duckdb.sql(query.replace("file", f"'{file}'")).fetchall()


@pytest.fixture(scope="module")
def large():
    """Rows in ten row groups, and their file."""
    values = [("ABC"[n * 3 // 20_000], n, n % 3 == 0 or None, ["x"] * (n % 2)) for n in range(20_000)]
    return values, small(values)


def footer_of(body):
    length = footer_length(body[-TRAILER_BYTES:])
    return parse_footer(body[-TRAILER_BYTES - length : -TRAILER_BYTES]), len(body) - TRAILER_BYTES - length


@given(rows)
def test_rows_come_back_as_they_were_written(values):
    assert read_rows(written(values), COLUMNS) == values


@given(rows)
def test_rows_of_a_small_file_come_back_as_they_were_written(values):
    assert read_rows(small(values), COLUMNS) == values


def test_a_small_file_is_read_by_others(large, tmp_path):
    values, body = large
    assert in_sql(body, tmp_path, "SELECT * FROM file") == values
    one = "SELECT names FROM file WHERE kind = 'B' AND ts = 9999"
    assert in_sql(body, tmp_path, one) == [(["x"],)]


def test_a_small_file_states_minima_of_the_named_columns_and_has_no_empty_ones(tmp_path):
    body = small([("a", 1, None, None), ("b", 2, None, None)], statistics_of=("ts",))
    minima = "SELECT path_in_schema, stats_min_value, stats_max_value FROM parquet_metadata(file) ORDER BY 1"
    assert in_sql(body, tmp_path, minima) == [("kind", None, None), ("ts", "1", "2")]


def test_the_footer_of_a_small_file_has_no_indexes_of_pages(large):
    _, body = large
    footer, data_end = footer_of(body)
    (group,) = footer_of(small([("a", 1, True, ["x"])]))[0].groups
    assert group.end_byte + len(footer.with_groups([])) < 500
    assert footer.groups[-1].end_byte == data_end
    assert {one.rows for one in footer.groups[:-1]} == {ROWS_PER_GROUP}
    assert [one.low for one in row_groups(footer, ("kind", "ts"))][:2] == [("A", 0), ("A", 2_048)]


def test_a_column_that_a_file_was_written_without_is_none():
    body = written([("a", 1)], {"kind": "VARCHAR", "ts": "BIGINT"})
    assert read_rows(body, COLUMNS) == [("a", 1, None, None)]


def test_a_column_of_another_type_is_refused():
    body = written([("a", "1")], {"kind": "VARCHAR", "ts": "VARCHAR"})
    with pytest.raises(NotParquet, match="column ts"):
        read_rows(body, COLUMNS)


def test_the_footer_states_where_row_groups_are_and_what_they_hold(large):
    values, body = large
    footer, data_end = footer_of(body)
    assert sum(group.rows for group in footer.groups) == len(values)
    assert [group.end_byte for group in footer.groups] == [group.first_byte for group in footer.groups[1:]] + [data_end]
    first = 0
    for group in footer.groups:
        held = values[first : first + group.rows]
        first += group.rows
        low, high = group.columns["ts"].low, group.columns["ts"].high
        assert (int.from_bytes(low, "little"), int.from_bytes(high, "little")) == (held[0][1], held[-1][1])
        assert group.columns["kind"].low.decode() == held[0][0]


def test_a_file_of_some_row_groups_with_holes_reads_as_those(large):
    values, body = large
    footer, data_end = footer_of(body)
    starts = [sum(group.rows for group in footer.groups[:n]) for n in range(len(footer.groups))]
    chance = random.Random(3)
    for _ in range(10):
        chosen = sorted(chance.sample(range(len(footer.groups)), chance.randint(0, 4)))
        part = bytearray(data_end)
        for index in chosen:
            group = footer.groups[index]
            part[group.first_byte : group.end_byte] = body[group.first_byte : group.end_byte]
        expected = [row for n in chosen for row in values[starts[n] : starts[n] + footer.groups[n].rows]]
        assert read_rows(bytes(part) + footer.with_groups(chosen), COLUMNS) == expected


@pytest.mark.slow
def test_a_damaged_file_is_an_error_and_never_ends_the_process(large):
    _, body = large
    chance = random.Random(1)
    refused = 0
    for _ in range(400):
        damaged = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        damaged = damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])]
        try:
            found = read_rows(bytes(damaged), COLUMNS)
        except NotParquet:
            refused += 1
        else:
            assert all(len(row) == len(COLUMNS) for row in found)
    assert refused > 200


@given(st.binary(max_size=200))
def test_what_is_no_footer_is_refused(body):
    with pytest.raises(NotParquet):
        footer_length(body[:7])
    try:
        footer = parse_footer(body)
    except NotParquet:
        return
    assert json.dumps(len(footer.groups))
