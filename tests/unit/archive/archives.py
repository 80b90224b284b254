"""A sealed archive with late outcomes, and ways to tamper with it."""

import json
import random
from datetime import UTC, date, datetime

import pytest

from agent_memory.core.clock import DAY_MS, HOUR_MS, FixedClock, day_start_ms
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.seals import ROW_HASH, row_hash, short_hash
from agent_memory.nightly.archival import archive_due_days
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from agent_memory.storage.parquet.decision_rows import COLUMNS
from agent_memory.storage.parquet.files import to_parquet
from agent_memory.storage.parquet.reader import read_rows

AGENT = "hunter"
TYPES = ("QUERY", "LEARNING")
FIRST = date(2026, 7, 1)
DAYS = 3
PER_DAY = 6


def run_nightly_job(stores, clock):
    """Archive at the end of the clock's day."""
    day = datetime.fromtimestamp(clock.now_ms() / 1000, UTC).date()
    clock.advance(DAY_MS - clock.now_ms() % DAY_MS + HOUR_MS)
    return archive_due_days(AGENT, day, stores)


def sealed_archive():
    """Stores and clock after some jobs: decisions with and without outcomes, days of one, two and three revisions."""
    clock = FixedClock(day_start_ms(FIRST) + 12 * HOUR_MS)
    stores = in_memory_stores(clock)
    log = DecisionLog(AGENT, stores, clock)
    ids = {}
    for n in range(DAYS):
        for decision_type in TYPES:
            ids[decision_type, n] = [_log_decision(log, decision_type, n * 10 + k) for k in range(PER_DAY)]
            log.record_outcomes([_outcome(one, "1h") for one in ids[decision_type, n][::2]])
        clock.advance(DAY_MS)
    clock.advance(40 * DAY_MS)
    run_nightly_job(stores, clock)
    log.record_outcomes([_outcome(ids["QUERY", n][1], "exit") for n in (0, 1)])
    run_nightly_job(stores, clock)
    log.record_outcome(_outcome(ids["QUERY", 0][0], "1h", n=2, amend=True))
    run_nightly_job(stores, clock)
    return stores, clock


def _log_decision(log, decision_type, n):
    context = {"market": {"trend": "up"}, "n": n, "share": n / 7}
    reasoning = {"why": f"because {n}"}
    return log.log_one({"decision_type": decision_type, "context": context, "reasoning": reasoning}).decision_id


def _outcome(decision_id, horizon, n=1, **fields):
    return {"decision_id": decision_id, "outcome": {"n": n}, "success": True, "horizon": horizon, **fields}


class VersionedBlobs(InMemoryBlobs):
    """Objects in memory that keep all their versions."""

    def __init__(self):
        super().__init__()
        self.versions = {}

    def write(self, key, body):
        super().write(key, body)
        self.versions.setdefault(key, []).append(body)


