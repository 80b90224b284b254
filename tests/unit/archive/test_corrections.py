"""What was sealed changes only by a recorded correction; whatever else was changed is left as it is, and reported."""

import json
import random
from datetime import timedelta

import pytest
from archives import AGENT, DAYS, FIRST, PER_DAY, TYPES, run_nightly_job, sealed_archive
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.archive.verification import verify_archive
from agent_memory.core.clock import DAY_MS, HOUR_MS
from agent_memory.core.errors import Damaged, NotFound
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import ARCHIVE_CHAIN, ARCHIVE_PROGRESS, archive_day_prefix, archive_file_key
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.seals import Chain, Manifest

LAST = FIRST + timedelta(days=DAYS - 1)


@pytest.fixture
def sealed():
    return sealed_archive()


def verify(stores, clock, **options):
    options = {"decisions": stores.decisions, **options}
    return verify_archive(AGENT, states=stores.states, archive=stores.archive, now_ms=clock.now_ms(), **options)


def kinds(verification):
    return {(str(one.kind), one.day) for one in verification.findings}


def change_in_table(stores, decision_id, **fields):
    """Change an item of the table as somebody with access to it could."""
    (key,) = [one for one in stores.decisions._texts if one.decision_id == decision_id]
    stores.decisions._texts[key] = canonical_json(json.loads(stores.decisions._texts[key]) | fields)
    return key


def on_day(stores, day, *, with_outcome=None):
    """The ids of a day's archived decisions, all or those with or without an outcome."""
    return [
        one.decision_id
        for one in stores.archive.read_day(AGENT, day)
        if with_outcome is None or (one.outcome is not None) == with_outcome
    ]


def log_late_outcome(stores, clock, day, horizon="late"):
    decision_id = on_day(stores, day, with_outcome=False)[0]
    outcome = {"decision_id": decision_id, "outcome": {"late": True}, "success": True, "horizon": horizon}
    DecisionLog(AGENT, stores, clock).record_outcome(outcome)
    clock.advance(2 * HOUR_MS)
    return decision_id


def head(stores):
    return Chain.from_state(stores.states.get(AGENT, ARCHIVE_CHAIN)).head


