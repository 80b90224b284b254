"""Writes Parquet files, and merges and streams large ones, with DuckDB."""

import json
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from agent_memory.core.extras import needs_extra
from agent_memory.storage.parquet.footer import NotParquet
from agent_memory.storage.parquet.reader import Columns

_MAX_ROW_BYTES = 16_777_216
_ROWS_AT_ONCE = 256  # of more, the processor would not keep the values near


def to_parquet(rows: Iterable[Mapping[str, Any]], columns: Columns) -> bytes:
    """Rows as a zstd-compressed Parquet file, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "rows.parquet")
        _copy(f"SELECT * FROM {_rows_table(rows, columns, folder)}", [], target)  # noqa: S608
        return target.read_bytes()


def merge_parquet(
    body: bytes,
    rows: Iterable[Mapping[str, Any]],
    columns: Columns,
    *,
    key: str,
    where: str,
    parameters: Sequence[Any],
    order: str,
) -> bytes:
    """A Parquet file with new rows, and the rows of another one that have none of their keys.

    Args:
        body: the other file.
        rows: the new rows.
        columns: of the result. Those that the other file does not have yet are null in its rows.
        key: the column that identifies a row.
        where: a condition for rows of the other file, SQL with parameters.
        parameters: the values of the condition.
        order: the columns to order by, as SQL.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "before.parquet"), Path(folder, "rows.parquet")
        source.write_bytes(body)
        names = ", ".join(columns)
        rows_table = _rows_table(rows, columns, folder)
        old = f"{_select_query(source, columns, where)} AND {key} NOT IN (SELECT {key} FROM new)"  # noqa: S608
        query = f"WITH new AS MATERIALIZED (SELECT {names} FROM {rows_table}) {old} UNION ALL SELECT {names} FROM new"  # noqa: S608
        _copy(f"{query} ORDER BY {order}", parameters, target)
        return target.read_bytes()


def columns_of(body: bytes) -> set[str]:
    """The names of the columns of a Parquet file. Raises `NotParquet` if it is none."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "rows.parquet")
        source.write_bytes(body)
        batches = _stream(f"SELECT DISTINCT name FROM parquet_schema('{source}')", [])  # noqa: S608  our own file
        return {name for names in batches for (name,) in names}


def stream_parquet(
    body: bytes,
    columns: Columns,
    *,
    where: str = "true",
    parameters: Sequence[Any] = (),
    as_json: Collection[str] = (),
) -> Iterator[tuple[Any, ...]]:
    """The rows of a Parquet file that a condition (`where`, SQL with `parameters`) selects, in the file's order.

    The values of the columns `as_json` are JSON: a list of texts takes DuckDB three times as long.

    Raises:
        NotParquet: the bytes are not a Parquet file with these columns.
    """
    batches = stream_batches(body, columns, where=where, parameters=parameters, as_json=as_json)
    return chain.from_iterable(batches)


def stream_batches(
    body: bytes,
    columns: Columns,
    *,
    where: str = "true",
    parameters: Sequence[Any] = (),
    as_json: Collection[str] = (),
) -> Iterator[list[tuple[Any, ...]]]:
    """The same rows some hundreds at a time, so that large files do not have to fit into memory; no list is empty."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "rows.parquet")
        source.write_bytes(body)
        yield from _stream(_select_query(source, columns, where, as_json), parameters)


def _select_query(source: Path, columns: Columns, where: str, as_json: Collection[str] = ()) -> str:
    no_rows = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
    rows = (
        f"SELECT * FROM read_parquet('{source}', file_row_number = true) UNION ALL BY NAME SELECT {no_rows} WHERE false"  # noqa: S608
    )
    names = ", ".join(f"to_json({name})::VARCHAR" if name in as_json else name for name in columns)
    return f"SELECT {names} FROM ({rows}) WHERE {where}"  # noqa: S608  a constant condition


def _stream(query: str, parameters: Sequence[Any]) -> Iterator[list[tuple[Any, ...]]]:
    with needs_extra("archive"):
        import duckdb  # noqa: PLC0415  as `_database`

    try:
        cursor = _cursor().execute(query, list(parameters))
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise NotParquet(str(error)) from error


def _rows_table(rows: Iterable[Mapping[str, Any]], columns: Columns, folder: str) -> str:
    """Write rows to a file; returns the SQL table function by which DuckDB reads them."""
    source = Path(folder, "rows.ndjson")
    with source.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=True, allow_nan=False) + "\n")
    types = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    settings = f"format='newline_delimited', columns={{{types}}}, maximum_object_size={_MAX_ROW_BYTES}"
    return f"read_json('{source}', {settings})"


def _copy(query: str, parameters: Sequence[Any], target: Path) -> None:
    _cursor().execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)", list(parameters))


def _cursor() -> Any:
    """A new cursor, because a cursor must not be shared between threads."""
    return _database().cursor()


@lru_cache(maxsize=1)
def _database() -> Any:
    with needs_extra("archive"):
        import duckdb  # noqa: PLC0415  takes 60 ms, and most callers do not need it

    # A Lambda function has no writable home directory, and no internet access to install extensions.
    settings: dict[str, Any] = {
        "home_directory": tempfile.gettempdir(),
        "autoinstall_known_extensions": "false",
        "threads": "1",
    }
    return duckdb.connect(config=settings)
