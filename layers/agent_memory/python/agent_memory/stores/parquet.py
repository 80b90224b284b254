"""Rows to Parquet and back, by DuckDB."""

import json
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

Columns = Mapping[str, str]
"""Column names and their DuckDB types, in order."""


def to_parquet(rows: Iterable[Mapping[str, Any]], columns: Columns) -> bytes:
    """Rows as one Parquet file, zstd-compressed, in the order given."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "rows.ndjson"), Path(folder, "rows.parquet")
        with source.open("w", encoding="utf-8") as lines:
            for row in rows:
                lines.write(json.dumps(row, ensure_ascii=True, allow_nan=False) + "\n")
        types = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
        _cursor().execute(
            f"COPY (SELECT * FROM read_json(?, format='newline_delimited', columns={{{types}}}, "  # noqa: S608  names are ours
            f"maximum_object_size=16777216)) TO '{target}' (FORMAT parquet, COMPRESSION zstd)",
            [str(source)],
        )
        return target.read_bytes()


def from_parquet(body: bytes, columns: Columns) -> list[dict[str, Any]]:
    """The rows of a Parquet file, in its order."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "rows.parquet")
        source.write_bytes(body)
        names = ", ".join(columns)
        rows = _cursor().execute(f"SELECT {names} FROM read_parquet(?)", [str(source)]).fetchall()  # noqa: S608
    return [dict(zip(columns, row, strict=True)) for row in rows]


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
