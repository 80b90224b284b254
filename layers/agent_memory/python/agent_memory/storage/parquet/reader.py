"""Reads the rows of Parquet files with arro3.

https://kylebarron.dev/arro3

Files are read with `read_parquet_async` from a folder: when a damaged file makes its Rust library panic, this raises an
exception, while `read_parquet` would end the process.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_memory.core.extras import MissingExtra, needs_extra
from agent_memory.storage.parquet.footer import NotParquet

if TYPE_CHECKING:
    from arro3.core import DataType, RecordBatch, Table

Columns = Mapping[str, str]
"""Column names and their SQL types, in order."""

ColumnTests = Mapping[str, Callable[[Any], bool]]
"""Tests of the values of columns, by name: a row is left out unless it passes all of them."""

_FILE = "rows.parquet"


class Rows:
    """The rows of a Parquet file in its order, as tuples. A few at a time become Python values, which take more memory.

    A column that the file does not have is None in every row. `len` is the number of rows.

    Raises:
        NotParquet: the bytes are not a Parquet file with columns of these types.
    """

    def __init__(self, body: bytes, columns: Columns) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file_path(folder).write_bytes(body)
            self._table = _table(Path(folder), columns)
        self._columns = columns

    def __len__(self) -> int:
        return self._table.num_rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return _rows(self._table, self._columns, {})


def read_rows(body: bytes, columns: Columns, keeps: ColumnTests | None = None) -> list[tuple[Any, ...]]:
    """The rows of a Parquet file in its order, as tuples of these columns.

    A column that the file does not have is None in every row. Of rows that fail a test of `keeps`, only the tested
    columns become Python values.

    Raises:
        NotParquet: the bytes are not a Parquet file with columns of these types.
    """
    with tempfile.TemporaryDirectory() as folder:
        file_path(folder).write_bytes(body)
        return read_rows_from(Path(folder), columns, keeps)


def read_rows_from(folder: Path, columns: Columns, keeps: ColumnTests | None = None) -> list[tuple[Any, ...]]:
    """The rows of the file `file_path(folder)`; otherwise as `read_rows`."""
    return list(_rows(_table(folder, columns), columns, keeps or {}))


def file_path(folder: str) -> Path:
    """The path of the file that `read_rows_from` reads."""
    return Path(folder, _FILE)


def _table(folder: Path, columns: Columns) -> "Table":
    """The file as a table of Arrow, whose columns have these types."""
    try:
        import asyncio  # noqa: PLC0415  takes 20 ms, and functions that read no Parquet have none

        # A separate thread, because the caller's may be running an event loop.
        with ThreadPoolExecutor(1) as pool:
            table = pool.submit(asyncio.run, _load(folder)).result()
        _check_types(table, columns)
    except (MissingExtra, NotParquet):
        raise
    except Exception as error:  # arro3's errors have no common base class
        raise NotParquet(" ".join(str(error).split())[:500]) from error
    return table


def _check_types(table: "Table", columns: Columns) -> None:
    types = arrow_types()
    for name in set(table.schema.names).intersection(columns):
        kind = table.schema.field(name).type
        if kind != types[columns[name]]:
            raise NotParquet(f"the column {name} has the type {kind}, not {columns[name]}")


async def _load(folder: Path) -> "Table":
    with needs_extra("archive"):
        from arro3.io import read_parquet_async  # noqa: PLC0415  most callers do not need it
        from arro3.io.store import LocalStore  # noqa: PLC0415

    return await read_parquet_async(_FILE, store=LocalStore(str(folder)))


def _rows(table: "Table", columns: Columns, keeps: ColumnTests) -> Iterator[tuple[Any, ...]]:
    present = set(table.schema.names).intersection(columns)
    tests = {name: test for name, test in keeps.items() if name in present}
    for read in table.to_batches():
        batch = _kept(read, tests)
        missing = [None] * batch.num_rows
        values = [batch.column(name).to_pylist() if name in present else missing for name in columns]
        yield from zip(*values, strict=True)


def _kept(batch: "RecordBatch", keeps: ColumnTests) -> "RecordBatch":
    """The rows of a batch that pass all tests."""
    from arro3.core import Array, DataType  # noqa: PLC0415  as above

    kept: Sequence[int] = range(batch.num_rows)
    for name, passes in keeps.items():
        values = batch.column(name).to_pylist()
        kept = [index for index in kept if passes(values[index])]
    return batch if len(kept) == batch.num_rows else batch.take(Array(kept, DataType.uint32()))


def arrow_types() -> "dict[str, DataType]":
    """The types of Arrow by their names in SQL."""
    from arro3.core import DataType, Field  # noqa: PLC0415  as above

    return {
        "VARCHAR": DataType.utf8(),
        "BIGINT": DataType.int64(),
        "BOOLEAN": DataType.bool(),
        "DOUBLE": DataType.float64(),
        "VARCHAR[]": DataType.list(Field("element", DataType.utf8())),
    }
