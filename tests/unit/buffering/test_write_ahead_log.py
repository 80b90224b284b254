"""The write-ahead log: appended records are read in order, after crashes and damage too."""

import errno
import os
import shutil
from contextlib import closing

import pytest

from agent_memory.buffering import write_ahead_log
from agent_memory.buffering.frames import DECISION, OVERHEAD_BYTES, Damage
from agent_memory.buffering.write_ahead_log import WriteAheadLog
from agent_memory.core.errors import AgentMemoryError, Conflict, InvalidInput, Unavailable

NOW_MS = 1_763_640_000_000
RECORD_BYTES = OVERHEAD_BYTES + len(b"payload 00")


def open_log(directory, *, agent_id="hunter", max_pending_bytes=1 << 20, segment_bytes=200):
    log = WriteAheadLog(directory, agent_id, max_pending_bytes=max_pending_bytes, segment_bytes=segment_bytes)
    return closing(log)


def append(log, *payloads):
    for payload in payloads:
        assert log.append(DECISION, payload, NOW_MS)


def drain(log, limit=100):
    """Read and acknowledge all pending records."""
    found = []
    while items := (window := log.read(limit)).items:
        found += items
        log.acknowledge(window)
    return found


def payloads_of(items):
    return [item.payload for item in items]


def segments(directory):
    return sorted(directory.glob("*.wal"))


def numbered(count):
    return [b"payload %02d" % number for number in range(count)]


def test_records_are_read_in_order_and_finished_segments_are_deleted(directory):
    with open_log(directory) as log:
        append(log, *numbered(50))
        assert len(segments(directory)) > 5
        assert payloads_of(drain(log, limit=3)) == numbered(50)
        assert len(segments(directory)) == 1
        assert log.pending() == (0, 0, None)


@pytest.mark.parametrize("acknowledged", [0, 1, 4, 5, 17, 20])
def test_the_next_log_continues_where_the_last_one_stopped(directory, acknowledged):
    with open_log(directory) as log:
        append(log, *numbered(20))
        for _ in range(acknowledged):
            log.acknowledge(log.read(1))
        count, size, oldest_ms = log.pending()
    with open_log(directory) as log:
        assert log.pending() == (count, size, oldest_ms)
        append(log, b"new")
        items = drain(log)
    assert payloads_of(items) == [*numbered(20)[acknowledged:], b"new"]
    assert [item.sequence for item in items] == list(range(acknowledged, 21))


def test_an_incomplete_record_is_removed_wherever_it_ends(directory, tmp_path):
    with open_log(directory, segment_bytes=10_000) as log:
        append(log, *numbered(3))
    (segment,) = segments(directory)
    size = segment.stat().st_size
    for lost in range(1, RECORD_BYTES):
        copy = tmp_path / f"copy-{lost}"
        shutil.copytree(directory, copy)
        os.truncate(copy / segment.name, size - lost)
        with open_log(copy) as log:
            append(log, b"new")
            assert payloads_of(drain(log)) == [b"payload 00", b"payload 01", b"new"]


@pytest.mark.parametrize("index", range(12))
def test_damage_is_returned_and_later_records_are_not_lost(directory, index):
    with open_log(directory) as log:
        append(log, *numbered(12))
    data = [bytearray(segment.read_bytes()) for segment in segments(directory)]
    records = [(number, at) for number, text in enumerate(data) for at in range(0, len(text), RECORD_BYTES)]
    segment, at = records[index]
    data[segment][at + OVERHEAD_BYTES + 3] ^= 1
    segments(directory)[segment].write_bytes(data[segment])
    with open_log(directory) as log:
        append(log, b"new")
        items = drain(log)
        assert log.pending() == (0, 0, None)
    damaged = [item for item in items if isinstance(item, Damage)]
    valid = payloads_of(item for item in items if not isinstance(item, Damage))
    assert len(damaged) == 1
    assert valid == [p for p in numbered(12) if p != b"payload %02d" % damaged[0].sequence] + [b"new"]
    with open_log(directory) as log:
        assert drain(log) == []


@pytest.mark.parametrize("at", range(RECORD_BYTES))
@pytest.mark.parametrize("bit", [0, 7])
def test_a_flipped_bit_damages_only_its_record(directory, at, bit):
    with open_log(directory, segment_bytes=10_000) as log:
        append(log, *numbered(3))
    (segment,) = segments(directory)
    data = bytearray(segment.read_bytes())
    data[RECORD_BYTES + at] ^= 1 << bit
    segment.write_bytes(data)
    with open_log(directory) as log:
        first, damage, last = drain(log)
    assert payloads_of([first, last]) == [b"payload 00", b"payload 02"]
    assert isinstance(damage, Damage)


def test_several_damaged_records_at_the_end_of_an_open_log_are_acknowledged_together(directory):
    with open_log(directory, segment_bytes=10_000) as log:
        append(log, *numbered(5))
        (segment,) = segments(directory)
        with segment.open("r+b") as file:
            file.seek(2 * RECORD_BYTES)
            file.write(b"\0" * 3 * RECORD_BYTES)
        waiting = log.when_acknowledged(5)
        *valid, damage = drain(log)
        assert payloads_of(valid) == numbered(2)
        assert damage == Damage(2, b"\0" * 3 * RECORD_BYTES)
        assert waiting.done()
        assert log.pending() == (0, 0, None)
    with open_log(directory) as log:
        append(log, b"new")
        assert payloads_of(drain(log)) == [b"new"]