def sealed_with_versions():
    """Stores, clock, the archive's objects, and all their versions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent_memory.storage.in_memory.blobs.InMemoryBlobs", VersionedBlobs)
        stores, clock = sealed_archive()
    return stores, clock, dict(stores.blobs._objects), stores.blobs.versions


def archive_of(objects):
    blobs = InMemoryBlobs()
    blobs._objects = objects
    return ParquetArchive(blobs)


class Tampering:
    """One random change of the objects of an archive (a dictionary of bytes); `name` says which."""

    def __init__(self, objects, earlier, seed):
        self.objects = dict(objects)
        self._earlier = earlier
        self._random = random.Random(seed)
        self._files = sorted(key for key in objects if key.endswith("decisions.parquet"))
        self._manifests = sorted(key for key in objects if "_manifest-" in key)
        changes = [self.change_field, self.change_field_and_hash, self.delete_row, self.add_row, self.swap_rows]
        changes += [self.delete_file, self.delete_manifest, self.older_revision, self.delete_day, self.other_day]
        changes += [self.change_manifest, self.add_object, self.change_outcome]
        change = self._random.choice(changes)
        self.name = change.__name__
        change()

    # --- rows ------------------------------------------------------------------------------

    def _rows(self, key):
        return [dict(zip(COLUMNS, row, strict=True)) for row in read_rows(self.objects[key], COLUMNS)]

    def _edit(self, edit):
        key = self._random.choice(self._files)
        rows = self._rows(key)
        edit(rows)
        self.with_rows(key, rows)

    def with_rows(self, key, rows):
        self.objects[key] = to_parquet(rows, COLUMNS)
        return self.objects

    def _other(self, value):
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return value + self._random.choice([-1, 1, 1_000])
        if isinstance(value, list):
            return [*value, "x"]
        if value is None:
            return None
        return value[:-1] + self._random.choice("xyz") if value[-1:] not in ("}", "]") else value.replace("1", "2", 1)

    def change_field(self, rehash=False):
        def edit(rows):
            row = self._random.choice(rows)
            changeable = [
                name for name in COLUMNS if self._other(row[name]) != row[name] and not (rehash and name == ROW_HASH)
            ]
            name = self._random.choice(changeable)
            row[name] = self._random.choice([self._other(row[name]), None])
            if rehash:
                row[ROW_HASH] = short_hash(row_hash(row))

        self._edit(edit)

    def change_field_and_hash(self):
        self.change_field(rehash=True)

    def change_outcome(self):
        def edit(rows):
            row = self._random.choice([row for row in rows if row["success"] is not None])
            name = self._random.choice(["success", "outcome", "metrics", "outcome_recorded_ms", "horizon"])
            changed = {"success": False, "outcome": '{"n":9}', "metrics": '{"m":1}', "horizon": "2h"}
            row[name] = changed.get(name, 7)

        self._edit(edit)

    def delete_row(self):
        self._edit(lambda rows: rows.pop(self._random.randrange(len(rows))))

    def add_row(self):
        def edit(rows):
            row = dict(self._random.choice(rows))
            if self._random.random() < 0.5:
                row["decision_id"] = row["decision_id"][:-4] + f"{self._random.randrange(16**4):04x}"
                row[ROW_HASH] = short_hash(row_hash(row))
            rows.insert(self._random.randrange(len(rows) + 1), row)

        self._edit(edit)

    def swap_rows(self):
        def edit(rows):
            one, other = self._random.sample(range(len(rows)), 2)
            rows[one], rows[other] = rows[other], rows[one]

        self._edit(edit)

    # --- objects ---------------------------------------------------------------------------

    def delete_file(self):
        del self.objects[self._random.choice(self._files)]

    def delete_manifest(self):
        del self.objects[self._random.choice(self._manifests)]

    def delete_day(self):
        folder = self._random.choice(self._files).removesuffix("decisions.parquet")
        self.objects = {key: body for key, body in self.objects.items() if not key.startswith(folder)}

    def older_revision(self):
        """Restore a day to what it was before its last revision, with or without the later manifests."""
        key = self._random.choice([key for key in self._files if self._earlier[key][0] != self.objects[key]])
        self.objects[key] = self._random.choice([one for one in self._earlier[key] if one != self.objects[key]])
        if self._random.random() < 0.7:
            newest = max(one for one in self._manifests if one.startswith(key.removesuffix("decisions.parquet")))
            del self.objects[newest]

    def other_day(self):
        one, other = self._random.sample(self._files, 2)
        self.objects[one] = self.objects[other]

    def change_manifest(self):
        key = self._random.choice(self._manifests)
        manifest = json.loads(self.objects[key])
        name = self._random.choice([name for name in manifest if manifest[name] is not None])
        value = manifest[name]
        manifest[name] = {**value, "hash": "0" * 64} if isinstance(value, dict) else self._other(value)
        if isinstance(value, str) and manifest[name] == value:
            manifest[name] += "x"
        self.objects[key] = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()

    def add_object(self):
        key = self._random.choice(self._files)
        folder, _, _ = key.rpartition("date=")
        number = self._random.randrange(10)
        name = self._random.choice(
            [
                f"{folder}date=2026-09-0{number}/decisions.parquet",
                f"{folder}date=2026-07-01/_manifest-000{number + 4}.json",
            ]
        )
        self.objects[name] = self.objects[self._random.choice([key, *self._manifests])]
