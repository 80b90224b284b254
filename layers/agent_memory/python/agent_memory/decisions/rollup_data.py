"""How rollups are stored: as columns over their cells, which are read without an object per value.

    keys          the cells' keys, a line of JSON each
    sizes         for each cell: decisions, values of latency_ms, values of quality
    latency_ms    the cells' values one after the other, those of a cell in order
    quality       the same

Each is compressed, and text, as the data of a state are. Earlier versions stored one text, `counts`, with a row of JSON
for each cell; it is still read.
"""

import base64
import json
import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any

from agent_memory.decisions.rollups import Cell, CellKey, Rollup

_KEYS, _SIZES, _LATENCY, _QUALITY = "keys", "sizes", "latency_ms", "quality"
_ROWS = "counts"
_UNSIGNED, _DOUBLE = "I", "d"
_KNOWN_KEYS = 4_096


def rollup_data(rollup: Rollup) -> dict[str, Any]:
    """The data of a state that stores these counts; equal counts have equal data."""
    keyed = sorted((_key_text(key), cell.in_order()) for key, cell in rollup.cells.items())
    cells = [cell for _, cell in keyed]
    sizes = array(_UNSIGNED, [n for one in cells for n in (one.decisions, len(one.latency_ms), len(one.quality))])
    return {
        _KEYS: _packed("\n".join(text for text, _ in keyed).encode()),
        _SIZES: _packed_column(sizes),
        _LATENCY: _packed_column(array(_DOUBLE, chain.from_iterable(one.latency_ms for one in cells))),
        _QUALITY: _packed_column(array(_DOUBLE, chain.from_iterable(one.quality for one in cells))),
    }


def rollup_from(data: Mapping[str, Any]) -> Rollup:
    """The counts that `rollup_data` of this version or of an earlier one stored.

    Raises:
        ValueError, or another error of its kind: they are damaged.
    """
    return Rollup(dict(_cells_of_rows(data[_ROWS]) if _ROWS in data else _cells(data)))


def _cells(data: Mapping[str, Any]) -> Iterator[tuple[CellKey, Cell]]:
    text = _unpacked(data[_KEYS]).decode()
    sizes = _column(_UNSIGNED, data[_SIZES])
    latency_ms, quality = _column(_DOUBLE, data[_LATENCY]), _column(_DOUBLE, data[_QUALITY])
    if (sum(sizes[1::3]), sum(sizes[2::3])) != (len(latency_ms), len(quality)):
        raise ValueError("the values are not as many as the sizes say")
    first = second = 0
    keys = text.split("\n") if text else []
    for key, decisions, latencies, qualities in zip(keys, sizes[::3], sizes[1::3], sizes[2::3], strict=True):
        end, second_end = first + latencies, second + qualities
        yield _key(key), Cell(decisions, latency_ms[first:end], quality[second:second_end])
        first, second = end, second_end


def _cells_of_rows(text: str) -> Iterator[tuple[CellKey, Cell]]:
    """The cells in the format of earlier versions."""
    for kind, context, sources, horizon, success, decisions, latency_ms, quality in json.loads(_unpacked(text)):
        key = CellKey(kind, context, tuple(sources), horizon, success)
        yield key, Cell(decisions, array(_DOUBLE, latency_ms), array(_DOUBLE, quality))


def _key_text(key: CellKey) -> str:
    return json.dumps(key, separators=(",", ":"), ensure_ascii=False)


@lru_cache(_KNOWN_KEYS)
def _key(text: str) -> CellKey:
    """The key of a cell: most days have the same ones."""
    kind, context, sources, horizon, success = json.loads(text)
    return CellKey(kind, context, tuple(sources), horizon, success)


def _packed_column(column: "array[Any]") -> str:
    if sys.byteorder == "big":
        column.byteswap()
    return _packed(column.tobytes())


def _column(typecode: str, text: str) -> "array[Any]":
    column = array(typecode)
    column.frombytes(_unpacked(text))
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, zlib.Z_BEST_COMPRESSION)).decode()


def _unpacked(text: str) -> bytes:
    try:
        return zlib.decompress(base64.b64decode(text))
    except zlib.error as error:
        raise ValueError(str(error)) from error
