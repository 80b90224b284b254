"""The log on disk: what is appended is read in order, whatever happened in between."""

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


def opened(directory, *, agent_id="hunter", room=1 << 20, segment_bytes=200):
    return closing(WriteAheadLog(directory, agent_id, max_pending_bytes=room, segment_bytes=segment_bytes))


def append(log, *payloads):
    for payload in payloads:
        assert log.append(DECISION, payload, NOW_MS)


def drain(log, limit=100):
    """All that is pending, acknowledged as it is read."""
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


def test_records_are_read_in_order_over_segments_and_done_segments_go(directory):
    with opened(directory) as log:
        append(log, *numbered(50))
        assert len(segments(directory)) > 5
        assert payloads_of(drain(log, limit=3)) == numbered(50)
        assert len(segments(directory)) == 1
        assert log.pending() == (0, 0, None)


@pytest.mark.parametrize("acknowledged", [0, 1, 4, 5, 17, 20])
def test_the_next_log_goes_on_where_the_last_one_stopped(directory, acknowledged):
    with opened(directory) as log:
        append(log, *numbered(20))
        for _ in range(acknowledged):
            log.acknowledge(log.read(1))
        count, size, oldest_ms = log.pending()
    with opened(directory) as log:
        assert log.pending() == (count, size, oldest_ms)
        append(log, b"new")
        items = drain(log)
    assert payloads_of(items) == [*numbered(20)[acknowledged:], b"new"]
    assert [item.sequence for item in items] == list(range(acknowledged, 21))


def test_a_torn_tail_is_cut_off_at_every_byte(directory, tmp_path):
    with opened(directory, segment_bytes=10_000) as log:
        append(log, *numbered(3))
    (segment,) = segments(directory)
    size = segment.stat().st_size
    for lost in range(1, RECORD_BYTES):
        copy = tmp_path / f"copy-{lost}"
        shutil.copytree(directory, copy)
        os.truncate(copy / segment.name, size - lost)
        with opened(copy) as log:
            append(log, b"new")
            assert payloads_of(drain(log)) == [b"payload 00", b"payload 01", b"new"]


@pytest.mark.parametrize("hit", range(12))
def test_damage_is_handed_out_and_nothing_behind_it_is_lost(directory, hit):
    with opened(directory) as log:
        append(log, *numbered(12))
    data = [bytearray(segment.read_bytes()) for segment in segments(directory)]
    places = [(number, at) for number, text in enumerate(data) for at in range(0, len(text), RECORD_BYTES)]
    segment, at = places[hit]
    data[segment][at + OVERHEAD_BYTES + 3] ^= 1
    segments(directory)[segment].write_bytes(data[segment])
    with opened(directory) as log:
        append(log, b"new")
        items = drain(log)
        assert log.pending() == (0, 0, None)
    damaged = [item for item in items if isinstance(item, Damage)]
    good = payloads_of(item for item in items if not isinstance(item, Damage))
    assert len(damaged) == 1
    assert good == [p for p in numbered(12) if p != b"payload %02d" % damaged[0].sequence] + [b"new"]
    with opened(directory) as log:
        assert drain(log) == []


@pytest.mark.parametrize("at", range(RECORD_BYTES))
@pytest.mark.parametrize("bit", [0, 7])
def test_no_flipped_bit_takes_what_lies_behind_it(directory, at, bit):
    with opened(directory, segment_bytes=10_000) as log:
        append(log, *numbered(3))
    (segment,) = segments(directory)
    data = bytearray(segment.read_bytes())
    data[RECORD_BYTES + at] ^= 1 << bit
    segment.write_bytes(data)
    with opened(directory) as log:
        first, damage, last = drain(log)
    assert payloads_of([first, last]) == [b"payload 00", b"payload 02"]
    assert isinstance(damage, Damage)


def test_many_records_damaged_at_the_end_of_a_log_in_use_are_one_damage_and_leave_nothing_pending(directory):
    with opened(directory, segment_bytes=10_000) as log:
        append(log, *numbered(5))
        (segment,) = segments(directory)
        with segment.open("r+b") as file:
            file.seek(2 * RECORD_BYTES)
            file.write(b"\0" * 3 * RECORD_BYTES)
        waiting = log.reached(5)
        *good, damage = drain(log)
        assert payloads_of(good) == numbered(2)
        assert damage == Damage(2, b"\0" * 3 * RECORD_BYTES)
        assert waiting.done()
        assert log.pending() == (0, 0, None)
    with opened(directory) as log:
        append(log, b"new")
        assert payloads_of(drain(log)) == [b"new"]


@pytest.mark.parametrize("position", [b"", b"short", b"x" * 12])
def test_without_a_position_all_that_is_there_comes_again(directory, position):
    with opened(directory, segment_bytes=10_000) as log:
        append(log, *numbered(5))
        log.acknowledge(log.read(3))
    (directory / "position").write_bytes(position)
    with opened(directory) as log:
        assert payloads_of(drain(log)) == numbered(5)


