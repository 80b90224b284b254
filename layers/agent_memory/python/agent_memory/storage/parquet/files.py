"""Writing Parquet files, and merging and streaming large ones, by DuckDB."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent_memory.storage.parquet.footer import NotParquet
from agent_memory.storage.parquet.reader import Columns

_LARGEST_ROW_BYTES = 16_777_216
_ROWS_AT_ONCE = 10_000


def to_parquet(rows: Iterable[Mapping[str, Any]], columns: Columns, *, options: str = "") -> bytes:
    """Rows as one Parquet file, zstd-compressed, in the order given; `options` are more of DuckDB's `COPY`."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "rows.parquet")
        _copy(f"SELECT * FROM {_rows_table(rows, columns, folder)}", [], target, options)  # noqa: S608
        return target.read_bytes()


def merged_parquet(
    body: bytes,
    rows: Iterable[Mapping[str, Any]],
    columns: Columns,
    *,
    keep: str,
    parameters: Sequence[Any],
    order: str,
) -> bytes:
    """A Parquet file of what `keep` (SQL, with `parameters`) lets through of another, and of new rows, ordered."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "before.parquet"), Path(folder, "rows.parquet")
        source.write_bytes(body)
        kept = f"SELECT * FROM read_parquet('{source}') WHERE {keep}"  # noqa: S608  text of our own
        fresh = f"SELECT * FROM {_rows_table(rows, columns, folder)}"  # noqa: S608
        _copy(f"{kept} UNION ALL {fresh} ORDER BY {order}", parameters, target)
        return target.read_bytes()


def stream_parquet(
    body: bytes, columns: Columns, *, keep: str = "true", parameters: Sequence[Any] = ()
) -> Iterator[tuple[Any, ...]]:
    """The rows of a Parquet file that `keep` (SQL, with `parameters`) selects, in its order, a few thousand at a time.

    A million of them are never in memory at once.

    Raises:
        NotParquet: these bytes are not such a file.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "rows.parquet")
        source.write_bytes(body)
        yield from _stream(_selection(source, columns, keep), parameters)


def _selection(source: Path, columns: Columns, keep: str) -> str:
    no_rows = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
    rows = (
        f"SELECT * FROM read_parquet('{source}', file_row_number = true) UNION ALL BY NAME SELECT {no_rows} WHERE false"  # noqa: S608
    )
    return f"SELECT {', '.join(columns)} FROM ({rows}) WHERE {keep}"  # noqa: S608  text of our own


def _stream(query: str, parameters: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    import duckdb  # noqa: PLC0415  as `_database`

    try:
        cursor = _cursor().execute(query, list(parameters))
        while some := cursor.fetchmany(_ROWS_AT_ONCE):
            yield from some
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise NotParquet(str(error)) from error


def _rows_table(rows: Iterable[Mapping[str, Any]], columns: Columns, folder: str) -> str:
    """Write rows to a file that DuckDB reads as a table; returns the table function that does."""
    source = Path(folder, "rows.ndjson")
    with source.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=True, allow_nan=False) + "\n")
    types = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    settings = f"format='newline_delimited', columns={{{types}}}, maximum_object_size={_LARGEST_ROW_BYTES}"
    return f"read_json('{source}', {settings})"


def _copy(query: str, parameters: Sequence[Any], target: Path, options: str = "") -> None:
    settings = f"FORMAT parquet, COMPRESSION zstd{options}"
    _cursor().execute(f"COPY ({query}) TO '{target}' ({settings})", list(parameters))


def _cursor() -> Any:
    """A cursor of its own for each call, so that threads do not meet."""
    return _database().cursor()


@lru_cache(maxsize=1)
def _database() -> Any:
    import duckdb  # noqa: PLC0415  60 ms that callers of the hot log never pay

    # A function has no home to write to and no internet to fetch extensions from.
    settings: dict[str, Any] = {
        "home_directory": tempfile.gettempdir(),
        "autoinstall_known_extensions": "false",
        "threads": "1",
    }
    return duckdb.connect(config=settings)
