"""Files of earlier versions: empty values are not null, every column is there, hashes of rows have 16 characters."""

from datetime import date

import pytest

from agent_memory.archive.day_verification import day_faults
from agent_memory.core.clock import day_start_ms, to_iso
from agent_memory.core.ids import new_decision_id
from agent_memory.core.keys import archive_file_key
from agent_memory.model.decisions import Decision
from agent_memory.model.seals import ROW_HASH, Manifest, root_hash, row_hash, sha256
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from agent_memory.storage.parquet.decision_rows import COLUMNS, decision_row
from agent_memory.storage.parquet.files import to_parquet

AGENT, DAY = "hunter", date(2026, 11, 20)
START = day_start_ms(DAY)


def earlier_row(decision):
    return decision_row(decision) | {"metadata": "{}", "revision": 0, "parent_ids": [], "memory_ids": []}


@pytest.fixture
def earlier():
    """The decisions of a day, their rows as earlier versions wrote them, and the manifest of these."""
    decisions = [
        Decision(AGENT, new_decision_id("QUERY", START + n), "QUERY", START + n, {"n": n}, {"why": f"{n}"})
        for n in range(3)
    ]
    hashes = [row_hash(earlier_row(one)) for one in decisions]
    rows = [earlier_row(one) | {ROW_HASH: full[:16]} for one, full in zip(decisions, hashes, strict=True)]
    body = to_parquet(rows, COLUMNS)
    first, last = to_iso(START), to_iso(START + 2)
    sizes = {"file_bytes": len(body), "file_sha256": sha256(body), "root": root_hash(hashes)}
    days = {"agent_id": AGENT, "date": DAY.isoformat(), "first": first, "last": last, "archived_at": last}
    return decisions, rows, Manifest(**days, **sizes, rows=3, with_outcome=0, revision=1, sequence=1, previous=None)


def archive_with(rows):
    blobs = InMemoryBlobs()
    blobs.write(archive_file_key(AGENT, DAY), to_parquet(rows, COLUMNS))
    return ParquetArchive(blobs)


def test_an_earlier_file_is_read_and_matches_its_seal(earlier):
    decisions, rows, sealed = earlier
    archive = archive_with(rows)
    assert archive.read_day(AGENT, DAY) == decisions
    assert archive.get(AGENT, DAY, [decisions[1].key]) == [decisions[1]]
    assert list(day_faults(archive.file(AGENT, DAY), sealed)) == []


@pytest.mark.parametrize("change", [{"reasoning": '{"why":"5"}'}, {"revision": None}, {ROW_HASH: ""}, {ROW_HASH: None}])
def test_a_changed_decision_of_an_earlier_file_is_named(earlier, change):
    decisions, rows, sealed = earlier
    rows[1] |= change
    (fault,) = day_faults(archive_with(rows).file(AGENT, DAY), sealed)
    assert (str(fault.kind), fault.decision_id) == ("changed", decisions[1].decision_id)
