import asyncio
import contextlib
import gzip
import re

import pytest

from trading_agents.bars import BarsError
from trading_agents.paper import follow_csv

HEADER = "Timestamp,open,high,low,close,volume\n"


def line(hour, close=100):
    return f"2026-01-05T{hour:02}:00:00,100,110,90,{close},7\n"


async def read_all(path):
    return [bar async for bar in follow_csv(path, follow=False)]


class Following:
    """Follows a file in the background, as the trader does."""

    def __init__(self, path):
        self.closes = []
        self._path = path
        self._task = asyncio.create_task(self._read())

    async def _read(self):
        async for bar in follow_csv(self._path, poll_seconds=0.001):
            self.closes.append(bar.close)

    async def closes_so_far(self):
        await asyncio.sleep(0.05)
        return self.closes

    async def fails(self):
        with pytest.raises(BarsError) as message:
            await asyncio.wait_for(self._task, 5)
        return str(message.value)

    async def end(self):
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def test_a_file_is_read_to_its_end(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("\ufeff" + HEADER + line(1) + "\r\n" + line(2, 101).rstrip("\n"), encoding="utf-8")
    bars = await read_all(path)
    assert [(bar.time.isoformat(), bar.close, bar.volume) for bar in bars] == [
        ("2026-01-05T01:00:00+00:00", 100, 7),
        ("2026-01-05T02:00:00+00:00", 101, 7),
    ]


async def test_a_line_counts_when_its_line_break_is_written(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text(HEADER + line(1, 101))
    following = Following(path)
    assert await following.closes_so_far() == [101]
    with path.open("a") as file:
        file.write(line(2, 102)[:-3])
        file.flush()
        assert await following.closes_so_far() == [101]
        file.write(line(2, 102)[-3:] + line(3, 103))
        file.flush()
        assert await following.closes_so_far() == [101, 102, 103]
    await following.end()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_text(HEADER), r"bars.csv was truncated from 99 to 37 bytes; only append"),
        (
            lambda path: path.write_text(HEADER + line(4) * 3),
            r"bars.csv was rewritten before byte 99; only",
        ),
        (lambda path: path.rename(path.with_suffix(".1")), r"bars.csv was removed while it was followed"),
        (
            lambda path: path.with_suffix(".new").write_text("x") and path.with_suffix(".new").replace(path),
            r"bars.csv was replaced by another file; start again",
        ),
    ],
)
async def test_a_file_that_changes_otherwise_than_by_appending_is_an_error(tmp_path, change, message):
    path = tmp_path / "bars.csv"
    path.write_text(HEADER + line(1) + line(2))
    size = path.stat().st_size
    following = Following(path)
    assert len(await following.closes_so_far()) == 2
    change(path)
    assert re.search(message.replace("99", str(size)), await following.fails())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "bars.csv has no bars"),
        ("timestamp,open,high,low\n", "bars.csv has no column 'close'; needed are timestamp, open, high, low, close"),
        ("open,high,low,close\n", "bars.csv has no column 'timestamp'"),
        (HEADER + "yesterday,1,1,1,1,1\n", "bars.csv, line 2: 'yesterday' is not a date or time in ISO 8601"),
        (HEADER + line(2) + line(2), "bars.csv, line 3: 2026-01-05T02:00:00 is not later than the line before"),
        (HEADER + line(1, "x"), "bars.csv, line 2: column 'close': 'x' is not a number"),
        (HEADER + line(1, 200), "bars.csv, line 2: column 'close': 200.0 is not between low 90.0 and high 110.0"),
        (HEADER + "2026-01-05,1,1,1\n", "bars.csv, line 2: column 'close': '' is not a number"),
        (HEADER + line(1).replace(",7", ",-7"), "bars.csv, line 2: column 'volume': -7.0 is not a number of 0 or more"),
    ],
)
async def test_invalid_lines_are_named(tmp_path, content, message):
    path = tmp_path / "bars.csv"
    path.write_text(content)
    with pytest.raises(BarsError, match=re.escape(message)):
        await read_all(path)


async def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BarsError, match=r"cannot read .*none.csv: No such file"):
        await read_all(tmp_path / "none.csv")


async def test_a_compressed_file_is_read_to_its_end(tmp_path):
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(gzip.compress((HEADER + line(1) + line(2, 101)).encode()))
    assert [bar.close for bar in await read_all(path)] == [100, 101]


@pytest.mark.parametrize(
    "content", [b"not compressed", gzip.compress(HEADER.encode())[:-6]], ids=["not gzip", "truncated"]
)
async def test_a_damaged_compressed_file_is_named(tmp_path, content):
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(content)
    with pytest.raises(BarsError, match=r"cannot read .*bars.csv.gz: "):
        await read_all(path)
