"""A query that needs few decisions of an archived day reads only a part of its file."""

import random
from collections import Counter
from datetime import date

import pytest

from agent_memory.core.clock import Span, day_start_ms
from agent_memory.core.errors import Unavailable
from agent_memory.core.keys import archive_day_prefix
from agent_memory.model.decisions import DecisionType
from agent_memory.ports.blobs import ByteRange
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from agent_memory.storage.parquet.decision_rows import FILE_ORDER
from agent_memory.storage.parquet.footer import footer_length, parse_footer
from agent_memory.storage.parquet.partial_reads import TAIL_BYTES
from agent_memory.storage.parquet.row_groups import Slice, row_groups
from tests.contract.samples import decision, write_day

DAY = date(2026, 11, 20)
START = day_start_ms(DAY)
STEP_MS = 1_000
FILE = f"{archive_day_prefix('hunter', DAY)}decisions.parquet"


class CountedBlobs(InMemoryBlobs):
    """Objects in memory that count reads and their bytes."""

    def __init__(self):
        super().__init__()
        self.bytes_read = self.reads = 0

    def read(self, key):
        return self._count(super().read(key))

    def read_range(self, key, start, end=None):
        part = super().read_range(key, start, end)
        self._count(part.body)
        return part

    def _count(self, body):
        self.bytes_read += len(body)
        self.reads += 1
        return body


def day_of(count, step_ms=STEP_MS, kinds=("QUERY",)):
    return [
        decision(START + n * step_ms, kinds[n % len(kinds)], noise=f"{hash((n, 'a')):x}{hash((n, 'b')):x}")
        for n in range(count)
    ]


def keys_of(*decisions):
    return [one.key for one in decisions]


@pytest.fixture(scope="module")
def large():
    """A day of six row groups, and its decisions."""
    blobs, decisions = CountedBlobs(), day_of(12_000)
    write_day(ParquetArchive(blobs), DAY, decisions)
    return blobs, decisions


@pytest.fixture
def counted(large):
    blobs, decisions = large
    blobs.bytes_read = blobs.reads = 0
    return blobs, ParquetArchive(blobs), decisions


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 2_047, 2_048, 7_000, 11_999])
def test_for_one_decision_its_row_group_and_the_footer_are_read(counted, index):
    blobs, archive, decisions = counted
    assert archive.get("hunter", DAY, keys_of(decisions[index])) == [decisions[index]]
    size = len(InMemoryBlobs.read(blobs, FILE))
    assert blobs.reads <= 2
    assert blobs.bytes_read < TAIL_BYTES + size / 5


def test_row_groups_between_decisions_are_not_read(counted):
    blobs, archive, decisions = counted
    apart = [decisions[3], decisions[4_100]]
    assert archive.get("hunter", DAY, keys_of(*apart)) == apart
    assert blobs.reads == 3


@pytest.mark.slow
def test_for_a_span_only_its_row_groups_are_read(counted):
    blobs, archive, decisions = counted
    span = Span(START + 2_000 * STEP_MS, START + 4_000 * STEP_MS)
    assert archive.read_day("hunter", DAY, span) == decisions[2_000:4_000]
    assert blobs.reads == 2
    full_day = Span(START, START + 86_400_000)
    assert archive.read_day("hunter", DAY, full_day) == decisions
    assert blobs.reads == 3


@pytest.fixture(scope="module")
def mixed():
    """A day of two frequent types and three rare ones, which share row groups."""
    kinds = ["BIG"] * 300 + ["VAST"] * 200 + ["LESS", "MORE", "SMALL"]
    random.Random(5).shuffle(kinds)
    blobs, decisions = CountedBlobs(), day_of(12_000, kinds=kinds)
    write_day(ParquetArchive(blobs), DAY, decisions)
    return blobs, decisions


