"""Reads the rows of Parquet files with arro3.

https://kylebarron.dev/arro3

Files are read with `read_parquet_async` from a folder: when a damaged file makes its Rust library panic, this raises an
exception, while `read_parquet` would end the process.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_memory.core.extras import MissingExtra, needs_extra
from agent_memory.storage.parquet.footer import NotParquet

if TYPE_CHECKING:
    from arro3.core import DataType, Table

Columns = Mapping[str, str]
"""Column names and their SQL types, in order."""

_FILE = "rows.parquet"


def read_rows(body: bytes, columns: Columns) -> list[tuple[Any, ...]]:
    """The rows of a Parquet file in its order, as tuples of these columns.

    A column that the file does not have is None in every row.

    Raises:
        NotParquet: the bytes are not a Parquet file with columns of these types.
    """
    with tempfile.TemporaryDirectory() as folder:
        file_path(folder).write_bytes(body)
        return read_rows_from(Path(folder), columns)


def read_rows_from(folder: Path, columns: Columns) -> list[tuple[Any, ...]]:
    """The rows of the file `file_path(folder)`; otherwise as `read_rows`."""
    try:
        # A separate thread, because the caller's may be running an event loop.
        with ThreadPoolExecutor(1) as pool:
            table = pool.submit(asyncio.run, _load(folder)).result()
        return _rows(table, columns)
    except (MissingExtra, NotParquet):
        raise
    except Exception as error:  # arro3's errors have no common base class
        raise NotParquet(" ".join(str(error).split())[:500]) from error


def file_path(folder: str) -> Path:
    """The path of the file that `read_rows_from` reads."""
    return Path(folder, _FILE)


async def _load(folder: Path) -> "Table":
    with needs_extra("aws"):
        from arro3.io import read_parquet_async  # noqa: PLC0415  most callers do not need it
        from arro3.io.store import LocalStore  # noqa: PLC0415

    return await read_parquet_async(_FILE, store=LocalStore(str(folder)))


def _rows(table: "Table", columns: Columns) -> list[tuple[Any, ...]]:
    types = _arrow_types()
    present = {name: table.schema.field(name).type for name in table.schema.names if name in columns}
    for name, kind in present.items():
        if kind != types[columns[name]]:
            raise NotParquet(f"the column {name} has the type {kind}, not {columns[name]}")
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
