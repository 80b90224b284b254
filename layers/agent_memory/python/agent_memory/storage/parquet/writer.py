"""Writes the rows of Parquet files with arro3, as small as readers allow.

Every page is compressed by itself, so that a dictionary beside it only takes space: the compression finds repeated
values as well.
"""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate, islice
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


def write_rows(rows: Iterable[Mapping[str, Any]], columns: Columns, *, statistics_of: Collection[str]) -> bytes:
    """Rows as a Parquet file, in their order. They are read once, some at a time, and are not kept.

    Columns that are null in every row are left out, but for those that have minima and maxima.

    Args:
        rows: values by the columns' names.
        columns: of the file.
        statistics_of: the columns of which each row group states the minimum and maximum.
    """
    with needs_extra("archive"):
        from arro3.core import ChunkedArray, Field, Schema, Table  # noqa: PLC0415  most callers do not need it
        from arro3.io import write_parquet  # noqa: PLC0415

    types = arrow_types()
    written = [_Column(name, kind, types[kind]) for name, kind in columns.items()]
    count = 0
    remaining = iter(rows)
    while group := list(islice(remaining, ROWS_PER_GROUP)):
        count += len(group)
        for column in written:
            column.add([row[column.name] for row in group])
    written = [one for one in written if one.name in statistics_of or one.has_values]
    file = io.BytesIO()
    write_parquet(
        Table.from_arrays(
            [ChunkedArray(one.chunks, type=one.type) for one in written],
            schema=Schema([Field(one.name, one.type, nullable=one.has_nulls) for one in written]),
        ),
        file,
        column_encoding={one.name: one.encoding for one in written},
        compression=_COMPRESSION_OF_FEW_ROWS if count <= _FEW_ROWS else _COMPRESSION,
        created_by=_CREATED_BY,
        dictionary_enabled=False,
        max_row_group_size=ROWS_PER_GROUP,
        skip_arrow_metadata=True,
    )
    return smaller_file(file.getvalue(), statistics_of)


class _Column:
    """A column as its values are added, in arrays of Arrow."""

    def __init__(self, name: str, kind: str, of_arrow: "DataType") -> None:
        self.name, self.type = name, of_arrow
        self.chunks: list[Array] = []
        self.has_values = self.has_nulls = False
        self._kind = kind
        self._lengths: set[int] = set()

    def add(self, values: Sequence[Any]) -> None:
        """Add the values of the next rows."""
        nulls = values.count(None)
        self.has_nulls |= nulls > 0
        self.has_values |= nulls < len(values)
        if self._kind == "VARCHAR" and not self.has_nulls:
            self._lengths.update(map(len, values))
        self.chunks.append(_array(values, self.type, is_list=self._kind.endswith("[]")))

    @property
    def encoding(self) -> Literal["delta_binary_packed", "delta_length_byte_array", "plain"]:
        """The encoding that is compressed best. Plain texts state their lengths between them."""
        if self._kind == "BIGINT":
            return "delta_binary_packed"
        has_one_length = self._kind == "VARCHAR" and not self.has_nulls and len(self._lengths) == 1
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
