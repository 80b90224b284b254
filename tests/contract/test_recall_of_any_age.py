"""Recall of decisions of any age, by the digests of the nightly job, on every store."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, MemoryManager, Unavailable
from agent_memory.core.clock import DAY_MS, HOUR_MS, date_of, to_iso
from agent_memory.core.keys import DIGESTS, archive_file_key, digest_key, digest_manifest_key
from agent_memory.memory import digest_index, recall
from agent_memory.memory.recall_indexes import indexes_of
from agent_memory.model import digests
from agent_memory.model.digests import DigestManifest
from agent_memory.nightly import digests as nightly_digests
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.rollups import roll_up_days
from agent_memory.storage.s3.blobs import S3Blobs

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLD = timedelta(days=200)


@pytest.fixture
def logger(stores, clock):
    return DecisionLogger("hunter", stores=stores, clock=clock).sync


@pytest.fixture
def current(monkeypatch):
    """Every recall reads the manifest of digests."""
    monkeypatch.setattr(digest_index, "_MAX_AGE_SECONDS", -1.0)


def names(found):
    return [one["memory"]["pattern_id"] if "memory" in one else one["decision"]["context"]["note"] for one in found]


def log(logger, note, ago, kind="TRADE", reasoning=None, **more):
    return logger.log_decision(kind, {"note": note, **more}, reasoning or {}, timestamp=NOON - ago)


def run_job(stores, clock, agent="hunter"):
    """What the nightly job does with the days up to yesterday: archive and count them."""
    day = date_of(clock.now_ms() - DAY_MS)
    if stores.blobs is not None:
        while archive_due_days(agent, day, stores)["remaining_days"]:
            pass
    return roll_up_days(agent, day, stores)


def day_of(ago):
    return (NOON - ago).date()


def manifest(stores, agent="hunter"):
    name = digest_manifest_key(agent)
    return DigestManifest.from_body(name, stores.blobs.read(name))


def test_an_archived_decision_of_200_days_ago_is_found(stores, clock, memory, logger):
    decision_id = log(logger, "whales lead", OLD, symbol="SPY")
    log(logger, "minnows", timedelta(hours=1))
    memory.store_ltm("PATTERN", "whales", {"text": "whales"})
    assert names(memory.recall("whales lead", kind="TRADE")) == ["minnows"]
    run_job(stores, clock)
    other = MemoryManager("hunter", stores=replace(stores), clock=clock).sync
    indexes_of(stores.decisions).of("hunter", "digests").state = None  # as in another process
    found = other.recall("whales lead", explain=True)
    assert (names(found)[0], found.complete) == ("whales lead", True)
    assert found[0]["decision"] == logger.get_decision(decision_id)
    assert found[0]["score"] == pytest.approx(found[0]["why"]["faded_importance"] + found[0]["why"]["similarity"])
    assert set(names(found)) == {"whales lead", "whales", "minnows"}


def test_the_ranking_is_that_of_the_decisions_themselves(stores, clock, memory, logger):
    """Recent ones are in digests too, and their words do not count twice."""
    for n, days in enumerate((0, 1, 2, 40, 100, 150, 200, 300)):
        words = {"texts": ["whales", "lead pumps"] if n % 2 else ["whales"], "symbol": "AB"[n % 2]}
        made = log(logger, f"whale {n}", timedelta(days=days), reasoning=words)
        if n % 3:
            logger.log_outcome(made, {}, n % 3 == 1, {"quality": n / 8})
    clock.advance(2 * HOUR_MS)
    run_job(stores, clock)
    everything = memory.recall("pumps by whales", top_k=50, time_range=("2020-01-01T00:00:00Z", None))
    found = memory.recall("pumps by whales", top_k=50)
    assert names(found) == names(everything)
    assert [one["score"] for one in found] == pytest.approx([one["score"] for one in everything])
    assert found.statistics["containing"] == everything.statistics["containing"]


def test_filters_come_before_the_ranking(stores, clock, memory, logger):
    won = log(logger, "whales won", OLD, symbol="SPY", tags=["btc"], market={"trend": "up"})
    log(logger, "whales wait", OLD, symbol="QQQ", market={"trend": "down"})
    log(logger, "whales whales", OLD, kind="QUERY", reasoning={"symbol": "SPY"})
    logger.log_outcome(won, {}, True)
    for days in (10, 250):
        log(logger, f"whales {days}", timedelta(days=days))
    run_job(stores, clock)
    for filters, expected in (
        ({"symbol": "SPY"}, ["whales whales", "whales won"]),
        ({"symbol": "SPY", "kind": "TRADE"}, ["whales won"]),
        ({"tags": ["btc"]}, ["whales won"]),
        ({"tags": ["btc", "eth"]}, []),
        ({"context": {"trend": "down"}}, ["whales wait"]),
        ({"success": True}, ["whales won"]),
        ({"success": False}, []),
        ({"success": "pending", "context": {"trend": "down"}}, ["whales wait"]),
        ({"kind": "QUERY"}, ["whales whales"]),
        ({"time_range": (None, NOON - timedelta(days=249))}, ["whales 250"]),
        ({"top_k": 1}, ["whales whales"]),
    ):
        found = memory.recall("whales", **filters)
        assert (sorted(names(found)), found.missing) == (sorted(expected), []), filters


def test_nothing_of_another_agent_is_recalled(stores, clock):
    agents = ["hunter", "hunter-2", "hunter.2", "hunte", "hunter_"]
    for name in agents:
        log(DecisionLogger(name, stores=stores, clock=clock).sync, f"by {name}", OLD)
        run_job(stores, clock, name)
    for name in agents:
        assert names(MemoryManager(name, stores=stores, clock=clock).sync.recall("by", top_k=50)) == [f"by {name}"]


def test_a_recall_as_of_a_time_knows_no_later_outcome(stores, clock, memory, logger, current):
    made = log(logger, "whales", OLD)
    run_job(stores, clock)
    before = memory.recall("whales", as_of=NOON, explain=True)
    clock.advance(HOUR_MS)
    logger.log_outcome(made, {}, True, {"quality": 1.0})
    at_success = to_iso(clock.now_ms())
    clock.advance(2 * HOUR_MS)
    logger.log_outcome(made, {"revised": 1}, False, {"quality": 0.25}, amend=True)
    log(logger, "whales of later", timedelta(hours=-2))
    clock.advance(2 * DAY_MS)
    run_job(stores, clock)
    after = memory.recall("whales", as_of=NOON, explain=True)
    assert list(before) == list(after)
    assert (names(after), after[0]["decision"]["success"], after[0]["why"]["importance"]) == (["whales"], None, 0.5)
    for as_of, success, importance in ((NOON, "pending", 0.5), (at_success, True, 1.0), (None, False, 0.25)):
        for wanted in (True, False, "pending"):
            found = memory.recall("whales", as_of=as_of, success=wanted, explain=True)
            old = [one for one in found if one["decision"]["decision_id"] == made]
            assert [one["why"]["importance"] for one in old] == ([importance] if wanted == success else [])


def test_a_later_outcome_is_in_the_digest_of_the_next_job(stores, clock, memory, logger, current):
    made = log(logger, "whales", OLD)
    run_job(stores, clock)
    version = manifest(stores).days[day_of(OLD)].version
    logger.log_outcome(made, {}, True, {"quality": 1.0})
    (found,) = memory.recall("whales", explain=True)
    assert (found["decision"]["success"], found["why"]["importance"]) == (True, 0.5)  # read, and ranked as it was
    assert memory.recall("whales", success="pending") == []  # by its digest it was, and then it was read
    for success in (True, False):
        clock.advance(2 * HOUR_MS)
        run_job(stores, clock)
        (found,) = memory.recall("whales", success=success, explain=True)
        assert found["why"]["importance"] == (1.0 if success else 0.25)
        logger.log_outcome(made, {"n": 2}, False, {"quality": 0.25}, amend=True)
    assert manifest(stores).days[day_of(OLD)].version != version


def test_what_is_logged_late_is_in_the_digest_of_the_next_job(stores, clock, memory, logger, current):
    log(logger, "whales", OLD)
    run_job(stores, clock)
    log(logger, "late whales", OLD)
    clock.advance(2 * HOUR_MS)
    run_job(stores, clock)
    assert sorted(names(memory.recall("whales"))) == ["late whales", "whales"]


def test_erased_decisions_never_appear(stores, clock, memory, logger):
    for n in range(12):
        log(logger, f"whales {n}", OLD + timedelta(days=n))
    run_job(stores, clock)
    assert len(memory.recall("whales")) == 5
    receipt = memory.forget(dry_run=False)
    assert receipt["counts"]["objects_and_versions"]
    assert stores.blobs.list_keys(f"{DIGESTS}agent_id=hunter/") == []
    found = memory.recall("whales")
    assert (list(found), found.complete) == ([], True)


def test_the_next_best_follow_what_is_gone(stores, clock, memory, logger):
    for n in range(4):
        log(logger, f"whales {n}", OLD + timedelta(days=10 * n))
    run_job(stores, clock)
    memory.recall("whales")
    stores.blobs.erase(f"decisions/agent_id=hunter/date={day_of(OLD)}", dry_run=False)
    assert names(memory.recall("whales", top_k=2)) == ["whales 1", "whales 2"]
    for n in range(1, 4):
        stores.blobs.erase(f"decisions/agent_id=hunter/date={day_of(OLD + timedelta(days=10 * n))}", dry_run=False)
    assert memory.recall("whales", top_k=2) == []


def test_without_a_bucket_recall_is_as_it_was(stores, clock):
    plain = replace(stores, blobs=None, archive=None, evidence=None)
    memory = MemoryManager("hunter", stores=plain, clock=clock).sync
    logger = DecisionLogger("hunter", stores=plain, clock=clock).sync
    log(logger, "old whales", OLD)
    log(logger, "whales", timedelta(days=2))
    assert run_job(plain, clock)["remaining_days"] == 0
    found = memory.recall("whales")
    assert (names(found), found.complete) == (["whales"], True)
    assert len(memory.recall("whales", time_range=(NOON - timedelta(days=300), None))) == 2


def test_an_answer_says_what_was_not_ranked(stores, clock, memory, logger, current, monkeypatch):
    monkeypatch.setattr(recall, "RECENT_DECISIONS", 3)
    for days in (0, 1, 2, 3, 4, 200):
        log(logger, f"whales {days}", timedelta(days=days))
    (missing,) = memory.recall("whales").missing
    assert (missing["id"], missing["reason"]) == ("decisions", "limit")
    run_job(stores, clock)
    found = memory.recall("whales", top_k=10)
    assert (len(found), found.complete) == (6, True)
    since = memory.recall("whales", top_k=10, time_range=(NOON - timedelta(days=4), None))
    assert (len(since), since.complete) == (5, True)
    clock.advance(DAY_MS)
    for n in range(4):
        log(logger, f"new {n}", timedelta(hours=-n - 1))
    found = memory.recall("whales", top_k=20)
    assert len(found) == 8  # all but the two of the day that has no digest yet
    (missing,) = found.missing
    assert (missing["reason"], "2026-11-20T00:00:00.000Z" in missing["why"]) == ("limit", True)


def test_the_size_of_the_index_is_bounded(stores, clock, memory, logger, current, monkeypatch):
    for days in range(100, 106):
        log(logger, f"whales {days}", timedelta(days=days))
    run_job(stores, clock)
    monkeypatch.setattr(digest_index, "MAX_ROWS_PER_RECALL", 2)
    for count in (2, 4, 6):
        found = memory.recall("whales", top_k=10)
        assert (len(found), found.complete) == (count, count == 6)
        for one in found.missing:
            assert (one["reason"], str(day_of(timedelta(days=100 + count))) in one["why"]) == ("limit", True)
    monkeypatch.setattr(digest_index, "MAX_ROWS", 3)
    found = memory.recall("whales", top_k=10)
    assert names(found) == ["whales 100", "whales 101", "whales 102"]
    assert not found.complete
    assert memory.recall("whales", time_range=(NOON - timedelta(days=102, hours=1), None)).complete


def test_the_newest_of_a_day_with_too_many_are_kept(stores, clock, memory, logger, monkeypatch):
    monkeypatch.setattr(nightly_digests, "MAX_ROWS_PER_DAY", 2)
    for hours in range(4):
        log(logger, f"whales {hours}", OLD + timedelta(hours=hours))
    run_job(stores, clock)
    found = memory.recall("whales")
    assert names(found) == ["whales 0", "whales 1"]
    (missing,) = found.missing
    assert (missing["reason"], "2026-05-04T11:00:00.000Z" in missing["why"]) == ("limit", True)


def test_a_cursor_leads_through_decisions_of_any_age(stores, clock, memory, logger):
    memory.store_ltm("PATTERN", "whales", {"text": "whales lead"})
    for n, days in enumerate((0, 1, 30, 89, 90, 100, 200, 200, 200, 300)):
        log(logger, f"{'whales ' * (n % 3 + 1)}{n}", timedelta(days=days, minutes=n % 2))
    run_job(stores, clock)
    expected, found, cursor = names(memory.recall("whales", top_k=50)), [], None
    assert len(expected) == 11
    for _ in itertools.count():
        page = memory.recall("whales", top_k=2, cursor=cursor)
        found, cursor = [*found, *names(page)], page.cursor
        if cursor is None:
            break
    assert found == expected


def test_a_long_context_is_compared_when_it_is_read(stores, clock, memory, logger):
    log(logger, "whales", OLD, market={"trend": "up"}, pages="a b" * digests.MAX_CONTEXT_CHARACTERS, tags=["t"])
    log(logger, "short whales", OLD, market={"trend": "down"})
    run_job(stores, clock)
    assert names(memory.recall("whales", context={"trend": "up"}, tags=["t"])) == ["whales"]
    assert names(memory.recall("whales", context={"trend": "down"})) == ["short whales"]
    assert memory.recall("whales", symbol="SPY") == []


def test_damaged_and_lost_digests_are_named(stores, clock, memory, logger, current):
    days = [timedelta(days=one) for one in (100, 150, 200)]
    for one in days:
        log(logger, f"whales {one.days}", one)
    run_job(stores, clock)
    stores.blobs.write(digest_key("hunter", day_of(days[0])), b"not compressed")
    stores.blobs.delete(digest_key("hunter", day_of(days[1])))
    found = memory.recall("whales")
    assert names(found) == ["whales 200"]
    assert [(one["id"], one["reason"]) for one in found.missing] == [
        (digest_key("hunter", day_of(one)), "damaged") for one in days[:2]
    ]
    stores.blobs.write(digest_manifest_key("hunter"), b"[]")
    found = memory.recall("whales")
    assert (list(found), [(one["id"], one["reason"]) for one in found.missing]) == ([], [("digests", "damaged")])
    run_job(stores, clock)
    found = memory.recall("whales")
    assert (len(found), found.complete) == (3, True)


def test_an_outage_of_the_bucket_is_not_an_empty_answer(stores, clock, memory, logger, current, monkeypatch):
    log(logger, "whales", OLD)
    run_job(stores, clock)

    def fail(key):
        raise Unavailable(f"{key} could not be read")

    monkeypatch.setattr(stores.blobs, "read", fail)
    with pytest.raises(Unavailable, match="could not be read"):
        memory.recall("whales")
    memory.store_ltm("PATTERN", "whales", {"text": "whales"})
    found = memory.recall("whales")
    assert (names(found), [one["reason"] for one in found.missing]) == (["whales"], ["unavailable"])


def test_decisions_in_cold_storage_are_named(stores, clock, memory, logger):
    if not isinstance(stores.blobs, S3Blobs):
        pytest.skip("cold storage is a storage class of S3; this store keeps files")
    cold = log(logger, "whales", OLD)
    log(logger, "other whales", OLD + timedelta(days=1))
    run_job(stores, clock)
    client, bucket, key = stores.blobs._client, stores.blobs._bucket, archive_file_key("hunter", day_of(OLD))
    frozen = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    client.put_object(Bucket=bucket, Key=key, Body=frozen, StorageClass="GLACIER")
    found = memory.recall("whales")
    assert names(found) == ["other whales"]
    (missing,) = found.missing
    assert (missing["id"], missing["reason"], missing["timestamp"]) == (
        cold,
        "in_cold_storage",
        "2026-05-04T12:00:00.000Z",
    )


def test_digests_are_not_exported(stores, clock, memory, logger, tmp_path):
    log(logger, "whales", OLD)
    run_job(stores, clock)
    counts = memory.export(tmp_path / "hunter.zip")["counts"]
    assert counts["objects"] == len(stores.blobs.list_keys("decisions/agent_id=hunter/")) > 0


def test_digests_wait_for_no_embedding(stores, clock, logger):
    class Lengths:
        name = "lengths"
        dimensions = 2

        def embed(self, texts):
            return [[1.0, float(len(one))] for one in texts]

    log(logger, "whales", OLD)
    log(logger, "whales now", timedelta(days=1))
    run_job(stores, clock)
    memory = MemoryManager("hunter", stores=replace(stores, embedder=Lengths()), clock=clock).sync
    found = memory.recall("whales", explain=True)
    assert (sorted(names(found)), found.complete) == (["whales", "whales now"], True)
    meanings = {one["decision"]["context"]["note"]: one["why"]["meaning"] for one in found}
    assert meanings["whales"] == 0.0
    assert meanings["whales now"] > 0.5
