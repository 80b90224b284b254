"""Reads the rows of Parquet files, by arro3.

https://kylebarron.dev/arro3

A file is handed over in a folder, to `read_parquet_async`: there, what its Rust library does not survive in a damaged
file is an exception, where `read_parquet` would end the process.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_memory.storage.parquet.footer import NotParquet

if TYPE_CHECKING:
    from arro3.core import DataType, Table

Columns = Mapping[str, str]
"""Column names and their SQL types, in order."""

_FILE = "rows.parquet"


def rows_of(body: bytes, columns: Columns) -> list[tuple[Any, ...]]:
    """The rows of a Parquet file in its order, as tuples of these columns.

    A column that the file was written without is None in every row.

    Raises:
        NotParquet: these bytes are not such a file.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, _FILE).write_bytes(body)
        return rows_of_file(Path(folder), columns)


def rows_of_file(folder: Path, columns: Columns) -> list[tuple[Any, ...]]:
    """The same of the file `rows.parquet` in a folder."""
    try:
        # A thread of its own, since the caller's may be running an event loop.
        with ThreadPoolExecutor(1) as pool:
            table = pool.submit(asyncio.run, _load(folder)).result()
        return _rows(table, columns)
    except NotParquet:
        raise
    except Exception as error:  # the library has no base class of its own
        raise NotParquet(" ".join(str(error).split())[:500]) from error


def file_in(folder: str) -> Path:
    """Where a file has to be for `rows_of_file`."""
    return Path(folder, _FILE)


async def _load(folder: Path) -> "Table":
    from arro3.io import read_parquet_async  # noqa: PLC0415  callers of the hot log never need it
    from arro3.io.store import LocalStore  # noqa: PLC0415

    return await read_parquet_async(_FILE, store=LocalStore(str(folder)))


def _rows(table: "Table", columns: Columns) -> list[tuple[Any, ...]]:
    types = _arrow_types()
    present = {name: table.schema.field(name).type for name in table.schema.names if name in columns}
    for name, kind in present.items():
        if kind != types[columns[name]]:
            raise NotParquet(f"its column {name} is of the type {kind}, not {columns[name]}")
    rows: list[tuple[Any, ...]] = []
    for batch in table.to_batches():
        missing = [None] * batch.num_rows
        values = [batch.column(name).to_pylist() if name in present else missing for name in columns]
        rows += zip(*values, strict=True)
    return rows


def _arrow_types() -> "dict[str, DataType]":
    from arro3.core import DataType, Field  # noqa: PLC0415  as above

    return {
        "VARCHAR": DataType.utf8(),
        "BIGINT": DataType.int64(),
        "BOOLEAN": DataType.bool(),
        "VARCHAR[]": DataType.list(Field("element", DataType.utf8())),
    }
