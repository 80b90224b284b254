"""`follow_csv`: the bars of a CSV file, and those that are appended to it later."""

import asyncio
import csv
import gzip
import os
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from agent_memory import InvalidInput
from trading_agents.bars import PRICES, TIME_NAMES, BarsError
from trading_agents.paper.bars import PaperBar

_BLOCK_BYTES = 1 << 20
_REMEMBERED_BYTES = 256


def follow_csv(path: Path, *, follow: bool = True, poll_seconds: float = 1.0) -> AsyncIterator[PaperBar]:
    """Return the bars of a file in order.

    The header has a time (`timestamp`, `date`, `datetime` or `time`: ISO 8601, UTC if it has no offset), `open`,
    `high`, `low`, `close`, and optionally `volume`, in any order and case; other columns are ignored. With `follow` it
    never ends: a line counts once its line break is written. Without, it ends with the file, which can be a `.gz` file.

    Args:
        path: of the file; while it is read, lines can only be appended to it.
        follow: whether to wait for more lines.
        poll_seconds: interval between looks at the file.

    Raises:
        BarsError: a line is not a valid bar (names line and column), or the file was replaced, truncated or rewritten.
    """
    if path.suffix == ".gz":
        if follow:
            raise BarsError(f"{path} is compressed, and lines cannot be appended to it; decompress it first")
        return _bars(_CompressedFile(path), path.name, follow=False, poll_seconds=poll_seconds)
    return _bars(_GrowingFile(path), path.name, follow=follow, poll_seconds=poll_seconds)


async def _bars(
    lines: "_GrowingFile | _CompressedFile", name: str, *, follow: bool, poll_seconds: float
) -> AsyncIterator[PaperBar]:
    with lines:
        rows = _Rows(name)
        while True:
            for number, line in lines.new_lines():
                bar = rows.bar(number, line)
                if bar:
                    yield bar
            if not follow:
                last = rows.bar(*lines.unfinished_line())
                if last:
                    yield last
                rows.check_header()
                return
            await asyncio.sleep(poll_seconds)


class _Lines:
    """Complete lines of a file in blocks, numbered from 1."""

    def __init__(self) -> None:
        self._rest = b""
        self._count = 0

    def _split(self, block: bytes) -> Iterator[tuple[int, bytes]]:
        *complete, self._rest = (self._rest + block).split(b"\n")
        for line in complete:
            self._count += 1
            yield self._count, line

    def unfinished_line(self) -> tuple[int, bytes]:
        """Return number and content of what follows the last line break."""
        return self._count + 1, self._rest


class _CompressedFile(_Lines):
    """The lines of a `.gz` file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def new_lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and content of each line."""
        try:
            with gzip.open(self._path) as file:
                while block := file.read(_BLOCK_BYTES):
                    yield from self._split(block)
        except (OSError, EOFError, zlib.error) as error:
            raise BarsError(f"cannot read {self._path}: {getattr(error, 'strerror', None) or error}") from error


class _GrowingFile(_Lines):
    """The lines of a file that another process appends to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise BarsError(f"cannot read {path}: {error.strerror or error}") from error
        self._last_bytes = b""
        self._offset = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def new_lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and content of each line that was completed since the last call."""
        self._check_unchanged()
        while block := self._file.read(_BLOCK_BYTES):
            self._offset += len(block)
            self._last_bytes = (self._last_bytes + block)[-_REMEMBERED_BYTES:]
            yield from self._split(block)

    def _check_unchanged(self) -> None:
        """Refuse a file whose part that was read has changed."""
        opened = os.fstat(self._file.fileno())
        try:
            named = self._path.stat()
        except FileNotFoundError:
            raise BarsError(f"{self._path} was removed while it was followed; start again with its successor") from None
        if (named.st_ino, named.st_dev) != (opened.st_ino, opened.st_dev):
            raise BarsError(f"{self._path} was replaced by another file; start again, and append instead of replacing")
        if opened.st_size < self._offset:
            raise BarsError(
                f"{self._path} was truncated from {self._offset:,} to {opened.st_size:,} bytes; only append to it"
            )
        start = self._offset - len(self._last_bytes)
        if os.pread(self._file.fileno(), len(self._last_bytes), start) != self._last_bytes:
            raise BarsError(f"{self._path} was rewritten before byte {self._offset:,}; only append to it")


class _Rows:
    """Converts lines to bars; the first line is the header."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._columns: Mapping[str, int] | None = None
        self._last: datetime | None = None

    def bar(self, number: int, line: bytes) -> PaperBar | None:
        """Return the bar of a line; None for the header and for empty lines."""
        where = f"{self._name}, line {number}"
        try:
            cells = next(csv.reader([line.decode("utf-8-sig").strip()]), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise BarsError(f"{where} is not CSV in UTF-8: {error}") from error
        if not any(cell.strip() for cell in cells):
            return None
        if self._columns is None:
            self._columns = self._find_columns(cells)
            return None
        row = {name: cells[index].strip() if index < len(cells) else "" for name, index in self._columns.items()}
        return self._checked(where, row)

    def check_header(self) -> None:
        """Refuse a file without any line."""
        if self._columns is None:
            raise BarsError(f"{self._name} has no bars")

    def _find_columns(self, header: list[str]) -> dict[str, int]:
        titles = {title.strip().lower(): index for index, title in reversed(list(enumerate(header)))}
        time = next((name for name in TIME_NAMES if name in titles), "timestamp")
        for name in (time, *PRICES):
            if name not in titles:
                raise BarsError(f"{self._name} has no column {name!r}; needed are timestamp, open, high, low, close")
        return {"time": titles[time], **{name: titles[name] for name in (*PRICES, "volume") if name in titles}}

    def _checked(self, where: str, row: Mapping[str, str]) -> PaperBar:
        numbers = {name: self._number(where, name, text) for name, text in row.items() if name != "time"}
        try:
            time = datetime.fromisoformat(row["time"])
        except ValueError:
            raise BarsError(f"{where}: {row['time']!r:.40} is not a date or time in ISO 8601") from None
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        if self._last is not None and time <= self._last:
            raise BarsError(f"{where}: {row['time']} is not later than the line before")
        self._last = time
        try:
            opened, high, low, close = (numbers[name] for name in PRICES)
            return PaperBar(time, opened, high, low, close, numbers.get("volume"))
        except InvalidInput as error:
            raise BarsError(f"{where}: column {error.field!r}: {error.message}") from error

    @staticmethod
    def _number(where: str, name: str, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise BarsError(f"{where}: column {name!r}: {text!r:.40} is not a number") from None