@pytest.mark.parametrize("position", [b"", b"short", b"x" * 12])
def test_without_a_position_all_records_are_read_again(directory, position):
    with open_log(directory, segment_bytes=10_000) as log:
        append(log, *numbered(5))
        log.acknowledge(log.read(3))
    (directory / "position").write_bytes(position)
    with open_log(directory) as log:
        assert payloads_of(drain(log)) == numbered(5)


def test_a_position_beyond_the_records_on_disk_loses_no_new_record(directory):
    with open_log(directory, segment_bytes=10_000) as log:
        append(log, *numbered(5))
        drain(log)
    (segment,) = segments(directory)
    os.truncate(segment, RECORD_BYTES)  # a power failure: the position was on disk, the records were not
    for _ in range(2):
        with open_log(directory) as log:
            append(log, b"new")
            assert log.pending()[0] == 1
            assert payloads_of(drain(log)) == [b"new"]


def test_records_larger_than_a_window_are_read(directory):
    large = [bytes([number]) * (3 << 20) for number in range(3)]
    with open_log(directory, max_pending_bytes=1 << 30, segment_bytes=8 << 20) as log:
        append(log, b"small", *large, b"small")
        assert payloads_of(drain(log)) == [b"small", *large, b"small"]


def test_a_window_has_about_a_megabyte(directory):
    with open_log(directory, max_pending_bytes=1 << 30, segment_bytes=64 << 20) as log:
        append(log, *[b"x" * 100_000] * 30)
        assert len(log.read(100).items) == 10


def test_pending_records_are_limited_and_acknowledging_frees_space(directory):
    with open_log(directory, max_pending_bytes=3 * RECORD_BYTES) as log:
        append(log, *numbered(3))
        assert not log.append(DECISION, b"payload 03", NOW_MS)
        log.acknowledge(log.read(1))
        append(log, b"payload 03")
        with pytest.raises(InvalidInput, match="larger than the buffer"):
            log.append(DECISION, b"x" * 1000, NOW_MS)


def test_futures_complete_when_records_are_acknowledged(directory):
    with open_log(directory) as log:
        append(log, *numbered(3))
        assert log.when_acknowledged(0).done()
        second, third, cancelled = log.when_acknowledged(2), log.when_acknowledged(3), log.when_acknowledged(3)
        cancelled.cancel()
        log.acknowledge(log.read(2))
        assert (second.done(), third.done()) == (True, False)
        log.acknowledge(log.read(2))
        assert third.done()
        append(log, b"more")
        last = log.when_acknowledged(4)
    assert isinstance(last.exception(), Unavailable)


@pytest.mark.parametrize("written", [None, 0, 5, 40])
def test_a_full_disk_raises_and_leaves_no_partial_record(directory, monkeypatch, written):
    pwrite = os.pwrite

    def full(file, data, offset):
        if written is None:
            raise OSError(errno.EIO, "broken")
        return pwrite(file, data[:written], offset)

    with open_log(directory, segment_bytes=10_000) as log:
        append(log, b"before")
        before = segments(directory)[0].stat().st_size
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(Unavailable, match="buffer"):
                log.append(DECISION, b"lost, and the caller knows", NOW_MS)
        assert segments(directory)[0].stat().st_size == before
        append(log, b"after")
        assert payloads_of(drain(log)) == [b"before", b"after"]


def test_a_segment_that_cannot_be_created_raises_and_the_next_append_retries(directory, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    with open_log(directory, segment_bytes=1) as log:
        append(log, b"before")
        with monkeypatch.context() as patch:
            patch.setattr(write_ahead_log, "SegmentWriter", full)
            with pytest.raises(Unavailable, match="full"):
                log.append(DECISION, b"lost, and the caller knows", NOW_MS)
        append(log, b"after")
        assert payloads_of(drain(log)) == [b"before", b"after"]


def test_a_directory_that_cannot_be_created_raises(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot be opened"):
        WriteAheadLog(tmp_path / "file", "hunter", max_pending_bytes=1000)


def test_a_directory_belongs_to_one_log_at_a_time_and_one_agent(directory):
    with open_log(directory), pytest.raises(Conflict, match="another logger"):
        WriteAheadLog(directory, "hunter", max_pending_bytes=1000)
    with pytest.raises(InvalidInput, match="belongs to the agent 'hunter'"):
        WriteAheadLog(directory, "gatherer", max_pending_bytes=1000)
    with open_log(directory):
        pass


def test_a_forked_child_cannot_write(directory):
    with open_log(directory) as log:
        log._process += 1
        with pytest.raises(AgentMemoryError, match="fork"):
            log.append(DECISION, b"x", NOW_MS)


def test_sync_includes_every_segment_written_since_the_last(directory, monkeypatch):
    synced = []
    with open_log(directory) as log:
        monkeypatch.setattr(log._directory, "sync_segment", synced.append)
        append(log, *numbered(10))
        log.sync()
        assert synced == sorted(log._firsts)
        log.sync()
        assert synced == sorted(log._firsts)
        append(log, b"more")
        log.sync()
        assert len(synced) in {len(log._firsts) + 1, len(log._firsts)}
        assert synced[-1] == log._firsts[-1]


def test_a_missing_segment_is_logged(directory, caplog):
    with open_log(directory) as log:
        append(log, *numbered(20))
        segments(directory)[1].unlink()
    with open_log(directory) as log:
        assert len(drain(log)) < 20
    assert "missing" in caplog.text