@pytest.mark.slow
def test_row_groups_of_several_types_are_read_only_if_they_may_contain_the_decisions(mixed):
    blobs, decisions = mixed
    archive, rng = ParquetArchive(blobs), random.Random(7)
    for _ in range(40):
        sample = rng.sample(decisions, rng.randint(1, 4))
        assert archive.get("hunter", DAY, keys_of(*sample)) == sorted(sample, key=lambda one: one.timestamp_ms)
        start, length = START + rng.randrange(12_000) * STEP_MS, rng.choice([1, STEP_MS, 500 * STEP_MS])
        types = rng.choice([None, ["MORE"], ["BIG", "SMALL"], ["VAST"]])
        in_span = [one for one in decisions if start <= one.timestamp_ms < start + length]
        actual = archive.read_day("hunter", DAY, Span(start, start + length), types)
        assert actual == [one for one in in_span if types is None or one.decision_type in types]
    body = blobs.read(FILE)
    groups = row_groups(parse_footer(body[-8 - footer_length(body[-8:]) : -8]), FILE_ORDER)
    assert [one.has_one_kind for one in groups] == [True] * 3 + [False] + [True] * 2
    slices = [Slice(Span(one.timestamp_ms, one.timestamp_ms + 1), one.decision_type) for one in decisions]
    read = Counter(sum(group.may_contain(one) for group in groups) for one in slices)
    # Only the rows that bound the mixed group may have a row of the same time on the other side.
    assert read == {1: 12_000 - 2, 2: 2}


@pytest.mark.slow
def test_for_one_of_a_hundred_thousand_decisions_a_twentieth_of_the_file_is_read_at_most():
    blobs, decisions = CountedBlobs(), day_of(100_000, 864, tuple(DecisionType))
    archive = ParquetArchive(blobs)
    write_day(archive, DAY, decisions)
    size = len(blobs.read(FILE))
    for index in (*range(0, 100_000, 9_973), 99_997, 99_998, 99_999):
        blobs.bytes_read = 0
        assert archive.get("hunter", DAY, keys_of(decisions[index])) == [decisions[index]]
        assert blobs.bytes_read <= 0.05 * size


def test_ranges_are_read_and_keys_listed(stores):
    body = bytes(range(100))
    stores.blobs.write("large/part", body)
    stores.blobs.write("large/other", b"o")
    for start, end, expected in (
        (0, 10, body[:10]),
        (90, 200, body[90:]),
        (50, None, body[50:]),
        (-7, None, body[-7:]),
    ):
        part = stores.blobs.read_range("large/part", start, end)
        assert (part.body, part.size, part.start) == (expected, 100, 100 + start if start < 0 else start)
    assert stores.blobs.read_range("large/part", -200).body == body
    assert stores.blobs.read_range("large/missing", 0, 10) is None
    assert stores.blobs.list_keys("large/") == ["large/other", "large/part"]
    first = stores.blobs.read_range("large/part", 0, 1)
    assert first.tag == stores.blobs.read_range("large/part", 5, 6).tag
    stores.blobs.write("large/part", body[::-1])
    assert first.tag != stores.blobs.read_range("large/part", 0, 1).tag


def test_decisions_of_a_day_are_read_by_key(stores):
    decisions = [decision(START + n // 2) for n in range(20)]
    write_day(stores.archive, DAY, decisions)
    unknown = decision(START + 3)
    actual = stores.archive.get("hunter", DAY, keys_of(decisions[7], unknown, decisions[0]))
    assert actual == [decisions[0], decisions[7]]
    assert stores.archive.get("hunter", date(2026, 11, 21), keys_of(unknown)) == []
    span = Span(START + 2, START + 4)
    assert [one.timestamp_ms - START for one in stores.archive.read_day("hunter", DAY, span)] == [2, 2, 3, 3]


class Replaced(InMemoryBlobs):
    """Objects that are replaced before each of the first reads."""

    def __init__(self, times):
        super().__init__()
        self.remaining = times

    def read_range(self, key, start, end=None):
        part = super().read_range(key, start, end)
        self.remaining -= 1
        return ByteRange(part.body, part.start, part.size, f"{self.remaining}" if self.remaining > 0 else part.tag)


@pytest.mark.parametrize(("times", "is_read"), [(3, True), (100, False)])
def test_a_file_that_is_replaced_during_a_read_is_read_again(large, times, is_read):
    source, decisions = large
    blobs = Replaced(times)
    blobs.write(FILE, InMemoryBlobs.read(source, FILE))
    archive = ParquetArchive(blobs)
    if is_read:
        assert archive.get("hunter", DAY, keys_of(decisions[0])) == [decisions[0]]
        return
    with pytest.raises(Unavailable, match="kept being replaced"):
        archive.get("hunter", DAY, keys_of(decisions[0]))