def test_a_position_beyond_what_the_disk_kept_loses_nothing_new(directory):
    with opened(directory, segment_bytes=10_000) as log:
        append(log, *numbered(5))
        drain(log)
    (segment,) = segments(directory)
    os.truncate(segment, RECORD_BYTES)  # a loss of power: the position was on disk, the records were not
    for _ in range(2):
        with opened(directory) as log:
            append(log, b"new")
            assert log.pending()[0] == 1
            assert payloads_of(drain(log)) == [b"new"]


def test_records_larger_than_a_window_are_read(directory):
    large = [bytes([number]) * (3 << 20) for number in range(3)]
    with opened(directory, room=1 << 30, segment_bytes=8 << 20) as log:
        append(log, b"small", *large, b"small")
        assert payloads_of(drain(log)) == [b"small", *large, b"small"]


def test_a_window_stays_near_a_megabyte(directory):
    with opened(directory, room=1 << 30, segment_bytes=64 << 20) as log:
        append(log, *[b"x" * 100_000] * 30)
        assert len(log.read(100).items) == 10


def test_no_more_than_the_room_is_taken_and_it_comes_back(directory):
    with opened(directory, room=3 * RECORD_BYTES) as log:
        append(log, *numbered(3))
        assert not log.append(DECISION, b"payload 03", NOW_MS)
        log.acknowledge(log.read(1))
        append(log, b"payload 03")
        with pytest.raises(InvalidInput, match="whole buffer"):
            log.append(DECISION, b"x" * 1000, NOW_MS)


def test_whoever_waits_is_told_when_it_is_reached(directory):
    with opened(directory) as log:
        append(log, *numbered(3))
        assert log.reached(0).done()
        second, third, given_up = log.reached(2), log.reached(3), log.reached(3)
        given_up.cancel()
        log.acknowledge(log.read(2))
        assert (second.done(), third.done()) == (True, False)
        log.acknowledge(log.read(2))
        assert third.done()
        append(log, b"more")
        last = log.reached(4)
    assert isinstance(last.exception(), Unavailable)


@pytest.mark.parametrize("written", [None, 0, 5, 40])
def test_a_full_disk_is_an_error_and_leaves_no_half_record(directory, monkeypatch, written):
    real = os.pwrite

    def full(file, data, offset):
        if written is None:
            raise OSError(errno.EIO, "broken")
        return real(file, data[:written], offset)

    with opened(directory, segment_bytes=10_000) as log:
        append(log, b"before")
        before = segments(directory)[0].stat().st_size
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(Unavailable, match="buffer"):
                log.append(DECISION, b"lost, and the caller knows", NOW_MS)
        assert segments(directory)[0].stat().st_size == before
        append(log, b"after")
        assert payloads_of(drain(log)) == [b"before", b"after"]


def test_a_segment_that_cannot_be_made_is_an_error_and_is_tried_again(directory, monkeypatch):
    def refused(*_):
        raise OSError(errno.ENOSPC, "full")

    with opened(directory, segment_bytes=1) as log:
        append(log, b"before")
        with monkeypatch.context() as patch:
            patch.setattr(write_ahead_log, "SegmentWriter", refused)
            with pytest.raises(Unavailable, match="full"):
                log.append(DECISION, b"lost, and the caller knows", NOW_MS)
        append(log, b"after")
        assert payloads_of(drain(log)) == [b"before", b"after"]


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot be opened"):
        WriteAheadLog(tmp_path / "file", "hunter", max_pending_bytes=1000)


def test_a_directory_serves_one_log_at_a_time_and_one_agent(directory):
    with opened(directory), pytest.raises(Conflict, match="another logger"):
        WriteAheadLog(directory, "hunter", max_pending_bytes=1000)
    with pytest.raises(InvalidInput, match="belongs to the agent 'hunter'"):
        WriteAheadLog(directory, "gatherer", max_pending_bytes=1000)
    with opened(directory):
        pass


def test_a_forked_child_cannot_write(directory):
    with opened(directory) as log:
        log._process += 1
        with pytest.raises(AgentMemoryError, match="fork"):
            log.append(DECISION, b"x", NOW_MS)


def test_syncing_reaches_every_segment_written_since(directory, monkeypatch):
    synced = []
    with opened(directory) as log:
        monkeypatch.setattr(log._folder, "sync_segment", synced.append)
        append(log, *numbered(10))
        log.sync()
        assert synced == sorted(log._firsts)
        log.sync()
        assert synced == sorted(log._firsts)
        append(log, b"more")
        log.sync()
        assert len(synced) in {len(log._firsts) + 1, len(log._firsts)}
        assert synced[-1] == log._firsts[-1]


def test_a_missing_segment_is_told(directory, caplog):
    with opened(directory) as log:
        append(log, *numbered(20))
        segments(directory)[1].unlink()
    with opened(directory) as log:
        assert len(drain(log)) < 20
    assert "missing" in caplog.text
