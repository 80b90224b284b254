"""Writes the rows of Parquet files with arro3, as small as readers allow.

Every page is compressed by itself, so that a dictionary beside it only takes space: the compression finds repeated
values as well.
"""

import io
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from agent_memory.core.extras import needs_extra
from agent_memory.storage.parquet.reader import Columns, arrow_types
from agent_memory.storage.parquet.smaller_file import smaller_file

if TYPE_CHECKING:
    from arro3.core import Array, DataType

ROWS_PER_GROUP = 2_048
"""The rows of a row group, of which each can be read by itself."""

_FEW_ROWS = 10_000
_COMPRESSION, _COMPRESSION_OF_FEW_ROWS = "zstd(15)", "zstd(19)"
"""The higher level saves half a hundredth and takes three times as long: 1.3 s for ten thousand decisions."""
_CREATED_BY = "agent-memory"


def write_rows(rows: Sequence[Mapping[str, Any]], columns: Columns, *, statistics_of: Collection[str]) -> bytes:
    """Rows as a Parquet file, in their order.

    Columns that are null in every row are left out, but for those that have minima and maxima.

    Args:
        rows: values by the columns' names.
        columns: of the file.
        statistics_of: the columns of which each row group states the minimum and maximum.
    """
    with needs_extra("archive"):
        from arro3.core import Field, Schema, Table  # noqa: PLC0415  most callers do not need it
        from arro3.io import write_parquet  # noqa: PLC0415

    types = arrow_types()
    values = {name: [row[name] for row in rows] for name in columns}
    written = {name: of for name, of in values.items() if name in statistics_of or any(one is not None for one in of)}
    fields = [Field(name, types[columns[name]], nullable=None in of) for name, of in written.items()]
    arrays = [_array(of, types[columns[name]], is_list=columns[name].endswith("[]")) for name, of in written.items()]
    file = io.BytesIO()
    write_parquet(
        Table.from_arrays(arrays, schema=Schema(fields)),
        file,
        column_encoding={name: _encoding(columns[name], of) for name, of in written.items()},
        compression=_COMPRESSION_OF_FEW_ROWS if len(rows) <= _FEW_ROWS else _COMPRESSION,
        created_by=_CREATED_BY,
        dictionary_enabled=False,
        max_row_group_size=ROWS_PER_GROUP,
        skip_arrow_metadata=True,
    )
    return smaller_file(file.getvalue(), statistics_of)


def _encoding(kind: str, values: Sequence[Any]) -> Literal["delta_binary_packed", "delta_length_byte_array", "plain"]:
    """The encoding of a column that is compressed best. Plain texts state their lengths between them."""
    if kind == "BIGINT":
        return "delta_binary_packed"
    has_one_length = kind == "VARCHAR" and None not in values and len(set(map(len, values))) == 1
    return "delta_length_byte_array" if has_one_length else "plain"


def _array(values: Sequence[Any], kind: "DataType", *, is_list: bool) -> "Array":
    from arro3.core import Array, DataType, list_array  # noqa: PLC0415  as above

    if not is_list:
        return Array(values, kind)
    offsets = accumulate((len(one or ()) for one in values), initial=0)
    return list_array(
        Array(list(offsets), DataType.int32()),
        Array([text for one in values for text in one or ()], DataType.utf8()),
        type=kind,
        mask=Array([one is None for one in values], DataType.bool()),
    )
