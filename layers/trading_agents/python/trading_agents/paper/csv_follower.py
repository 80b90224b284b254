"""`follow_csv`: the bars of a CSV file, and those that are added to it later."""

import asyncio
import csv
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from agent_memory.core.errors import InvalidInput
from trading_agents.bars import TIME_NAMES, BarsError
from trading_agents.paper.bars import PRICES, PaperBar

_BLOCK_BYTES = 1 << 20
_REMEMBERED_BYTES = 256


async def follow_csv(path: Path, *, follow: bool = True, poll_seconds: float = 1.0) -> AsyncIterator[PaperBar]:
    """The bars of a file in order, one by one.

    The header names a time (`timestamp`, `date`, `datetime` or `time`: ISO 8601, UTC where it has no offset), `open`,
    `high`, `low`, `close`, and maybe `volume`, in any order and case; other columns are ignored. With `follow` it goes
    on for ever: a line counts once its end is written. Without, it ends with the file.

    Args:
        path: of the file; only lines may be added to it while it is read.
        follow: whether to wait for more.
        poll_seconds: how often to look.

    Raises:
        BarsError: names the line and column that is no bar, or says that the file was replaced, cut or rewritten.
    """
    with _GrowingFile(path) as file:
        rows = _Rows(path.name)
        while True:
            for number, line in file.new_lines():
                bar = rows.bar(number, line)
                if bar:
                    yield bar
            if not follow:
                last = rows.bar(*file.unfinished_line())
                if last:
                    yield last
                rows.check_header()
                return
            await asyncio.sleep(poll_seconds)


class _GrowingFile:
    """Complete lines of a file that others append to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise BarsError(f"cannot read {path}: {error.strerror or error}") from error
        self._rest = self._seen = b""
        self._lines = self._offset = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def new_lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and content of each line whose end has been written since."""
        self._check_unchanged()
        while block := self._file.read(_BLOCK_BYTES):
            self._offset += len(block)
            self._seen = (self._seen + block)[-_REMEMBERED_BYTES:]
            *whole, self._rest = (self._rest + block).split(b"\n")
            for line in whole:
                self._lines += 1
                yield self._lines, line

    def unfinished_line(self) -> tuple[int, bytes]:
        """What follows the last end of a line."""
        return self._lines + 1, self._rest

    def _check_unchanged(self) -> None:
        """Refuse a file of which the part that was read is not what it was."""
        opened = os.fstat(self._file.fileno())
        try:
            named = self._path.stat()
        except FileNotFoundError:
            raise BarsError(f"{self._path} was removed while it was followed; start again with its successor") from None
        if (named.st_ino, named.st_dev) != (opened.st_ino, opened.st_dev):
            raise BarsError(f"{self._path} was replaced by another file; start again, and append instead of replacing")
        if opened.st_size < self._offset:
            raise BarsError(
                f"{self._path} was cut from {self._offset:,} to {opened.st_size:,} bytes; only append to it"
            )
        if os.pread(self._file.fileno(), len(self._seen), self._offset - len(self._seen)) != self._seen:
            raise BarsError(f"{self._path} was rewritten before byte {self._offset:,}; only append to it")


class _Rows:
    """Turns lines into bars, the first of them being the header."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._places: Mapping[str, int] | None = None
        self._last: datetime | None = None

    def bar(self, number: int, line: bytes) -> PaperBar | None:
        """The bar of a line; None for the header and for empty lines."""
        where = f"{self._name}, line {number}"
        try:
            cells = next(csv.reader([line.decode("utf-8-sig").strip()]), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise BarsError(f"{where} is no CSV in UTF-8: {error}") from error
        if not any(cell.strip() for cell in cells):
            return None
        if self._places is None:
            self._places = self._places_of(cells)
            return None
        row = {name: cells[place].strip() if place < len(cells) else "" for name, place in self._places.items()}
        return self._checked(where, row)

    def check_header(self) -> None:
        """Refuse a file without any line."""
        if self._places is None:
            raise BarsError(f"{self._name} holds no bars")

    def _places_of(self, header: list[str]) -> dict[str, int]:
        titles = {title.strip().lower(): place for place, title in reversed(list(enumerate(header)))}
        time = next((name for name in TIME_NAMES if name in titles), "timestamp")
        for name in (time, *PRICES):
            if name not in titles:
                raise BarsError(f"{self._name} has no column {name!r}; needed are timestamp, open, high, low, close")
        places = {name: titles[name] for name in (*PRICES, "volume") if name in titles}
        return {"time": titles[time], **places}

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