CHANGES = [
    {"success": False, "revision": 9},
    {"outcome": {"n": 99}, "revision": 9},
    {"metrics": {"quality": 0.0}, "revision": 9},
    {"outcome_recorded_ms": 1, "revision": 9},
    {"horizon": "2h", "revision": 9},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_a_sealed_outcome_that_was_changed_in_the_table_is_not_sealed_again(sealed, change):
    stores, clock = sealed
    victim = on_day(stores, LAST, with_outcome=True)[0]
    key = change_in_table(stores, victim, **change)
    before, file = head(stores), stores.blobs.read(archive_file_key(AGENT, LAST))
    log_late_outcome(stores, clock, LAST)
    figures = run_nightly_job(stores, clock)
    (postponed,) = figures["postponed"]
    assert (postponed["date"], postponed["code"]) == (LAST.isoformat(), "damaged")
    assert victim in postponed["why"]
    assert (head(stores), stores.blobs.read(archive_file_key(AGENT, LAST))) == (before, file)
    assert ("contradicted", LAST) in kinds(verify(stores, clock))
    assert stores.decisions.get([key])[0] is not None


def test_an_amendment_is_sealed_with_what_it_replaces(sealed):
    stores, clock = sealed
    victim = on_day(stores, LAST, with_outcome=True)[0]
    amended = {"decision_id": victim, "outcome": {"n": 2}, "success": False, "horizon": "1h", "amend": True}
    DecisionLog(AGENT, stores, clock).record_outcome(amended)
    clock.advance(2 * HOUR_MS)
    assert run_nightly_job(stores, clock)["postponed"] == []
    (found,) = [one for one in stores.archive.read_day(AGENT, LAST) if one.decision_id == victim]
    assert (found.outcome.success, [one.outcome.success for one in found.superseded]) == (False, [True])
    assert verify(stores, clock).is_clean


def forge(stores, day, *, revision):
    """Replace a day's file and write a manifest that matches it, but is not part of the chain."""
    decisions = stores.archive.read_day(AGENT, day)[:-1]
    packed = stores.archive.pack(decisions)
    stores.blobs.write(archive_file_key(AGENT, day), packed.body)
    newest = stores.archive.manifest(AGENT, day)
    fields = {**newest.as_dict(), "file_sha256": packed.sha256, "root": packed.root, "rows": len(decisions)}
    previous = newest.previous
    stores.archive.write_manifest(Manifest(**{**fields, "revision": revision, "previous": previous}))


@pytest.mark.parametrize("revision", [1, 2])
def test_a_forged_day_is_not_sealed_by_a_late_outcome(sealed, revision):
    stores, clock = sealed
    late = log_late_outcome(stores, clock, LAST)
    forge(stores, LAST, revision=revision)
    before = head(stores)
    (postponed,) = run_nightly_job(stores, clock)["postponed"]
    assert (postponed["date"], postponed["code"]) == (LAST.isoformat(), "damaged")
    assert head(stores) == before
    assert not verify(stores, clock).is_clean
    assert DecisionLog(AGENT, stores, clock).get(late).outcome.details == {"late": True}


@pytest.mark.parametrize("what", ["file", "everything"])
def test_a_lost_day_does_not_hold_up_honest_days(sealed, what):
    stores, clock = sealed
    log = DecisionLog(AGENT, stores, clock)
    lost, honest = FIRST + timedelta(days=1), LAST
    for day in (lost, honest):
        log_late_outcome(stores, clock, day)
    prefix = archive_file_key(AGENT, lost) if what == "file" else archive_day_prefix(AGENT, lost)
    stores.blobs.erase(prefix, dry_run=False)
    log.log_one({"decision_type": "QUERY", "context": {"new": 1}, "reasoning": {}})
    new_day_ms = clock.now_ms()
    figures = run_nightly_job(stores, clock)
    postponed = {one["date"] for one in figures["postponed"]}
    assert lost.isoformat() in postponed
    if what == "file":
        assert postponed == {lost.isoformat()}
        assert stores.archive.manifest(AGENT, honest).revision == 2
        assert kinds(verify(stores, clock, decisions=None)) == {("removed", lost)}
    clock.advance(32 * DAY_MS)
    figures = run_nightly_job(stores, clock)
    assert figures["decisions"] == 1
    assert stores.archive.days(AGENT)[-1].isoformat() > LAST.isoformat()
    assert head(stores).archived_at > "2026-09"
    assert new_day_ms < clock.now_ms()


def test_a_decision_that_cannot_be_read_does_not_hold_up_other_days(sealed, monkeypatch):
    stores, clock = sealed
    log = DecisionLog(AGENT, stores, clock)
    damaged = log.log_one({"decision_type": "QUERY", "context": {"a": 1}, "reasoning": {}}).decision_id
    clock.advance(DAY_MS)
    log.log_one({"decision_type": "QUERY", "context": {"b": 1}, "reasoning": {}})
    clock.advance(33 * DAY_MS)
    scan = stores.decisions.scan

    def failing(*arguments, **options):
        for one in scan(*arguments, **options):
            if one.decision_id == damaged:
                raise Damaged(f"a large part of a decision, {damaged}, differs from the digest in its name")
            yield one

    monkeypatch.setattr(stores.decisions, "scan", failing)
    figures = run_nightly_job(stores, clock)
    assert [one["code"] for one in figures["postponed"]] == ["damaged"]
    assert (figures["decisions"], figures["remaining_days"]) == (1, 0)
    monkeypatch.setattr(stores.decisions, "scan", scan)
    clock.advance(2 * HOUR_MS)
    assert run_nightly_job(stores, clock)["postponed"] == []
    assert damaged in {
        one.decision_id for day in stores.archive.days(AGENT) for one in stores.archive.read_day(AGENT, day)
    }


# --- what verification says about what it has not seen ---------------------------------------------


def test_an_unknown_agent_is_an_error(sealed):
    stores, clock = sealed
    with pytest.raises(NotFound, match="there is no agent typo"):
        verify_archive("typo", states=stores.states, archive=stores.archive, now_ms=clock.now_ms())


def test_what_is_not_sealed_is_counted(sealed):
    stores, clock = sealed
    log = DecisionLog(AGENT, stores, clock)
    for _ in range(2):
        log.log_one({"decision_type": "QUERY", "context": {}, "reasoning": {}})
    verification = verify(stores, clock)
    assert verification.is_clean
    covered = verification.not_covered
    assert (covered.unsealed_days, covered.unsealed_decisions, covered.days_without_seal) == (1, 2, 0)


def test_an_agent_whose_objects_and_head_are_gone_is_reported(sealed):
    stores, clock = sealed
    stores.blobs.erase("decisions/", dry_run=False)
    stores.states.remove(AGENT, ARCHIVE_CHAIN)
    found = kinds(verify(stores, clock))
    assert ("rolled_back", None) in found
    assert ("missing_manifest", FIRST) in found
    stores.states.remove(AGENT, ARCHIVE_PROGRESS)
    verification = verify(stores, clock)
    assert verification.status == "nothing_checked"
    assert verification.not_covered.unsealed_decisions == DAYS * len(TYPES) * PER_DAY


def test_a_rollback_of_bucket_and_state_together_is_found_by_the_head(sealed):
    stores, clock = sealed
    objects, state = dict(stores.blobs._objects), stores.states.get(AGENT, ARCHIVE_CHAIN)
    earlier = head(stores).hash
    log_late_outcome(stores, clock, LAST)
    noted = run_nightly_job(stores, clock)["head"]
    assert verify(stores, clock, head=noted).is_clean
    assert verify(stores, clock, head=earlier).is_clean
    stores.blobs._objects = objects
    version = stores.states.get(AGENT, ARCHIVE_CHAIN).version
    stores.states.put(AGENT, ARCHIVE_CHAIN, state.data, expected_version=version, now_ms=clock.now_ms())
    assert kinds(verify(stores, clock, head=noted)) == {("rolled_back", None)}
    assert verify(stores, clock, head=earlier).is_clean


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_change_of_the_table_behind_the_seals_is_found(seed):
    """Items of sealed days, the end of the chain and the progress; docs/security.md lists what cannot be seen."""
    stores, clock = sealed_archive()
    chance = random.Random(seed)
    key = chance.choice(list(stores.decisions._texts))
    item = json.loads(stores.decisions._texts[key])

    def change_item():
        name = chance.choice([name for name in ("context", "reasoning", "metadata") if name in item])
        change_in_table(stores, key.decision_id, **{name: {"changed": seed}})

    def change_outcome():
        resolved = [one for one, text in stores.decisions._texts.items() if json.loads(text).get("success") is not None]
        change_in_table(stores, chance.choice(resolved).decision_id, success=False, revision=chance.randrange(9))

    def remove_item():
        del stores.decisions._texts[key]

    def change_head():
        state = stores.states.get(AGENT, ARCHIVE_CHAIN)
        name, value = chance.choice([("hash", "0" * 64), ("sequence", 99), ("revision", 7), ("date", "2026-06-01")])
        data = {**state.data, "head": {**state.data["head"], name: value}}
        stores.states.put(AGENT, ARCHIVE_CHAIN, data, expected_version=state.version, now_ms=clock.now_ms())

    def remove_head():
        stores.states.remove(AGENT, ARCHIVE_CHAIN)

    tampering = chance.choice([change_item, change_outcome, remove_item, change_head, remove_head])
    tampering()
    assert verify(stores, clock).status == "changed", tampering.__name__
