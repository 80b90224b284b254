"""Little of an archived day is read where little is asked for."""

from datetime import date

import pytest

from agent_memory.clock import day_start_ms
from agent_memory.errors import Unavailable
from agent_memory.ids import new_decision_id
from agent_memory.keys import archive_day_prefix
from agent_memory.stores.base import Part, Span
from agent_memory.stores.in_memory import InMemoryBlobs
from agent_memory.stores.parquet_archive import ParquetArchive
from agent_memory.stores.parquet_ranges import TAIL_BYTES
from tests.contract.samples import decision, write_day

DAY = date(2026, 11, 20)
START = day_start_ms(DAY)
STEP_MS = 1_000
FILE = f"{archive_day_prefix('hunter', 'QUERY', DAY)}decisions.parquet"


class CountedBlobs(InMemoryBlobs):
    """Objects in memory, and how much of them was read."""

    def __init__(self):
        super().__init__()
        self.bytes_read = self.reads = 0

    def read(self, key):
        return self._counted(super().read(key))

    def read_part(self, key, start, end=None):
        part = super().read_part(key, start, end)
        self._counted(part.body)
        return part

    def _counted(self, body):
        self.bytes_read += len(body)
        self.reads += 1
        return body


def day_of(count, step_ms=STEP_MS):
    return [decision(START + n * step_ms, noise=f"{hash((n, 'a')):x}{hash((n, 'b')):x}") for n in range(count)]


@pytest.fixture(scope="module")
def large():
    """A day of six row groups, and what it holds."""
    blobs, decisions = CountedBlobs(), day_of(12_000)
    write_day(ParquetArchive(blobs), DAY, decisions)
    return blobs, decisions


@pytest.fixture
def counted(large):
    blobs, decisions = large
    blobs.bytes_read = blobs.reads = 0
    return blobs, ParquetArchive(blobs), decisions


@pytest.mark.parametrize("place", [0, 2_047, 2_048, 7_000, 11_999])
def test_one_decision_costs_its_row_group_and_the_footer(counted, place):
    blobs, archive, decisions = counted
    assert archive.get("hunter", "QUERY", DAY, [decisions[place].decision_id]) == [decisions[place]]
    size = len(InMemoryBlobs.read(blobs, FILE))
    assert blobs.reads <= 2
    assert blobs.bytes_read < TAIL_BYTES + size / 5


def test_decisions_far_apart_are_read_without_what_lies_between(counted):
    blobs, archive, decisions = counted
    wanted = [decisions[3], decisions[4_100]]
    assert archive.get("hunter", "QUERY", DAY, [one.decision_id for one in wanted]) == wanted
    assert blobs.reads == 3


def test_a_part_of_a_day_is_read_without_the_rest(counted):
    blobs, archive, decisions = counted
    span = Span(START + 2_000 * STEP_MS, START + 4_000 * STEP_MS)
    assert archive.read_day("hunter", "QUERY", DAY, span) == decisions[2_000:4_000]
    assert blobs.reads == 2
    whole = Span(START, START + 86_400_000)
    assert archive.read_day("hunter", "QUERY", DAY, whole) == decisions
    assert blobs.reads == 3


@pytest.mark.slow
def test_one_of_a_hundred_thousand_costs_a_twentieth_of_the_day_at_most():
    blobs, decisions = CountedBlobs(), day_of(100_000, 864)
    archive = ParquetArchive(blobs)
    write_day(archive, DAY, decisions)
    size = len(blobs.read(FILE))
    for place in (0, 50_000, 99_999):
        blobs.bytes_read = 0
        assert archive.get("hunter", "QUERY", DAY, [decisions[place].decision_id]) == [decisions[place]]
        assert blobs.bytes_read <= 0.05 * size


def test_every_store_reads_parts_and_lists_keys(stores):
    body = bytes(range(100))
    stores.blobs.write("large/part", body)
    stores.blobs.write("large/other", b"o")
    for start, end, wanted in ((0, 10, body[:10]), (90, 200, body[90:]), (50, None, body[50:]), (-7, None, body[-7:])):
        part = stores.blobs.read_part("large/part", start, end)
        assert (part.body, part.size, part.start) == (wanted, 100, 100 + start if start < 0 else start)
    assert stores.blobs.read_part("large/part", -200).body == body
    assert stores.blobs.read_part("large/missing", 0, 10) is None
    assert stores.blobs.list_keys("large/") == ["large/other", "large/part"]
    first = stores.blobs.read_part("large/part", 0, 1)
    assert first.tag == stores.blobs.read_part("large/part", 5, 6).tag
    stores.blobs.write("large/part", body[::-1])
    assert first.tag != stores.blobs.read_part("large/part", 0, 1).tag


def test_every_store_finds_decisions_of_a_day_by_their_ids(stores):
    decisions = [decision(START + n // 2) for n in range(20)]
    write_day(stores.archive, DAY, decisions)
    stranger = new_decision_id("QUERY", START + 3)
    found = stores.archive.get("hunter", "QUERY", DAY, [decisions[7].decision_id, stranger, decisions[0].decision_id])
    assert found == [decisions[0], decisions[7]]
    assert stores.archive.get("hunter", "QUERY", date(2026, 11, 21), [stranger]) == []
    span = Span(START + 2, START + 4)
    assert [one.timestamp_ms - START for one in stores.archive.read_day("hunter", "QUERY", DAY, span)] == [2, 2, 3, 3]


class Replaced(InMemoryBlobs):
    """Objects whose parts are of another version with every read, so many times."""

    def __init__(self, times):
        super().__init__()
        self.left = times

    def read_part(self, key, start, end=None):
        part = super().read_part(key, start, end)
        self.left -= 1
        return Part(part.body, part.start, part.size, f"{self.left}" if self.left > 0 else part.tag)


@pytest.mark.parametrize(("times", "is_read"), [(3, True), (100, False)])
def test_a_day_that_is_replaced_while_it_is_read_is_read_again(large, times, is_read):
    source, decisions = large
    blobs = Replaced(times)
    blobs.write(FILE, InMemoryBlobs.read(source, FILE))
    archive = ParquetArchive(blobs)
    if is_read:
        assert archive.get("hunter", "QUERY", DAY, [decisions[0].decision_id]) == [decisions[0]]
        return
    with pytest.raises(Unavailable, match="kept being replaced"):
        archive.get("hunter", "QUERY", DAY, [decisions[0].decision_id])
